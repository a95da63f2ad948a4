/** Sheets: trades and quotes come back from them exactly, and what is of no sheet is told so. */
import { isDeepStrictEqual } from 'node:util'
import type { Published } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blocksOf, entriesInto } from '../../src/journal/batch.ts'
import { headAt, packBlock, payloadOf, type Block } from '../../src/journal/block.ts'
import type { Entry } from '../../src/journal/journal.ts'
import { blocksOfSheet } from '../../src/journal/sheet-blocks.ts'
import { createSheets, type Sheets } from '../../src/journal/sheet.ts'
import { openReader } from '../../src/journal/reader.ts'
import { newDirectory, readAll, written } from './kit.ts'

type Event = Record<string, unknown>
const entryOf = (event: Event, time: number): Entry => ({ type: 'event', time, event: event as unknown as Published })

/** As the writer hands it to its thread, and as the thread and a reader have it. */
function through(all: readonly Entry[], sheets: Sheets, words: string[]) {
  const [others, places]: [Entry[], number[]] = [[], []]
  for (const [i, entry] of all.entries())
    if (entry.type !== 'event' || !sheets.put(entry.event, i, entry.time)) {
      others.push(entry)
      places.push(i)
    }
  const handed = sheets.take()
  const { sheets: taken, words: told } = structuredClone(handed)
  // They come back with what was in them.
  for (const { numbers } of handed.sheets) sheets.give(numbers.buffer)
  words.length = told.from
  words.push(...told.added)
  const blocks = [
    ...taken.flatMap((sheet) => blocksOfSheet(sheet, words, 7, all.length)),
    ...blocksOf(others, 7, places, all.length)
  ]
  const found: (Entry | undefined)[] = []
  for (const block of blocks) entriesInto(found, block.kind, payloadOfPacked(block))
  return { found, blocks, others }
}

function payloadOfPacked(block: Block): Uint8Array {
  const bytes = packBlock(block)
  const head = headAt(bytes, 0)
  const payload = head && payloadOf(head, bytes)
  if (!payload) throw new Error('a block that was just packed cannot be read')
  return payload
}

const present = (event: Event): Event => Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined))
const number = fc.oneof(
  fc.double(),
  fc.integer({ min: 0, max: 10_000_000 }).map((n) => n / 100),
  fc.constantFrom(-0, 0, Number.NaN, Infinity, -Infinity, 5e-324, 2 ** 53, 1_769_000_000_000.25)
)
const text = fc.oneof(fc.constantFrom('', 'a', 'BTC-USDT', '\ud800', 'é€😀'), fc.string({ unit: 'binary', maxLength: 6 }))
const id = fc.oneof(
  fc.integer({ min: 0 }).map(String),
  fc.constantFrom('0', '007', '9007199254740993', '999999999999999', '123456789012345678901', '-1', '1e3', ' 1')
)
const stampOf = (number: fc.Arbitrary<number>) => ({
  provider: text,
  instrument: text,
  topic: text,
  time: number,
  received: number,
  seq: number,
  published: number
})
const rareOf = (number: fc.Arbitrary<number>) => ({
  delayed: number,
  clock: text,
  confidence: number,
  quarantined: text,
  replay: text
})
const ALWAYS = ['type', 'provider', 'instrument', 'time', 'received', 'topic', 'seq', 'published'] as const
const tradesOf = (number: fc.Arbitrary<number>): fc.Arbitrary<Event> =>
  fc.record(
    {
      type: fc.constant('trade'),
      ...stampOf(number),
      ...rareOf(number),
      id: fc.oneof(id, id, text),
      price: number,
      size: number,
      side: text,
      venue: text,
      conditions: fc.array(text, { maxLength: 3 }),
      session: text,
      ineligible: fc.constant(true),
      backfill: fc.constant(true)
    },
    { requiredKeys: [...ALWAYS, 'price', 'size', 'side'] }
  )
const quotesOf = (number: fc.Arbitrary<number>): fc.Arbitrary<Event> =>
  fc.record(
    {
      type: fc.constant('quote'),
      ...stampOf(number),
      ...rareOf(number),
      bid: number,
      bidSize: number,
      ask: number,
      askSize: number
    },
    { requiredKeys: [...ALWAYS, 'bid', 'ask'] }
  )
