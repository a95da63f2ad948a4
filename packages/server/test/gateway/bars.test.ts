/** Closed candles under every contract: each bar is told, and of its revisions the newest at least; also to who was behind or away. */
import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { Candle, Contract, Published } from '@tickwire/protocol'
import { arrearsOf, type Promised } from '../../src/gateway/arrears.ts'
import { contractFor } from '../../src/gateway/contracts.ts'
import { createLane, keep } from '../../src/gateway/lane.ts'
import { isLost } from '../../src/gateway/outbox.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { connect, startRig, type Rig } from './rig.ts'

const TOPIC = 'candle:BTC-USDT:1m'
const BAR = 60_000

const candleOf = (bar: number, closed: boolean, revision = 0): Candle => ({
  type: 'candle',
  provider: 'one',
  instrument: 'BTC-USDT',
  interval: '1m',
  time: bar * BAR,
  received: Date.now(),
  start: bar * BAR,
  open: 1,
  high: 1,
  low: 1,
  close: 1,
  volume: 1,
  closed,
  revision
})

/** What a market does to one topic: bars form and close in turn, and old ones are revised. */
const step = fc.oneof(
  fc.constant('form' as const),
  fc.constant('close' as const),
  fc.record({ revise: fc.nat(5) }),
  fc.constant('flush' as const)
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function createMarket() {
  let bar = 0
  const revisions = new Map<number, number>()
  return (each: Exclude<Step, 'flush'>): Candle | undefined => {
    if (each === 'form') return candleOf(bar, false)
    if (each === 'close') {
      revisions.set(bar, 0)
      return candleOf(bar++, true)
    }
    const revised = bar - 1 - each.revise
    const before = revisions.get(revised)
    if (before === undefined) return undefined
    revisions.set(revised, before + 1)
    return candleOf(revised, true, before + 1)
  }
}

const isClosed = (event: Published): event is Published & Candle => event.type === 'candle' && event.closed
/** The revision of each bar that a reader ends up with. */
const known = (events: readonly Published[]): Map<number, number> =>
  new Map(events.filter(isClosed).map(({ start, revision }) => [start, revision]))

const CONFLATED: Contract[] = [{ delivery: 'latest' }, { delivery: 'sampled', interval: 60_000 }]

test.for(CONFLATED)(
  '[S1] under $delivery each closed bar is told, at its newest revision, and a forming one alone is replaced',
  (contract) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const market = createMarket()
        const plant = createPlant({ epoch: 'e' })
        const lane = createLane('k', TOPIC, contractFor(TOPIC, contract), undefined)
        const all: Published[] = []
        const told: Published[] = []
        const flush = () => {
          const now = lane.pending.splice(0).map(({ event }) => event)
          expect(now.filter((event) => !isClosed(event)).length, 'forming ones at one flush').toBeLessThanOrEqual(1)
          told.push(...now)
        }
        for (const each of steps) {
          const candle = each === 'flush' ? undefined : market(each)
          if (each === 'flush') flush()
          else if (candle) {
            const event = plant.publish(TOPIC, candle, 0)
            all.push(event)
            keep(lane, event, event.seq)
          }
        }
        flush()
        expect(told.map(({ seq }) => seq)).toEqual(told.map(({ seq }) => seq).toSorted((a, b) => a - b))
        expect(known(told)).toEqual(known(all))
        expect(told.at(-1)).toEqual(all.at(-1))
      })
    )
  }
)

test('[T6] who was behind under `latest` is given each closed bar that is kept; older ones are counted as lost, not passed over', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.nat(20), (steps, seen) => {
      const market = createMarket()
      const plant = createPlant({ epoch: 'e', keep: () => 30 })
      const all = steps
        .map((each) => (each === 'flush' ? undefined : market(each)))
        .flatMap((candle) => (candle ? [plant.publish(TOPIC, candle, 0)] : []))
      if (all.length <= seen) return
      const limits = { maxItems: 1_000, maxWeight: 1e9 }
      const { entries } = arrearsOf(plant, new Map([[TOPIC, seen]]), limits, (): Promised => 'newest')
      const told = entries.flatMap((entry) => (isLost(entry) ? [] : [entry.event]))
      const lost = entries.find(isLost)
      const kept = all.slice(Math.max(seen, all.length - 30))
      expect(known(told)).toEqual(known(kept))
      expect(lost?.count ?? 0).toBe(all.length - seen - kept.length)
    })
  )
})

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

test('[T5] who resumes under `latest` is given the bars that were closed meanwhile; where they are no longer kept it is not recovered', async () => {
  const own = (rig = await startRig({ keep: 20 }))
  const publish = (bar: number, closed: boolean) => own.plant.publish(TOPIC, candleOf(bar, closed), Date.now())
  for (let bar = 0; bar < 3; bar++) for (const closed of [false, true]) publish(bar, closed)
  publish(3, false)
  const come = async (seq: number) => {
    const client = await connect(own.url)
    const resume = { [TOPIC]: { epoch: 'e1', seq } }
    client.send({ op: 'subscribe', topics: [TOPIC], resume, notices: false, contract: { delivery: 'latest' } })
    const { results } = await client.message('subscribed')
    await client.until(() => client.events().at(-1)?.seq === own.plant.last(TOPIC)?.seq)
    client.ws.terminate()
    const [result] = results
    return { recovered: result?.ok && result.recovered, seqs: client.events().map(({ seq }) => seq) }
  }
  expect(await come(1)).toEqual({ recovered: true, seqs: [2, 4, 6, 7] })
  for (let n = 0; n < 30; n++) publish(3, false)
  expect(await come(1)).toEqual({ recovered: false, seqs: [37] })
})

test('[T5] a digest that is no longer kept is compared no more: of state the newest replaced all; of events nothing is recovered', async () => {
  const own = (rig = await startRig({ keep: 1 }))
  for (let n = 0; n < 9; n++) {
    own.plant.publish('quote:BTC-USDT', { ...STAMP, type: 'quote', bid: n, bidSize: 1, ask: n + 1, askSize: 1 }, Date.now())
    own.plant.publish('trade:BTC-USDT', { ...STAMP, type: 'trade', price: n, size: 1, side: 'buy' }, Date.now())
  }
  const client = await connect(own.url)
  const topics = ['quote:BTC-USDT', 'trade:BTC-USDT']
  const answer = async (seq: number, nth: number) => {
    const resume = Object.fromEntries(topics.map((topic) => [topic, { epoch: 'e1', seq, digest: 1 }]))
    client.send({ op: 'subscribe', topics, resume, notices: false })
    const { results } = await client.message('subscribed', nth)
    client.send({ op: 'unsubscribe', topics })
    return results.map((result) => result.ok && result.recovered)
  }
  expect(await answer(2, 0), 'far behind').toEqual([true, false])
  expect(await answer(8, 1), 'still kept').toEqual([false, false])
  client.ws.terminate()
})
const STAMP = { provider: 'one', instrument: 'BTC-USDT', time: 1, received: 2 }
