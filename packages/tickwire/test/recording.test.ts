/** The command records: without a client, into a journal and into a file for people; what is secret never; and one at a time. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReader } from '@tickwire/server/journal/reader.ts'
import type { Entry } from '@tickwire/server/journal/journal.ts'
import { openWriter } from '@tickwire/server/journal/writer.ts'
import { expect, onTestFinished, test } from 'vitest'
import { record } from '../src/record.ts'
import { serve } from '../src/serve.ts'
import { CLI, ended, tickwire, until } from './plant.ts'

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-recording-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const started = (...args: string[]) => {
  const running = ended(process.execPath, [CLI, '--demo', '--port', '0', '--set', 'street.control=0', ...args])
  onTestFinished(() => void running.child.kill('SIGKILL'))
  return running
}

/** A port that is taken: who opens it fails with other words, who connects to it is counted. */
async function openDoor() {
  let knocks = 0
  const server = createServer((socket) => {
    knocks++
    socket.destroy()
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { port, options: [`street.control=${port}`, ...providerAt(port)], knocks: () => knocks }
}
const providerAt = (port: number): string[] =>
  ['enabled=true', `wsUrl=ws://127.0.0.1:${port}`, `restUrl=http://127.0.0.1:${port}`].map((text) => `providers.kraken.${text}`)

const BUSY =
  /^journal\.directory: .* is being written by process \d+ since .*: one writer per directory\. Stop it, or name another directory$/
const BUSY_FILE =
  /^journal\.logFile: .*events\.csv is being written by process \d+ since .*: one writer per file\. Stop it, or name another file$/

test(
  '[S1-71] [S3-07] [S3-08] [S4-30] [B10] it records whether or not a client is connected; a second one is refused before it opens anything, and does no harm',
  { timeout: 90_000 },
  async () => {
    const folder = newFolder()
    const directory = join(folder, 'journal')
    const file = join(folder, 'events.csv')
    const first = started('--record', 'both', '--log-file', file, '--set', `journal.directory=${directory}`)
    const reader = openReader({ directory })
    await until(() => (reader.runs()[0]?.events ?? 0) > 500)
    expect(reader.runs()).toMatchObject([{ open: true, what: ['events', 'frames'] }])

    const door = await openDoor()
    const options = [`journal.directory=${directory}`, ...door.options].flatMap((option) => ['--set', option])
    const { code, out, err } = await tickwire(['--demo', '--port', '0', '--record', 'events', ...options])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err.trim()).toMatch(BUSY)
    expect(err).toContain(`process ${first.child.pid} `)
    // The first one goes on.
    const events = () => reader.runs()[0]?.events ?? 0
    const then = events()
    await until(() => events() > then)
    expect(reader.runs()).toHaveLength(1)

    first.child.kill('SIGTERM')
    expect(await first.told).toMatchObject({ code: 0 })
    const [run] = reader.runs()
    expect(run).toMatchObject({ open: false, damaged: 0, cut: 0 })

    const told: Entry[] = []
    for await (const batch of reader.read({ run: run!.run, what: 'events' })) told.push(...batch)
    expect(told).toHaveLength(run!.events)
    const traffic: Entry[] = []
    for await (const batch of reader.read({ run: run!.run, what: 'frames' })) traffic.push(...batch)
    expect(new Set(traffic.map(({ type }) => type))).toEqual(new Set(['opened', 'frame', 'sent', 'closed', 'answer', 'want']))
    const times = told.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    // What services publish is made anew by a replay.
    expect(told.some((entry) => entry.type === 'event' && entry.event.type === 'liquidity')).toBe(false)

    const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(head).toMatch(/^published,received,time,topic,seq,type,provider,instrument,price/)
    expect(lines).toHaveLength(told.length)
    expect(lines.some((line) => line.includes(',trade:BTC-USDT,'))).toBe(true)
  }
)

/** The same command, and the seconds of processor time that it took: however busy the machine is, that is about the same. */
async function timed(...args: string[]) {
  const script = '"$@"; code=$?; times >&2; exit $code'
  const { code, out, err } = await ended('bash', ['-c', script, 'bash', process.execPath, CLI, ...args]).told
  const [told = '', spent = ''] = [/^[^]*?(?=\d+m[\d.]+s \d+m)/.exec(err)?.[0], err.trimEnd().split('\n').at(-1)]
  const seconds = [...spent.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0)
  return { code, out, told: told.trim(), seconds }
}
/** Of a process that runs, by the kernel's ticks of a hundredth. */
function secondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / 100
}

