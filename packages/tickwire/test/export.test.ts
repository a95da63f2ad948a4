/** `tickwire export`: from a journal on disk to files that others read. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { Candle, Published } from '@tickwire/protocol'
import { runName } from '@tickwire/server/journal/names.ts'
import { openWriter } from '@tickwire/server/journal/writer.ts'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { exportPast, type ExportFlags } from '../src/export.ts'
import { CLI, ended } from './plant.ts'

// Some start a program.
vi.setConfig({ testTimeout: 150_000 })

const BEGIN = Date.parse('2026-11-20T12:00Z')
const SECOND = 1_000
const COUNT = 200
const root = mkdtempSync(join(tmpdir(), 'export-'))
const directory = join(root, 'journal')
let files = 0
const file = (ending: string): string => join(root, `out-${++files}.${ending}`)
const flags = (more: Partial<ExportFlags>): ExportFlags => ({ interval: '1m', directory, ...more })

type Trade = Extract<Published, { type: 'trade' }>
const trades: Trade[] = Array.from({ length: COUNT }, (_, i) => {
  const time = BEGIN + i * SECOND + (i % 3) / 4
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 5, published: time + 6 }
  const trade: Trade = {
    type: 'trade',
    topic: 'trade:BTC-USDT',
    seq: i + 1,
    ...stamp,
    price: 100 + i / 100,
    size: 0.1 + i,
    side: 'buy'
  }
  // The first eight are without an id, as of a provider that has none.
  if (i >= 8) trade.id = String(1_000 + i)
  if (i % 7 === 0) trade.ineligible = true
  if (i % 5 === 0) trade.conditions = ['@', 'I']
  return trade
})

beforeAll(async () => {
  let now = BEGIN
  const writer = openWriter({ directory, what: ['events'], epoch: 'one', clock: () => now })
  for (const event of trades) writer.append({ type: 'event', time: (now = event.published), event })
  await writer.stop()
})
afterEach(() => {
  process.exitCode = undefined
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Null is what a trade does not say. */
async function parquet(path: string): Promise<Record<string, unknown>[]> {
  const compressors = { ZSTD: (input: Uint8Array): Uint8Array => zstdDecompressSync(input) }
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined)))
}
const inMicros = (time: number): bigint => BigInt(Math.round(time * 1_000))

test('[S4-29] Parquet read back has every trade as it was, in order', async () => {
  const out = file('parquet')
  await exportPast('trades', ['BTC-USDT'], flags({ out }))
  const rows = await parquet(out)
  const expected = trades.map(({ instrument, price, size, side, id, provider, conditions, ineligible, seq }) => ({
    instrument,
    price,
    size,
    side,
    provider,
    seq: BigInt(seq),
    ...(id !== undefined && { id }),
    ...(conditions && { conditions: conditions.join(',') }),
    ...(ineligible && { ineligible })
  }))
  expect(rows).toEqual(expected.map((row) => ({ ...row, time: expect.any(Date), received: expect.any(Date) })))
  // hyparquet makes dates of them, which hold milliseconds.
  expect(rows.map(({ time }) => Math.floor(Number(time)))).toEqual(trades.map(({ time }) => Math.floor(time)))
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(out))
  expect(schema.find(({ name }) => name === 'time')).toMatchObject({ type: 'INT64', converted_type: 'TIMESTAMP_MICROS' })
})

test('JSON lines are the events', async () => {
  const out = file('jsonl')
  await exportPast('trades', ['BTC-USDT'], flags({ out, from: '2026-11-20T12:00:10Z', to: String(BEGIN + 20 * SECOND) }))
  const rows = readFileSync(out, 'utf8').trim().split('\n')
  expect(rows.map((row) => JSON.parse(row) as Published)).toEqual(trades.slice(10, 20))
})

