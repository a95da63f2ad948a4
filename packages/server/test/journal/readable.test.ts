/** The log of events for people: a line each, put aside by size, with so many kept. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { csvHead, csvLine } from '../../src/journal/csv.ts'
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
