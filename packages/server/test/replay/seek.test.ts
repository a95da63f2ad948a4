/** A seek goes on from the nearest place that is known, and what is told from there on is what is told without it. */
import { array, assert, asyncProperty, integer, oneof } from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { MarketEvent, Published, ReplayChange } from '@tickwire/protocol'
import type { Entry, JournalReader } from '../../src/journal/journal.ts'
import { providers as adapters } from '../../src/providers/index.ts'
import { openShelf, type Place } from '../../src/replay/shelf.ts'
import type { Source } from '../../src/sources.ts'
import { journalOf, play, wiringOf } from './kit.ts'

// The same is played many times.
vi.setConfig({ testTimeout: 120_000 })

const START = 1_769_000_000_000
const STEP = 400
const COUNT = 400
const END = START + (COUNT - 1) * STEP

/** Some minutes of all that services read: trades, some late, some corrected, books, quotes, gaps that are filled, news. */
function eventAt(i: number, time: number): MarketEvent {
  const instrument = ['BTC-USDT', 'AAPL', 'ETH-USDT'][i % 3]!
  const base = { provider: 'one', instrument, time: time - 5, received: time }
  const price = 100 + ((i * 37) % 11) / 10
  const gap = { kind: 'trade', from: time - 9_000, to: time - 4_000 } as const
  if (i % 50 === 40) return { ...base, type: 'gap', id: `g${i}`, ...gap, cause: 'sequence', action: 'open' }
  if (i % 50 === 46)
    return {
      ...base,
      type: 'gap_filled',
      gap: `g${i - 6}`,
      ...gap,
      from: gap.from - 6 * STEP,
      to: gap.to - 6 * STEP,
      how: 'rest',
      by: 'one',
      items: 3
    }
  if (i % 31 === 30)
    return {
      ...base,
      type: 'correction',
      id: String(i - 27),
      action: i % 2 === 0 ? 'cancel' : 'correct',
      corrected: { price: price + 1, size: 2 }
    }
  if (i % 23 === 22)
    return {
      ...base,
      instrument: 'all',
      type: 'news',
      id: `n${i % 5}`,
      headline: `Story ${i % 7}`,
      instruments: ['AAPL']
    }
  if (i % 5 === 3) {
    const side = (from: number, by: number) =>
      Array.from({ length: 5 }, (_, k): [number, number] => [from + by * k, 1 + ((i + k) % 4)])
    return { ...base, type: 'book', bids: side(price - 0.1, -0.1), asks: side(price + 0.1, 0.1) }
  }
  if (i % 7 === 2) return { ...base, type: 'ticker', last: price, open: 99, prevClose: 98 }
  const late = i % 17 === 16 ? 70_000 : 0
  return {
    ...base,
    time: base.time - late,
    type: 'trade',
    id: String(i),
    price,
    size: 1 + (i % 3) / 10,
    side: 'buy'
  }
}
const topicOf = ({ type, instrument }: MarketEvent): string =>
  type === 'news' ? 'news:all@one' : `${type === 'gap_filled' ? 'gap' : type}:${instrument}`
const entries = Array.from({ length: COUNT }, (_, i): Entry => {
  const time = START + i * STEP
  const event = eventAt(i, time)
  return { type: 'event', time, event: { ...event, topic: topicOf(event), seq: i, published: time } as Published }
})

/** Counts what is read of it. */
function counted(of: readonly Entry[] = entries) {
  const reader = journalOf(of)
  const read = { entries: 0 }
  const journal: JournalReader = {
    ...reader,
    async *read(query) {
      for await (const batch of reader.read(query)) {
        read.entries += batch.length
        yield batch
      }
    }
  }
  return { journal, read }
}

/** Whose news is read. */
const SOURCES = [{ adapter: { ...adapters.kraken!, provider: 'one' }, wsUrl: '', restUrl: '' }] as unknown as readonly Source[]

const KEEPING = { spacing: 40, values: Infinity, room: 500_000, most: 16 }
function playing(keeping = KEEPING) {
  const { journal, read } = counted()
  // Each look at the time ends a turn, so that what is done in turns does not hang on how busy the machine is.
  let time = 0
  const { replay, until } = play(wiringOf(journal, SOURCES), { paused: true, speed: 0 }, { keeping, elapsed: () => (time += 5) })
  const stands = () => until(() => replay.state().phase === 'paused')
  const change = async (order: ReplayChange) => {
    replay.change(order)
    await stands()
  }
  const toTheEnd = async () => {
    replay.change({ paused: false })
    await until(() => replay.state().phase === 'ended')
    const { entries: played, events } = replay.state()
    const { plant } = replay.shown()
    const last = [...plant.topics()].filter((topic) => topic !== 'replay:all').map((topic) => [topic, plant.recent(topic, 1_000)])
    return { digest: replay.digest(), played, events, last }
  }
  return { replay, read, stands, change, toTheEnd }
}

