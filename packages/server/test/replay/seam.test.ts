/** From the recording to what is live: the seam comes first, then each event once and in order, and a gap where some are not known. */
import { describe, expect, test } from 'vitest'
import type { Published, Topic, Trade } from '@tickwire/protocol'
import { keepFor } from '../../src/plant/keep.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { missedOf, openSeam } from '../../src/replay/seam.ts'
import { journalOf, play, tradesEvery, wiringOf } from './kit.ts'

const START = 1_769_000_000_000
const TOPIC = 'trade:BTC-USDT'
const topic: Topic = { kind: 'trade', instrument: 'BTC-USDT' }

const tradeAt = (time: number): Trade => ({
  type: 'trade',
  provider: 'one',
  instrument: 'BTC-USDT',
  time,
  received: time,
  price: 1,
  size: 1,
  side: 'buy'
})

/** A live plant that has published as many trades as the recording and `more` since. */
function living(recorded: number, more: number, keep = 1_000) {
  const plant = createPlant({ epoch: 'live', keep: keepFor(keep) })
  const held: string[] = []
  const publish = (i: number) => plant.publish(TOPIC, tradeAt(START + i * 20), START + i * 20)
  for (let i = 0; i < recorded + more; i++) publish(i)
  const demand = (asked: Topic) => {
    held.push(`${asked.kind}:${asked.instrument}`)
    return { upstream: 'live' as const, release: () => void held.splice(0, 1) }
  }
  return { plant, demand, held, publish }
}

/** Plays to the end and beyond it, with somebody who holds the trades; what he was told. */
async function across(live: ReturnType<typeof living>, reader = journalOf(tradesEvery(10, 100))) {
  const told: Published[] = []
  const wiring = wiringOf(reader)
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol, and no function
  const { replay, until } = play(wiring, { then: 'live', speed: 0, paused: true }, { live })
  await until(() => replay.state().phase === 'paused')
  for (const name of [TOPIC, 'gap:BTC-USDT', 'replay:all'])
    replay.shown().plant.subscribe(name, (event) => void told.push(structuredClone(event)))
  const { release } = replay.demand(topic)
  replay.change({ paused: false })
  await until(() => replay.state().phase === 'live')
  return { replay, told, release }
}