test('candles of two instruments go to one file, each minute of the journal once', async () => {
  const out = file('csv')
  await exportPast('candles', ['BTC-USDT', 'ETH-USDT'], flags({ out }))
  const [head, ...rows] = readFileSync(out, 'utf8').trim().split('\r\n')
  expect(head).toBe('instrument,interval,start,utc,end,open,high,low,close,volume,trades,closed,coverage,session,provider')
  const starts = rows.map((row) => Number(row.split(',')[2]))
  expect(starts).toEqual([0, 1, 2, 3].map((minute) => BEGIN + minute * 60_000))
  expect(rows.map((row) => Number(row.split(',')[10])).reduce((a, b) => a + b, 0)).toBe(COUNT)
})

test('a file that exists stays as it is unless --force says so', async () => {
  const out = file('csv')
  writeFileSync(out, 'mine')
  await expect(exportPast('trades', ['BTC-USDT'], flags({ out }))).rejects.toThrow('exists')
  expect(readFileSync(out, 'utf8')).toBe('mine')
  await exportPast('trades', ['BTC-USDT'], flags({ out, force: true }))
  expect(readFileSync(out, 'utf8').split('\r\n')).toHaveLength(COUNT + 2)
})

test('the file that a link names is written, whether or not it is there, and the link stays', async () => {
  for (const isThere of [true, false]) {
    const target = file('csv')
    if (isThere) writeFileSync(target, 'mine')
    const link = file('csv')
    symlinkSync(target, link)
    await exportPast('trades', ['BTC-USDT'], flags({ out: link, force: true }))
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(target, 'utf8').split('\r\n')).toHaveLength(COUNT + 2)
  }
})

const shown = ['export', 'trades', 'BTC-USDT', '--directory', directory]

test.runIf(process.platform === 'linux')(
  'what is no file, as a pipe or a device, is written itself and stays what it is',
  async () => {
    const out = join(root, 'pipe.csv')
    execFileSync('mkfifo', [out])
    const reader = ended('cat', [out])
    await exportPast('trades', ['BTC-USDT'], flags({ out, force: true }))
    const isPipe = lstatSync(out).isFIFO()
    if (!isPipe) reader.child.kill()
    expect(isPipe).toBe(true)
    expect((await reader.told).out.split('\r\n')).toHaveLength(COUNT + 2)
  }
)

test.runIf(process.platform === 'linux')('Parquet goes whole through a pipe, whether it is named or stdout', async () => {
  const pipe = join(root, 'pipe.parquet')
  execFileSync('mkfifo', [pipe])
  const named = file('parquet')
  const reader = ended('bash', ['-c', `cat "${pipe}" > "${named}"`])
  await exportPast('trades', ['BTC-USDT'], flags({ out: pipe, force: true }))
  expect(await reader.told).toMatchObject({ code: 0 })
  const piped = file('parquet')
  const command = `"${process.execPath}" "${CLI}" ${[...shown, '--format', 'parquet'].join(' ')} | cat > "${piped}"`
  expect(await ended('bash', ['-o', 'pipefail', '-c', command]).told).toMatchObject({ code: 0 })
  for (const path of [named, piped])
    expect((await parquet(path)).map(({ seq }) => Number(seq))).toEqual(trades.map(({ seq }) => seq))
})