async function whole() {
  const { replay, stands, toTheEnd } = playing({ ...KEEPING, spacing: Infinity })
  await stands()
  const told = await toTheEnd()
  replay.stop()
  return told
}

describe('[S2-39] [S4-29] after a seek', () => {
  test('all that is told to the end is what is told without it: the same bytes, wherever it was sent before', async () => {
    const expected = await whole()
    expect(expected.last.map(([topic]) => topic)).toEqual(
      expect.arrayContaining(['candle:AAPL:1m', 'change:BTC-USDT', 'liquidity:ETH-USDT', 'news:AAPL', 'breadth:all'])
    )
    const place = integer({ min: START, max: END })
    const order = oneof(
      place.map((seek): ReplayChange => ({ seek })),
      integer({ min: -60, max: 60 }).map((step): ReplayChange => ({ step })),
      place.map((seek): ReplayChange => ({ seek, step: 7 }))
    )
    await assert(
      asyncProperty(array(order, { minLength: 1, maxLength: 5 }), async (orders) => {
        const { replay, stands, change, toTheEnd } = playing()
        await stands()
        for (const each of orders) await change(each)
        expect(await toTheEnd()).toEqual(expected)
        replay.stop()
      }),
      { numRuns: 6 }
    )
  })

  test('only what lies between the nearest known place and the goal is played', async () => {
    const { replay, read, stands, change } = playing()
    await stands()
    await change({ seek: END })
    for (const share of [0.5, 0.95, 0.2, 0.7]) {
      read.entries = 0
      await change({ seek: START + Math.floor(share * COUNT) * STEP })
      expect(replay.state()).toMatchObject({ at: START + Math.floor(share * COUNT) * STEP - 0.001, entries: share * COUNT })
      // Places are 80 entries apart at most, and a batch is read ahead.
      expect(read.entries).toBeLessThan(120)
    }
    replay.stop()
  })

  test('forwards it goes on from where it is, though no place was kept', async () => {
    const { replay, read, stands, change } = playing({ ...KEEPING, spacing: Infinity })
    await stands()
    await change({ seek: START + 200 * STEP })
    read.entries = 0
    await change({ seek: START + 250 * STEP })
    expect(read.entries).toBeLessThan(80)
    replay.stop()
  })

  test('a step back from there knows the places before it', async () => {
    const { replay, stands, change } = playing()
    await stands()
    await change({ seek: END })
    await change({ seek: START + 250 * STEP })
    const { events } = replay.state()
    await change({ step: -100 })
    expect(replay.state().events).toBeGreaterThan(events - 160)
    expect(replay.state().events).toBeLessThanOrEqual(events - 100)
    replay.stop()
  })
})

describe('places that are kept', () => {
  const at = (moves: number, size = 10): Place => {
    const bookmark = { newest: 0, ofNewest: 0, played: moves }
    const world = { opened: 0 }
    return {
      at: START + moves,
      moves,
      events: moves,
      bookmark,
      plant: new Map(),
      world,
      heard: new Map(),
      hash: undefined,
      marks: [],
      size
    }
  }
  const fill = (shelf: ReturnType<typeof openShelf>, most: number, size?: number) => {
    for (let moves = 0; moves <= most; moves++) if (shelf.wants(moves)) shelf.put(at(moves, size))
  }

  test('are as many as there is room for, evenly apart, however long it plays', () => {
    for (const keeping of [
      { spacing: 10, most: 16 },
      { spacing: 10, room: 160 }
    ]) {
      const shelf = openShelf(keeping)
      fill(shelf, 10_000)
      expect(shelf.count()).toBeGreaterThanOrEqual(7)
      expect(shelf.count()).toBeLessThanOrEqual(16)
      for (let goal = 2_000; goal <= 10_000; goal += 500)
        expect(goal - (shelf.before({ moves: goal })?.moves ?? 0)).toBeLessThanOrEqual(1_500)
    }
  })

  test('come less often where each is large, for copying takes time', () => {
    const shelf = openShelf({ spacing: 10, most: 1_000 })
    fill(shelf, 10_000, 10_000)
    expect(shelf.count()).toBeLessThanOrEqual(10)
  })

  test('lead to what is after them, never to what they have played', () => {
    const shelf = openShelf({ spacing: 10 })
    fill(shelf, 100)
    expect(shelf.before({ moves: 50 })?.moves).toBe(40)
    expect(shelf.before({ time: START + 50 })?.moves).toBe(40)
    expect(shelf.before({ moves: 5 })).toBeUndefined()
  })
})
