/** A recording that is damaged is exported and replayed as far as it goes, and stderr says what is missing. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { openWriter } from '@tickwire/server/journal/writer.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { exportPast } from '../src/export.ts'
import { replay } from '../src/replay.ts'

const BEGIN = Date.parse('2026-11-20T12:00Z')
let root: string
let directory: string
let told: string[]

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'holes-'))
  directory = join(root, 'journal')
  let now = BEGIN
  const writer = openWriter({ directory, what: ['events'], epoch: 'one', clock: () => now })
  for (let i = 0; i < 300; i++) {
    const time = BEGIN + i * 1_000
    const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 5, published: time + 6 }
    const trade = {
      type: 'trade',
      topic: 'trade:BTC-USDT',
      seq: i + 1,
      ...stamp,
      price: 100,
      size: 1,
      side: 'buy',
      id: String(i)
    }
    writer.append({ type: 'event', time: (now = time + 6), event: trade as Published })
    if (i % 100 === 99) await writer.flush()
  }
  await writer.stop()
  told = []
  vi.spyOn(console, 'error').mockImplementation((text: string) => void told.push(text))
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  rmSync(root, { recursive: true, force: true })
})

function segment(): string {
  const run = readdirSync(directory).find((name) => name !== 'lock')
  return join(directory, run ?? '', '00000.twj')
}
/** A bit in the payload of the second block. */
function flip(): void {
  const bytes = readFileSync(segment())
  const third = bytes.indexOf('TWBK', bytes.indexOf('TWBK', bytes.indexOf('TWBK') + 4) + 4)
  bytes[third - 20]! ^= 1
  writeFileSync(segment(), bytes)
}
const HOLE = '100 entries in 1 place from 2026-11-20T12:01:40.000Z to 2026-11-20T12:03:19.001Z are damaged, and left out'
const asked = { interval: '1m' as const }

test.each(['trades', 'candles'] as const)('[T14] an export of %s says how much is damaged, and of which span', async (what) => {
  await exportPast(what, ['BTC-USDT'], { ...asked, directory, out: join(root, 'a.csv') })
  expect(told).toEqual([])
  flip()
  await exportPast(what, ['BTC-USDT'], { ...asked, directory, out: join(root, 'b.csv') })
  expect(told).toEqual([expect.stringContaining(HOLE)])
  expect(process.exitCode ?? 0).toBe(0)
})

test('an export of candles counts what is damaged as not heard', async () => {
  flip()
  const out = join(root, 'c.json')
  await exportPast('candles', ['BTC-USDT'], { ...asked, directory, out })
  const lines = readFileSync(out, 'utf8').trim().split('\n')
  const shares = lines.map((line) => (JSON.parse(line) as { coverage: number }).coverage)
  expect(shares.map((share) => Math.round(share * 100))).toEqual([100, 67, 68, 98])
})

test('[T14] a torn end is told', async () => {
  const bytes = readFileSync(segment())
  writeFileSync(segment(), bytes.subarray(0, bytes.lastIndexOf('TWBK') - 9))
  await exportPast('trades', ['BTC-USDT'], { ...asked, directory, out: join(root, 'd.csv') })
  expect(told).toEqual([expect.stringMatching(/not all of .* is there: .* bytes of a torn end cut/)])
})

test('[T14] a recording of which nothing is left is named where its span is exported, and is not played', async () => {
  const run = readdirSync(directory).find((name) => name !== 'lock') ?? ''
  const intact = readFileSync(segment())
  const words = `${run}: nothing of it can be read, as far as is known from 2026-11-20T12:00:00.000Z to `
  writeFileSync(segment(), '')
  await expect(exportPast('trades', ['BTC-USDT'], { ...asked, directory })).rejects.toThrow(words)
  await expect(replay(run, { directory, digest: true, set: [] })).rejects.toThrow(words)
  mkdirSync(join(directory, 'other'))
  writeFileSync(join(directory, 'other', '00000.twj'), intact)
  await exportPast('trades', ['BTC-USDT'], { ...asked, directory, out: join(root, 'e.csv') })
  expect(told).toEqual([expect.stringContaining(words)])
  // The newest that can be played is, unless another is named.
  await replay(undefined, { directory, speed: 'max', digest: true, set: [] })
})

test('[T14] a digest of a damaged recording says so beside it', async () => {
  flip()
  await replay(undefined, { directory, speed: 'max', digest: true, set: [] })
  expect(told).toContainEqual(expect.stringContaining(HOLE))
})
