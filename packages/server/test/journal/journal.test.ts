/** The journal: what is written is read back, in order, and by topic and time; what is damaged is never read as data. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BlockHead } from '../../src/journal/block.ts'
import { openReader } from '../../src/journal/reader.ts'
import { damagedOf, openSegment } from '../../src/journal/scan.ts'
import { openWriter } from '../../src/journal/writer.ts'
import { createRandom } from '../../src/replay/random.ts'
import { scratch } from '../power.ts'
import { entries, frames, newDirectory, readAll, T0, tradesOf, written } from './kit.ts'

const segmentsOf = (directory: string, run: string): string[] =>
  readdirSync(join(directory, run))
    .sort()
    .map((file) => join(directory, run, file))

describe('what is written', () => {
  test('[S4-30] is read back equal, in order, events and frames each for themselves', async () => {
    const events = entries(10_000)
    const raw = frames(2_000)
    const { directory, run } = await written([...events, ...raw])
    const reader = openReader({ directory })
    expect(await readAll(reader, { run, what: 'events' })).toEqual(events)
    const last = events.at(-1)!.time
    expect(await readAll(reader, { run, what: 'frames' })).toEqual(raw.map((entry) => ({ ...entry, time: last })))
    expect(reader.runs()).toMatchObject([
      { run, events: 10_000, frames: 2_000, what: ['events', 'frames'], open: false, damaged: 0, cut: 0 }
    ])
    expect(reader.runs()[0]).toMatchObject({ from: events[0]!.time, to: last })
  })

  test('is read by topic and by time, from inclusive and to exclusive', async () => {
    const events = entries(9_000)
    const { directory, run } = await written(events)
    const topics = new Set(['quote:S1-USDT'])
    const [from, to] = [events[3_000]!.time, events[6_000]!.time]
    const asked = await readAll(openReader({ directory }), { run, what: 'events', topics, from, to })
    const isAsked = (entry: (typeof events)[number]) =>
      entry.type === 'event' && topics.has(entry.event.topic) && entry.time >= from && entry.time < to
    expect(asked).toEqual(events.filter(isAsked))
    expect(asked.length).toBeGreaterThan(100)
  })

  test('trades come as columns, of one instrument and by their own time', async () => {
    const events = entries(9_000)
    const { directory } = await written(events)
    const trades = events.flatMap(({ ...entry }) =>
      entry.type === 'event' && entry.event.topic === 'trade:S2-USDT'
        ? [entry.event as Published & { price: number; side: string }]
        : []
    )
    const [from, to] = [trades[100]!.time, trades[500]!.time]
    const asked = await tradesOf(directory, 'S2-USDT', from, to)
    expect(asked.flatMap(({ price }) => [...price])).toEqual(trades.slice(100, 500).map(({ price }) => price))
    expect(asked.flatMap(({ seq }) => [...seq])).toEqual(trades.slice(100, 500).map(({ seq }) => seq))
    expect(asked.flatMap(({ side }) => [...side])).toEqual(trades.slice(100, 500).map(({ side }) => (side === 'buy' ? 1 : 2)))
  })

  test('is read while it is written', async () => {
    const directory = newDirectory()
    const writer = openWriter({ directory, what: ['events'], epoch: 'e' })
    const reader = openReader({ directory })
    const [first, second] = [entries(500), entries(500, 500)]
    for (const entry of first) writer.append(entry)
    await writer.flush()
    expect(reader.runs()).toMatchObject([{ run: writer.run, open: true, events: 500 }])
    expect(await readAll(reader, { run: writer.run, what: 'events' })).toEqual(first)
    for (const entry of second) writer.append(entry)
    await writer.flush()
    expect(await readAll(reader, { run: writer.run, what: 'events' })).toEqual([...first, ...second])
    await writer.stop()
    expect(reader.runs()).toMatchObject([{ open: false, events: 1_000, damaged: 0, cut: 0 }])
  })

  test('goes to the next segment by size, and by day of UTC', async () => {
    const day = 86_400_000
    const events = [...entries(2_000), ...entries(2_000, day / 2)]
    const directory = newDirectory()
    const writer = openWriter({ directory, what: ['events'], epoch: 'e', segmentBytes: 8_000 })
    for (let i = 0; i < events.length; i += 500) {
      for (const entry of events.slice(i, i + 500)) writer.append(entry)
      await writer.flush()
    }
    await writer.stop()
    expect(segmentsOf(directory, writer.run).length).toBeGreaterThan(3)
    expect(await readAll(openReader({ directory }), { run: writer.run, what: 'events' })).toEqual(events)
  })

  test('steps of one down are no constant', async () => {
    const { directory, run } = await written(
      entries(2)
        .reverse()
        .map((entry) => ({ ...entry, time: T0 }))
    )
    const found = await readAll(openReader({ directory }), { run, what: 'events' })
    expect(found.map((entry) => entry.type === 'event' && entry.event.seq)).toEqual([2, 1])
  })

  test('an entry is never older than the one before it, whatever is done to the clock', async () => {
    const [first, second] = entries(2)
    const { directory, run } = await written([second!, first!])
    const found = await readAll(openReader({ directory }), { run, what: 'events' })
    expect(found).toEqual([second, { ...first, time: second!.time }])
  })
})

describe('retention', () => {
  test('the oldest segments go when there is too much, and those that are too old; never the open one', async () => {
    const directory = newDirectory()
    const old = await written(entries(3_000), { directory, run: 'old' })
    const [file] = segmentsOf(directory, old.run)
    utimesSync(file!, new Date(T0), new Date(T0))
    const recent = await written(entries(3_000), { directory, run: 'recent' })
    await written(entries(10), { directory, run: 'now', mostAge: 86_400_000 })
    expect(
      openReader({ directory })
        .runs()
        .map(({ run }) => run)
    ).toEqual(['now', recent.run])
    const writer = openWriter({ directory, run: 'small', what: ['events'], epoch: 'e', mostBytes: 1, segmentBytes: 1_000 })
    for (const entry of entries(1_000)) writer.append(entry)
    await writer.flush()
    expect(
      openReader({ directory })
        .runs()
        .map(({ run }) => run)
    ).toEqual(['small'])
    await writer.stop()
  })
})

/** The segment of a run of 100 entries. */
async function fourBatches(): Promise<string> {
  const directory = scratch('tickwire-flips-')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const writer = openWriter({ directory, run: 'run', what: ['events'], epoch: 'e' })
  for (let i = 0; i < 100; i += 25) {
    for (const entry of entries(25, i)) writer.append(entry)
    await writer.flush()
  }
  await writer.stop()
  return join(directory, 'run', '00000.twj')
}

