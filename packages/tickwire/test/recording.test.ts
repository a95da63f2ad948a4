/** The command records: without a client, into a journal and into a file for people; what is secret never; and one at a time. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReader } from '@tickwire/server/journal/reader.ts'
import type { Entry } from '@tickwire/server/journal/journal.ts'
import { expect, onTestFinished, test } from 'vitest'
import { CLI, ended, until } from './plant.ts'

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-recording-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const serve = (...args: string[]) => {
  const running = ended(process.execPath, [CLI, '--demo', '--port', '0', '--set', 'street.control=0', ...args])
  onTestFinished(() => void running.child.kill('SIGKILL'))
  return running
}

test(
  '[S1-71] [S3-07] [S3-08] [S4-30] [B10] it records whether or not a client is connected, and a second one is refused',
  { timeout: 90_000 },
  async () => {
    const folder = newFolder()
    const directory = join(folder, 'journal')
    const file = join(folder, 'events.csv')
    const first = serve('--record', 'both', '--log-file', file, '--set', `journal.directory=${directory}`)
    const reader = openReader({ directory })
    await until(() => (reader.runs()[0]?.events ?? 0) > 500)
    expect(reader.runs()).toMatchObject([{ open: true, what: ['events', 'frames'] }])

    const second = await serve('--record', 'events', '--set', `journal.directory=${directory}`).told
    expect(second).toMatchObject({ code: 2 })
    expect(second.err).toMatch(/journal\.directory: .* is being written by process \d+ since .*: one writer per directory/)

    first.child.kill('SIGTERM')
    expect(await first.told).toMatchObject({ code: 0 })
    const [run] = reader.runs()
    expect(run).toMatchObject({ open: false, damaged: 0, cut: 0 })

    const events: Entry[] = []
    for await (const batch of reader.read({ run: run!.run, what: 'events' })) events.push(...batch)
    const traffic: Entry[] = []
    for await (const batch of reader.read({ run: run!.run, what: 'frames' })) traffic.push(...batch)
    expect(new Set(traffic.map(({ type }) => type))).toEqual(new Set(['opened', 'frame', 'sent', 'closed', 'answer', 'want']))
    const times = events.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    // What services publish is made anew by a replay.
    expect(events.some((entry) => entry.type === 'event' && entry.event.type === 'liquidity')).toBe(false)

    const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(head).toMatch(/^published,received,time,topic,seq,type,provider,instrument,price/)
    expect(lines).toHaveLength(events.length)
    expect(lines.some((line) => line.includes(',trade:BTC-USDT,'))).toBe(true)
  }
)

test('the demo records for its replays, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const folder = newFolder()
  const running = ended(process.execPath, [CLI, '--port', '0', '--set', 'street.control=0', '--demo'], { TMPDIR: folder })
  onTestFinished(() => void running.child.kill('SIGKILL'))
  await until(() => readdirSync(folder).some((name) => openReader({ directory: join(folder, name) }).runs().length > 0))
  running.child.kill('SIGTERM')
  expect(await running.told).toMatchObject({ code: 0 })
  expect(readdirSync(folder)).toEqual([])
})