const [trade, quote] = [tradesOf(number), quotesOf(number)]
const book: fc.Arbitrary<Event> = fc.record({
  type: fc.constant('book'),
  ...stampOf(fc.nat()),
  bids: fc.array(fc.tuple(fc.nat(), fc.nat())),
  sequence: fc.nat()
})
/** Fields that no sheet knows, or of another kind than it knows. A column of several kinds is kept as JSON, which has no words for some numbers. */
const strange = fc
  .tuple(
    fc.oneof(tradesOf(fc.nat()), quotesOf(fc.nat())),
    fc.constantFrom('price', 'bid', 'topic', 'id', 'conditions', 'backfill', 'time', 'new', 'x')
  )
  .chain(([event, name]) =>
    fc.constantFrom<unknown>('text', 7, true, ['a'], undefined).map((value): Event => ({ ...event, [name]: value }))
  )
const event: fc.Arbitrary<Event> = fc.oneof(trade, trade, quote, quote, book, strange)

describe('sheets', () => {
  test('[S4-30] events of all fields, known or not, present or not, come back equal, batch after batch', () => {
    const batches = fc.array(fc.array(event, { maxLength: 40, minLength: 1 }), { maxLength: 4, minLength: 1 })
    fc.assert(
      fc.property(batches, (all) => {
        const sheets = createSheets(1_000)
        const words: string[] = []
        for (const events of all) {
          const { found } = through(
            events.map((each, i) => entryOf(each, i)),
            sheets,
            words
          )
          expect(
            isDeepStrictEqual(
              found,
              events.map((each, i) => entryOf(present(each), i))
            )
          ).toBe(true)
        }
      }),
      { numRuns: 60 }
    )
  })

  test('trades and quotes need no look at each, but where they have what no sheet knows', () => {
    const common = { provider: 'acme', instrument: 'A', time: 1, received: 2, seq: 1, published: 3 }
    const known: Event[] = [
      {
        type: 'trade',
        ...common,
        topic: 'trade:A',
        id: 'x',
        price: 1,
        size: 2,
        side: 'buy',
        conditions: ['@', 'T'],
        ineligible: true
      },
      { type: 'quote', ...common, topic: 'quote:A', bid: 1, bidSize: 2, ask: 3, askSize: 4, confidence: undefined }
    ]
    const unknown: Event[] = [
      { ...known[0], colour: 'red' },
      { ...known[1], bid: '1' },
      { ...known[0], type: 'ticker', last: 3 }
    ]
    const all = [...known, ...unknown].map((each, i) => entryOf(each, i))
    expect(through(all, createSheets(1_000), []).others).toEqual(all.slice(2))
  })

  test('a topic with many rows has a block of its own, and words that are said no more are forgotten by both sides', () => {
    const sheets = createSheets(1_000)
    const words: string[] = []
    const trade = (n: number, instrument: string): Event => ({
      type: 'trade',
      provider: 'acme',
      instrument,
      topic: `trade:${instrument}`,
      time: n,
      received: n,
      seq: n,
      published: n,
      price: n / 100,
      size: 1,
      side: 'buy'
    })
    for (let batch = 0; batch < 20; batch++) {
      const all = Array.from({ length: 1_000 }, (_, i) => entryOf(trade(i, i % 2 === 0 ? 'MANY' : `${batch}-${i}`), i))
      const { found, blocks } = through(all, sheets, words)
      expect(found).toEqual(all)
      expect(blocks.map(({ count, topics }) => [count, topics.length])).toEqual([
        [500, 1],
        [500, 500]
      ])
      // As many as fit into the numbers that stand for them.
      expect(words.length).toBeLessThan(2 ** 16)
    }
    expect(words.length).toBeLessThan(20_000)
  })

  test('[S4-30] one who appends faster than the thread writes has all of it in order', async () => {
    const events = fc.sample(event, { numRuns: 2_500, seed: 7 })
    const all = events.map((each, i) => entryOf(present(each), i))
    const { directory, run, writer } = await written(all, { directory: newDirectory() })
    expect(writer.status()).toMatchObject({ events: 2_500, frames: 0, lost: 0 })
    const found = await readAll(openReader({ directory }), { run, what: 'events' })
    expect(found).toHaveLength(all.length)
    const wrong = all.findIndex((entry, i) => !isDeepStrictEqual(found[i], entry))
    expect([found[wrong], wrong]).toEqual([all[wrong], -1])
  })
})