describe('[S2-39] beyond the seam', () => {
  test('what was published meanwhile follows once and in order, unmarked, then what is published now', async () => {
    // Of this topic the recording has 50: the last at START + 980, as the live plant stamped it.
    const live = living(50, 30)
    const { replay, told } = await across(live)
    live.publish(80)
    const trades = told.filter(({ topic: name }) => name === TOPIC)
    expect(trades.map(({ published }) => (published - START) / 20)).toEqual(Array.from({ length: 81 }, (_, i) => i))
    expect(trades.map(({ seq }) => seq)).toEqual(Array.from({ length: 81 }, (_, i) => i + 1))
    expect(trades.map((event) => event.replay)).toEqual([
      ...Array<string>(50).fill('r1'),
      ...Array<undefined>(31).fill(undefined)
    ])
    const seam = told.findIndex((event) => event.type === 'replay' && event.phase === 'live')
    expect(told.findIndex((event) => event.topic === TOPIC && event.replay === undefined)).toBeGreaterThan(seam)
    expect(seam).toBeGreaterThan(0)
    expect(told[seam]).toMatchObject({ seam: replay.state().seam })
    expect(told.filter(({ type }) => type === 'gap')).toEqual([])
    replay.stop()
  })

  test('what is not remembered is told as a gap, before what is', async () => {
    const live = living(50, 30, 10)
    const { replay, told } = await across(live)
    const after = told.filter((event) => event.topic !== 'replay:all' && event.replay === undefined)
    expect(after[0]).toMatchObject({ type: 'gap', kind: 'trade', from: START + 991, to: START + 70 * 20 })
    expect(after.slice(1).map(({ published }) => (published - START) / 20)).toEqual([70, 71, 72, 73, 74, 75, 76, 77, 78, 79])
    replay.stop()
  })

  test('a run of another day has a gap to now', async () => {
    const live = living(0, 0)
    const { replay, told } = await across(live)
    const { seam } = replay.state()
    expect(told.filter(({ type }) => type === 'gap')).toMatchObject([{ from: START + 991, to: seam }])
    replay.stop()
  })

  test('what is held is asked of the providers, and let go with the last who held it', async () => {
    const live = living(50, 0)
    const { replay, release } = await across(live)
    expect(live.held).toEqual(['trade:BTC-USDT'])
    const more = replay.demand(topic)
    release()
    expect(live.held).toEqual(['trade:BTC-USDT'])
    more.release()
    expect(live.held).toEqual([])
    replay.stop()
  })

  test('what is answered at once to being asked for is told, too', async () => {
    const live = living(50, 0)
    const demand: typeof live.demand = (asked) => {
      live.publish(50)
      return live.demand(asked)
    }
    const { replay, told } = await across({ ...live, demand })
    const trades = told.filter(({ topic: name }) => name === TOPIC)
    expect(trades.map(({ published }) => (published - START) / 20)).toEqual(Array.from({ length: 51 }, (_, i) => i))
    replay.stop()
  })

  test('a topic that is held later begins with its last value', async () => {
    const live = living(50, 5)
    const { replay } = await across(live)
    live.plant.publish('trade:ETH-USDT', { ...tradeAt(START + 5_000), instrument: 'ETH-USDT' }, START + 5_000)
    replay.demand({ kind: 'trade', instrument: 'ETH-USDT' })
    const last = replay.shown().plant.last('trade:ETH-USDT')
    expect(last).toMatchObject({ published: START + 5_000 })
    expect(last?.replay).toBeUndefined()
    replay.stop()
  })

  test('a seek from there goes back into the recording', async () => {
    const live = living(50, 5)
    const { replay } = await across(live)
    replay.change({ seek: START + 500, paused: true })
    await expect.poll(() => replay.state().phase).toBe('paused')
    expect(replay.state().seam).toBeUndefined()
    live.publish(60)
    expect(replay.shown().plant.last(TOPIC)).toMatchObject({ replay: 'r1' })
    replay.stop()
  })

  test('[S15] the live plant is read and nothing else: it stands as it stood', async () => {
    const live = living(50, 5)
    const before = live.plant.position(TOPIC)
    const { replay } = await across(live)
    expect(live.plant.position(TOPIC)).toEqual(before)
    expect(live.plant.recent(TOPIC, 1_000).every((event) => event.replay === undefined)).toBe(true)
    replay.stop()
  })
})

test('the last recorded event is known by its sequence and its time together: another run may have counted as far', () => {
  const kept = [1, 2, 3].map((seq) => ({ ...tradeAt(seq), topic: TOPIC, seq, published: 100 + seq }) satisfies Published)
  expect(missedOf(kept, { seq: 2, published: 102 }, 0)).toEqual({ events: [kept[2]], whole: true })
  expect(missedOf(kept, { seq: 2, published: 50 }, 60)).toEqual({ events: kept, whole: false })
  expect(missedOf(kept, undefined, 101)).toEqual({ events: kept.slice(1), whole: true })
  expect(missedOf([], undefined, 101)).toEqual({ events: [], whole: false })
})

test('state has no gap: only the newest of it counts', () => {
  const live = createPlant({ epoch: 'live', keep: keepFor(100) })
  const own = createPlant({ epoch: 'own', keep: keepFor(100) })
  const quote = {
    type: 'quote',
    provider: 'one',
    instrument: 'BTC-USDT',
    time: 1,
    received: 1,
    bid: 1,
    bidSize: 1,
    ask: 2,
    askSize: 1
  } as const
  for (const at of [200, 300]) live.publish('quote:BTC-USDT', { ...quote }, at)
  const seam = openSeam({
    live: { plant: live, demand: () => ({ release: () => {} }) },
    plant: own,
    end: 100,
    seam: 400,
    heard: () => undefined
  })
  seam.begin([{ kind: 'quote', instrument: 'BTC-USDT' }])
  expect(own.position('quote:BTC-USDT').seq).toBe(1)
  expect(own.last('quote:BTC-USDT')?.published).toBe(300)
  expect(own.position('gap:BTC-USDT').seq).toBe(0)
})
