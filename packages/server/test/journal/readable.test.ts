/** The log of events for people: a line each, put aside by size, with so many kept. */
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { csvHead, csvLine } from '../../src/journal/csv.ts'
import { refuseHeldFile } from '../../src/journal/lock.ts'
import { openReadableLog } from '../../src/journal/readable.ts'
import { entries, newDirectory, T0 } from './kit.ts'

const events = entries(30).flatMap((entry) => (entry.type === 'event' ? [entry.event] : []))

test('[S3-07] [S3-08] JSON lines are the events; a new file at its size, and so many are kept', async () => {
  const folder = newDirectory()
  let now = T0
  const log = openReadableLog({ file: join(folder, 'events.jsonl'), mostBytes: 1, keep: 2, clock: () => now })
  for (const event of events.slice(0, 5)) {
    log.append(event)
    await log.flush()
    now += 1_000
  }
  await log.stop()
  const files = readdirSync(folder).sort()
  expect(files).toHaveLength(3)
  const lines = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Published)
  expect(lines).toEqual(events.slice(2, 5))
})

test('[S3-08] CSV has a head in each file, and nothing that a spreadsheet would run', async () => {
  const folder = newDirectory()
  const file = join(folder, 'events.csv')
  const log = openReadableLog({ file, mostBytes: 1_000_000, keep: 2, clock: () => T0 })
  for (const event of events) log.append(event)
  await log.stop()
  const lines = readFileSync(file, 'utf8').split('\n')
  expect(lines).toHaveLength(32)
  expect(lines[0]).toBe(csvHead)
  const evil = { ...events[0]!, id: '=cmd|"x"', instrument: '@SUM(1,2)' } as Published
  expect(csvLine(evil)).toContain(`"'=cmd|""x"""`)
  expect(csvLine(evil)).toContain(`"'@SUM(1,2)"`)
})

test('a file that cannot be written is told once, counted, and costs no memory', async () => {
  const told: (string | undefined)[] = []
  const file = join(newDirectory(), 'file')
  writeFileSync(file, '')
  const log = openReadableLog({
    file: join(file, 'events.csv'),
    mostBytes: 1_000,
    keep: 1,
    onTrouble: (reason) => told.push(reason)
  })
  for (let i = 0; i < 3; i++) {
    for (const event of events) log.append(event)
    await log.flush()
  }
  expect(log.lost()).toBe(90)
  expect(told).toHaveLength(1)
  await log.stop()
})

test.each([
  ['as it is', (file: string) => file],
  [
    'by another path',
    (file: string) => {
      symlinkSync(file, `${file}.link`)
      return `${file}.link`
    }
  ]
])('[B10] a file that is named %s has one writer: the second is refused in words, and the first goes on', async (_, named) => {
  const file = join(newDirectory(), 'events.csv')
  writeFileSync(file, '')
  const options = { mostBytes: 1_000_000, keep: 2, clock: () => T0 }
  const first = openReadableLog({ ...options, file })
  const same = named(file)
  const words = `${same} is being written by process ${process.pid} since ${new Date(T0).toISOString()}: one writer per file. Stop it, or name another file`
  for (const open of [() => openReadableLog({ ...options, file: same }), () => refuseHeldFile(same)]) expect(open).toThrow(words)
  first.append(events[0]!)
  await first.stop()
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3)
  const second = openReadableLog({ ...options, file: same })
  await second.stop()
  expect(existsSync(`${file}.lock`)).toBe(false)
})

test('[B10] the lock of a process that is gone is taken over; a device needs none', async () => {
  const file = join(newDirectory(), 'events.jsonl')
  const options = { mostBytes: 1_000_000, keep: 2, clock: () => T0 }
  // No process has this number.
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: 2 ** 30, run: 'old', since: 0 }))
  await openReadableLog({ ...options, file }).stop()
  const [one, two] = [openReadableLog({ ...options, file: '/dev/null' }), openReadableLog({ ...options, file: '/dev/null' })]
  await Promise.all([one.stop(), two.stop()])
  expect(existsSync('/dev/null.lock')).toBe(false)
})