test('Parquet is not for a screen', async () => {
  const { stdout } = process
  const before = Object.getOwnPropertyDescriptor(stdout, 'isTTY')
  Object.defineProperty(stdout, 'isTTY', { value: true, configurable: true })
  onTestFinished(() => {
    if (before) Object.defineProperty(stdout, 'isTTY', before)
    else Reflect.deleteProperty(stdout, 'isTTY')
  })
  await expect(exportPast('trades', ['BTC-USDT'], flags({ format: 'parquet' }))).rejects.toThrow('not for a screen')
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  'an export that %s ends leaves nothing under the name, nor beside it',
  async (signal) => {
    // Of a server that never answers, so that it is under way when the signal comes.
    const asked = Promise.withResolvers<void>()
    const mute = createServer(() => asked.resolve())
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      mute.closeAllConnections()
      mute.close()
    })
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`
    const out = file('parquet')
    const run = ended(process.execPath, [CLI, 'export', 'trades', 'BTC-USDT', '--url', url, '--out', out])
    await asked.promise
    expect(readdirSync(root).some((name) => name.endsWith('.part'))).toBe(true)
    run.child.kill(signal)
    expect(await run.told).toMatchObject({ code: signal === 'SIGINT' ? 130 : 143 })
    expect(readdirSync(root).filter((name) => out.endsWith(name) || name.endsWith('.part'))).toEqual([])
  }
)

test('ends quietly with 0 when the reader of its pipe has gone', async () => {
  const run = ended(process.execPath, [CLI, ...shown])
  run.child.stdout.destroy()
  expect(await run.told).toMatchObject({ code: 0, err: expect.not.stringMatching(/EPIPE|Error/) })
})

test.runIf(process.platform === 'linux')('an output that cannot be written is told in words, with 2', async () => {
  const stdout = await ended('bash', ['-c', `"${process.execPath}" "${CLI}" ${shown.join(' ')} > /dev/full`]).told
  expect(stdout).toMatchObject({ code: 2, err: expect.stringMatching(/^stdout cannot be written: ENOSPC.*\n$/) })
  const out = file('csv')
  const limited = `ulimit -f 4; exec "${process.execPath}" "${CLI}" ${shown.join(' ')} --out ${out}`
  expect(await ended('bash', ['-c', limited]).told).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^\S+\.csv cannot be written: EFBIG.*\n$/)
  })
  expect(readdirSync(root).filter((name) => out.endsWith(name) || name.endsWith('.part'))).toEqual([])
})

test('where the ending of the name says no format it is told that it is CSV', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  const out = file('xyz')
  await exportPast('candles', ['BTC-USDT'], flags({ out }))
  expect(told.mock.calls).toEqual([[`${out} is written as CSV: no format ends with .xyz; name one with --format`]])
  told.mockClear()
  await exportPast('candles', ['BTC-USDT'], flags({ out, force: true, format: 'csv' }))
  expect(told.mock.calls).toEqual([])
  told.mockRestore()
})

test('an export that fails leaves nothing behind, neither under the name nor beside it', async () => {
  const out = file('csv')
  const url = 'http://127.0.0.1:1'
  await expect(exportPast('trades', ['BTC-USDT'], { interval: '1m', out, url })).rejects.toThrow('no server answers')
  expect(existsSync(out)).toBe(false)
  expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
})

test.each([
  [{ from: 'yesterday', out: 'x.csv' }, '--from is "yesterday"'],
  [{ directory: join(root, 'nowhere'), out: 'x.csv' }, 'no events are recorded'],
  [{ from: '2026-11-21', to: '2026-11-20', out: 'x.csv' }, '--from is not before --to'],
  [
    { from: '2030-01-01', out: 'x.csv' },
    '--from is 2030-01-01, which is not before the end of what is recorded, 2026-11-20T12:03:'
  ],
  [{ to: '2001-01-01', out: 'x.csv' }, '--to is 2001-01-01, which is not after the beginning of what is recorded']
])('%o is refused in words', async (wrong, words) => {
  await expect(exportPast('trades', ['BTC-USDT'], flags(wrong))).rejects.toThrow(words)
})

/** A run of each kind beside each other, of one trade each. */
async function mixed(): Promise<string> {
  const place = join(root, `mixed-${++files}`)
  for (const [i, mode] of (['live', 'demo'] as const).entries()) {
    const event = { ...trades[i]!, price: mode === 'live' ? 1 : 666 }
    const clock = () => event.published
    const run = runName(event.published, mode, mode)
    const writer = openWriter({ directory: place, what: ['events'], epoch: mode, run, clock })
    writer.append({ type: 'event', time: event.published, event })
    await writer.stop()
  }
  return place
}

test('simulated and real trades are never in one file: where a span has both it is asked which, and simulated ones are said to be', async () => {
  const place = await mixed()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const out = file('jsonl')
  await expect(exportPast('trades', ['BTC-USDT'], flags({ directory: place, out }))).rejects.toThrow(
    'recordings of that time are not alike: 1 of mode live, 1 of mode demo (demo: simulated prices); say which with --mode live or --mode demo'
  )
  expect(existsSync(out)).toBe(false)
  const pricesOf = (path: string): number[] =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Trade).price)
  await exportPast('trades', ['BTC-USDT'], flags({ directory: place, out, mode: 'live' }))
  expect(pricesOf(out)).toEqual([1])
  expect(said).not.toHaveBeenCalledWith(expect.stringContaining('simulated'))
  const other = file('jsonl')
  await exportPast('trades', ['BTC-USDT'], flags({ directory: place, out: other, mode: 'demo' }))
  expect(pricesOf(other)).toEqual([666])
  expect(said).toHaveBeenCalledWith('these prices are simulated: they were recorded in the demo')
  const candles = file('csv')
  await exportPast('candles', ['BTC-USDT'], flags({ directory: place, out: candles, mode: 'live' }))
  expect(readFileSync(candles, 'utf8')).not.toContain('666')
  await expect(exportPast('trades', ['BTC-USDT'], flags({ directory: place, mode: 'capture' }))).rejects.toThrow(
    'no events of mode capture are recorded'
  )
})

test('what was corrected and cancelled later is so in the file, and said', async () => {
  const place = join(root, `amended-${++files}`)
  let now = BEGIN
  const writer = openWriter({ directory: place, what: ['events'], epoch: 'a', clock: () => now })
  const told = trades.slice(10, 13)
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time: BEGIN + 90_000, received: BEGIN + 90_000 }
  const about = { type: 'correction', topic: 'correction:BTC-USDT', published: BEGIN + 90_001, ...stamp } as const
  for (const event of [
    ...told,
    { ...about, seq: 1, action: 'cancel', id: '1010' } as const,
    { ...about, seq: 2, action: 'correct', id: '1011', corrected: { price: 7, size: 3 } } as const
  ])
    writer.append({ type: 'event', time: (now = event.published), event })
  await writer.stop()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const out = file('parquet')
  await exportPast('trades', ['BTC-USDT'], flags({ directory: place, out }))
  expect(await parquet(out)).toMatchObject([
    { id: '1011', price: 7, size: 3, was_price: told[1]!.price, was_size: told[1]!.size },
    { id: '1012', price: told[2]!.price }
  ])
  expect(said).toHaveBeenCalledWith('told of these trades later, and done to them: corrections 1, cancels 1')
  const candles = file('jsonl')
  await exportPast('candles', ['BTC-USDT'], flags({ directory: place, out: candles }))
  expect(JSON.parse(readFileSync(candles, 'utf8').split('\n')[0]!)).toMatchObject({
    trades: 2,
    low: 7,
    volume: 3 + told[2]!.size
  })
})

/** A Python that has all of these; DUCKDB names another than python3. */
const pythonWith = (modules: string): string | undefined =>
  [process.env['DUCKDB'], 'python3'].find(
    (each) => each !== undefined && spawnSync(each, ['-c', `import ${modules}`], { stdio: 'ignore' }).status === 0
  )
const documented = (language: string): string[] => {
  const page = readFileSync(new URL('../../../docs/history.md', import.meta.url), 'utf8')
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, code = '']) => code)
}
/** What the candle of each minute is, by the fold that a journal is folded with. */
async function minutes(): Promise<Candle[]> {
  const out = file('jsonl')
  await exportPast('candles', ['BTC-USDT'], flags({ out }))
  return readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Candle)
}
/** Where the documentation has the files. */
async function documentedFiles(): Promise<string> {
  const place = mkdtempSync(join(root, 'documented-'))
  for (const out of ['trades.parquet', 'trades.jsonl']) await exportPast('trades', ['BTC-USDT'], flags({ out: join(place, out) }))
  return place
}

const duckdb = pythonWith('duckdb')
test.skipIf(duckdb === undefined)('DuckDB reads the Parquet, and what is documented makes the candles that we make', async () => {
  const cwd = await documentedFiles()
  const [candles = '', prices = ''] = documented('sql')
  const count = `select count(*), min(epoch_us(time)), max(epoch_us(time)), count(id), count(ineligible) from 'trades.parquet'`
  // Of the second the hours are left out: they would need pytz.
  const asked = [count, candles, `select side, vwap from (${prices.replaceAll(/;\s*$/g, '')})`]
  const code = `import duckdb, json; print(json.dumps([duckdb.sql(q).fetchall() for q in json.loads(${JSON.stringify(JSON.stringify(asked))})]))`
  const told = execFileSync(duckdb!, ['-c', code], { encoding: 'utf8', cwd })
  const [counts, rows, averages] = JSON.parse(told) as [number[][], number[][], [string, number][]]
  const times = trades.map(({ time }) => Number(inMicros(time)))
  expect(counts).toEqual([[COUNT, Math.min(...times), Math.max(...times), COUNT - 8, 29]])
  const shown = await minutes()
  expect(rows.map((row) => row.slice(0, 5))).toEqual(
    shown.map(({ start, open, high, low, close }) => [start, open, high, low, close])
  )
  const volume = trades.reduce((sum, { size }) => sum + size, 0)
  expect(averages).toEqual([['buy', expect.closeTo(trades.reduce((sum, { price, size }) => sum + price * size, 0) / volume, 6)]])
})

const pandas = pythonWith('pandas, pyarrow')
test.skipIf(pandas === undefined)('pandas reads both files, and what is documented makes the candles that we make', async () => {
  const cwd = await documentedFiles()
  const told = `print(json.dumps([candles.reset_index(drop=True).values.tolist(), lines['id'].iloc[9], str(lines['time'].dtype)]))`
  const code = `import json\n${documented('python').join('\n')}\n${told}`
  const [rows, id, type] = JSON.parse(execFileSync(pandas!, ['-c', code], { encoding: 'utf8', cwd })) as [
    number[][],
    string,
    string
  ]
  const shown = await minutes()
  expect(rows).toEqual(shown.map(({ open, high, low, close, volume }) => [open, high, low, close, expect.closeTo(volume, 6)]))
  expect(id).toBe('1009')
  expect(type).toMatch(/^datetime64\[.*UTC\]$/)
})

test('[S4-29] of an instrument that is not there it says so, with what is there and the nearest of many', async () => {
  const said = async (place: string, instruments: readonly string[]): Promise<string[]> => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    try {
      await exportPast('trades', instruments, { interval: '1m', directory: place, out: file('csv') })
      return error.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith('no trades of'))
    } finally {
      error.mockRestore()
    }
  }
  expect(await said(directory, ['NOPE', 'BTC-USDT'])).toEqual([
    `no trades of NOPE are recorded in ${directory}; there are those of BTC-USDT`
  ])
  expect(process.exitCode).toBeUndefined()

  const many = join(root, 'many')
  const writer = openWriter({ directory: many, what: ['events'], epoch: 'many', clock: () => BEGIN })
  const names = ['AAPL', 'BTC-USD', 'BTC-USDT', 'SOL-USDT', ...Array.from({ length: 20 }, (_, i) => `X${i + 10}`)]
  const [sample] = trades
  if (!sample) throw new Error('no trade')
  for (const instrument of names)
    writer.append({ type: 'event', time: BEGIN, event: { ...sample, instrument, topic: `trade:${instrument}`, seq: 1 } })
  await writer.stop()
  const [line = ''] = await said(many, ['BTCUSDT'])
  expect(line).toMatch(
    /^no trades of BTCUSDT .*; the nearest are BTC-USDT, BTC-USD, \S+; there are those of AAPL, .* and 4 others$/
  )
  expect(process.exitCode).toBe(1)
})