test.runIf(process.platform === 'linux')(
  '[B10] a second server on one directory, or one log of events, exits with 2 and says who has it, long before it would have listened',
  { timeout: 150_000 },
  async () => {
    const folder = newFolder()
    const [directory, file] = [join(folder, 'journal'), join(folder, 'events.csv')]
    const first = started('--record', 'events', '--log-file', file, '--set', `journal.directory=${directory}`)
    await until(() => first.output().includes('http://'))
    const listened = secondsOf(first.child.pid)
    const elsewhere = `journal.directory=${join(folder, 'other')}`
    const door = await openDoor()
    const options = ['--demo', '--port', '0', ...door.options.flatMap((option) => ['--set', option])]
    const seconds: number[] = []
    for (const [args, words] of [
      [['--record', 'events', '--set', `journal.directory=${directory}`], BUSY],
      [['--log-file', file], BUSY_FILE],
      [['--record', 'events', '--set', elsewhere, '--log-file', file], BUSY_FILE]
    ] as const) {
      const second = await timed(...options, ...args)
      expect(second).toMatchObject({ code: 2, out: '', told: expect.stringMatching(words) })
      expect(second.told).toContain(`process ${first.child.pid} `)
      seconds.push(second.seconds)
    }
    const recording = await timed('record', '--demo', '--directory', directory)
    expect(recording).toMatchObject({ code: 2, out: '', told: expect.stringMatching(BUSY) })
    expect(recording.seconds).toBeLessThan(listened / 2)
    expect(Math.min(...seconds)).toBeLessThan(listened / 2)
    expect(door.knocks()).toBe(0)
    await until(() => existsSync(file))
    expect(readdirSync(folder).sort()).toEqual(['events.csv', 'events.csv.lock', 'journal'])
    first.child.kill('SIGTERM')
    expect(await first.told).toMatchObject({ code: 0 })
    expect(readdirSync(folder).sort()).toEqual(['events.csv', 'journal'])
  }
)

test('[B10] where another one records, nothing is opened: no street, no port, no provider', async () => {
  const directory = join(newFolder(), 'journal')
  const writer = openWriter({ directory, what: ['events'], epoch: 'e' })
  onTestFinished(() => writer.stop())
  const door = await openDoor()
  const set = [`journal.directory=${directory}`, ...door.options]
  const flags = { set, port: '0', speed: '1', record: 'events' }
  const refused = { name: 'ConfigError', message: expect.stringMatching(BUSY) }
  await expect(serve({ ...flags, demo: true })).rejects.toMatchObject(refused)
  await expect(serve({ ...flags, capture: 'kraken' })).rejects.toMatchObject(refused)
  await expect(serve({ ...flags, live: true })).rejects.toMatchObject(refused)
  await expect(record([], { set, what: 'events', demo: true })).rejects.toMatchObject(refused)
  expect(door.knocks()).toBe(0)
})

test('the demo records for its replays, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const folder = newFolder()
  const running = ended(process.execPath, [CLI, '--port', '0', '--set', 'street.control=0', '--demo'], { TMPDIR: folder })
  onTestFinished(() => void running.child.kill('SIGKILL'))
  await until(() => readdirSync(folder).some((name) => openReader({ directory: join(folder, name) }).runs().length > 0))
  running.child.kill('SIGTERM')
  expect(await running.told).toMatchObject({ code: 0 })
  expect(readdirSync(folder)).toEqual([])
})