function flipsOf(bytes: Uint8Array, count: number): number[] {
  const random = createRandom('flips')
  return Array.from({ length: count }, () => Math.floor(random() * bytes.length * 8))
}

function flippedAt(whole: Buffer, bit: number): Buffer {
  const bytes = Buffer.from(whole)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes
}

describe('damage', () => {
  test('[T14] [B8] of 10,000 flipped bits every one is noticed, and no record is wrong', { timeout: 120_000 }, async () => {
    const path = await fourBatches()
    const whole = readFileSync(path)
    const partOf = (head: BlockHead): string => whole.toString('latin1', head.offset, head.offset + head.length)
    const good = new Set(openSegment(path).blocks.map(partOf))
    const told: Record<'missed' | 'wrong' | 'short', number[]> = { missed: [], wrong: [], short: [] }
    for (const bit of flipsOf(whole, 10_000)) {
      const flipped = flippedAt(whole, bit)
      writeFileSync(path, flipped)
      const { blocks, damaged, cut } = openSegment(path)
      const broken = new Set(damagedOf(path, blocks))
      if (damaged + cut + broken.size === 0) told.missed.push(bit)
      const sound = blocks.filter((head) => !broken.has(head))
      // What is read of a block follows from its bytes: they are those that were written, and it is one of those.
      const bytesOf = ({ offset, length }: BlockHead) => flipped.toString('latin1', offset, offset + length)
      if (!sound.every((head) => good.has(bytesOf(head)))) told.wrong.push(bit)
      if (new Set(sound.map(bytesOf)).size < good.size - 1) told.short.push(bit)
    }
    expect(told).toEqual({ missed: [], wrong: [], short: [] })
  })

  test('[T14] [B8] of a flipped bit one batch is lost at most, and the run tells of it', { timeout: 60_000 }, async () => {
    const path = await fourBatches()
    const directory = join(path, '../..')
    const known = new Set(entries(100).map((entry) => JSON.stringify(entry)))
    const whole = readFileSync(path)
    for (const bit of flipsOf(whole, 300)) {
      writeFileSync(path, flippedAt(whole, bit))
      const reader = openReader({ directory })
      const found = (await readAll(reader, { run: 'run', what: 'events' })).map((entry) => JSON.stringify(entry))
      const [run] = reader.runs()
      expect({ bit, isTold: !run || run.damaged + run.cut > 0 }).toEqual({ bit, isTold: true })
      expect({ bit, wrong: found.filter((entry) => !known.has(entry)) }).toEqual({ bit, wrong: [] })
      expect(new Set(found).size).toBe(found.length)
      expect(found.length).toBeGreaterThanOrEqual(75)
    }
  })

  test('[T14] a torn tail is cut, and told, wherever it is torn', async () => {
    const events = entries(60)
    const directory = newDirectory()
    const writer = openWriter({ directory, run: 'run', what: ['events'], epoch: 'e' })
    for (let i = 0; i < 3; i++) {
      for (const entry of events.slice(i * 20, i * 20 + 20)) writer.append(entry)
      await writer.flush()
    }
    await writer.stop()
    const [path] = segmentsOf(directory, 'run')
    const { length } = readFileSync(path!)
    for (let size = length - 1; size > 0; size -= 37) {
      truncateSync(path!, size)
      const reader = openReader({ directory })
      const found = await readAll(reader, { run: 'run', what: 'events' })
      // Of the batch that is torn whole blocks are left; all before it is.
      const asked = new Set(found.map((entry) => JSON.stringify(entry)))
      expect(events.filter((entry) => asked.has(JSON.stringify(entry)))).toEqual(found)
      const whole = Math.floor(found.length / 20) * 20
      expect(found.slice(0, whole)).toEqual(events.slice(0, whole))
      const [run] = reader.runs()
      if (run) expect(run).toMatchObject({ events: found.length, damaged: 0 })
      // What is left of the bytes is either read, or told as cut.
      if (found.length < 60 && run) expect(run.cut + run.events).toBeGreaterThan(0)
    }
  })

  test('a rotation that was interrupted leaves what was written before it', async () => {
    const { directory, run } = await written(entries(1_000))
    const folder = join(directory, run)
    writeFileSync(join(folder, '00001.twj'), '')
    expect(openReader({ directory }).runs()).toMatchObject([{ events: 1_000, cut: 0, damaged: 0 }])
    writeFileSync(join(folder, '00001.twj'), readFileSync(join(folder, '00000.twj')).subarray(0, 30))
    const reader = openReader({ directory })
    expect(reader.runs()).toMatchObject([{ events: 1_000, cut: 30, damaged: 0 }])
    expect(await readAll(reader, { run, what: 'events' })).toHaveLength(1_000)
    appendFileSync(join(folder, 'notes.txt'), 'not a segment')
    expect(openReader({ directory }).runs()).toHaveLength(1)
  })

  test('[B11] a newer format is refused in words', async () => {
    const { directory, run } = await written(entries(10))
    const path = join(directory, run, '00000.twj')
    const bytes = readFileSync(path)
    const { packSegmentHeader } = await import('../../src/journal/segment.ts')
    const header = packSegmentHeader({ run, segment: 0, what: ['events'], created: T0 }, { version: 2 })
    writeFileSync(path, Buffer.concat([header, bytes.subarray(header.length)]))
    const reader = openReader({ directory })
    await expect(readAll(reader, { run, what: 'events' })).rejects.toThrow(/version 2 .* newer Tickwire wrote: update this one/)
    await expect(tradesOf(directory, 'S1-USDT')).rejects.toThrow(/newer Tickwire/)
    // Those beside it are told of all the same.
    mkdirSync(join(directory, 'other'))
    const other = await written(entries(5))
    copyFileSync(join(other.directory, other.run, '00000.twj'), join(directory, 'other', '00000.twj'))
    const [first, second] = reader.runs()
    expect(first).toMatchObject({ run, events: 0, reason: expect.stringMatching(/a newer Tickwire wrote a file of it, update/) })
    expect(second).toMatchObject({ run: 'other', events: 5 })
    expect(second).not.toHaveProperty('reason')
  })
})
