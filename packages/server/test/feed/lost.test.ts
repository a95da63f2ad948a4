/** A book whose snapshot is lost, from the frame to the arbiter: it is asked for anew, and meanwhile counts as silent. */
import type { Status } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterInput } from '../../src/arbiter/arbiter.ts'
import type { Effect } from '../../src/connection/connection.ts'
import type { Admissible } from '../../src/arbiter/lane.ts'
import { start, step } from '../../src/connection/machine.ts'
import { stamp } from '../../src/feed/stamp.ts'
import type { Adapter, Meaning, Need } from '../../src/providers/adapter.ts'
import { providers as adapters } from '../../src/providers/index.ts'
import { venueAdapter } from './venue.ts'

const X = 'BTC-USD'
const delta = (snapshot: boolean): Meaning => ({ type: 'delta', symbol: 'X', time: 1, snapshot, bids: [[1, 1]], asks: [[2, 1]] })
const trade: Meaning = { type: 'trade', symbol: 'X', price: 1, size: 1, side: 'buy', time: 1 }

test('the published book counts, not its frames: one whose deltas flow in vain is silent, and another leads', () => {
  const arbiter = createArbiter({ order: ['a', 'b'] })
  const decisions: Status[] = []
  const give = (input: ArbiterInput) => {
    for (const output of admit(arbiter, input))
      if ('event' in output && output.event.type === 'status' && output.event.kind === 'book') decisions.push(output.event)
  }
  const wanted = [
    { kind: 'book', symbol: 'X' },
    { kind: 'trade', symbol: 'X' }
  ] as const
  const machines = ['a', 'b'].map((provider) => {
    const adapter = venueAdapter(provider)
    const state = start(adapter, wanted, 0)
    for (const kind of ['book', 'trade'] as const) give({ type: 'subscribed', now: 0, provider, instrument: X, kind })
    step(adapter, state, { type: 'tick', now: 0 }, () => 0.5)
    step(adapter, state, { type: 'opened', now: 0 }, () => 0.5)
    return (now: number, ...meanings: Meaning[]) => {
      for (const effect of step(adapter, state, { type: 'frame', now, frame: JSON.stringify(meanings) }, () => 0.5))
        if (effect.type === 'event') give({ type: 'event', event: stamp(effect.event, provider, X, now) as Admissible })
    }
  })
  const [a, b] = machines as [(typeof machines)[0], (typeof machines)[0]]
  for (let now = 0; now < 10_000; now += 100) {
    for (const say of [a, b]) say(now, delta(now === 0), trade)
    give({ type: 'tick', now })
  }
  // From here on all of a's frames come, but its snapshot after a gap does not.
  a(10_000, { type: 'gap', kind: 'book', symbol: 'X', cause: 'sequence' })
  for (let now = 10_000; now < 13_000; now += 100) {
    a(now, delta(false), trade)
    b(now, delta(false), trade)
    give({ type: 'tick', now })
  }
  expect(decisions.map(({ cause, leader }) => `${cause} ${leader}`)).toEqual(['first a', 'silence b'])
  expect(decisions[1]!.time).toBeLessThanOrEqual(12_000)
})

const snapshot = (id: number) => JSON.stringify({ lastUpdateId: id, bids: [['1', '1']], asks: [['2', '1']] })

describe('a book whose snapshot comes by REST', () => {
  const adapter = adapters['binance'] as Adapter
  const symbol = 'BTCUSDT'
  const update = (id: number) => JSON.stringify({ e: 'depthUpdate', E: id, s: symbol, U: id, u: id, b: [['1', '1']], a: [] })

  test.each<[string, (tries: number, id: number) => string | undefined]>([
    ['answers garbage twice', (tries, id) => (tries < 3 ? '{"lastUpdateId":5,"bids":[["x' : snapshot(id))],
    ['answers an error twice', (tries, id) => (tries < 3 ? '{"code":-1003,"msg":"Too many requests"}' : snapshot(id))],
    ['never answers twice', (tries, id) => (tries < 3 ? undefined : snapshot(id))]
  ])('is whole within seconds after REST %s', (_, rest) => {
    const state = start(adapter, [{ kind: 'book', symbol }], 0)
    const calls: { need: Need; now: number }[] = []
    const give = (input: Parameters<typeof step>[2]): Effect[] => {
      const effects = step(adapter, state, input, () => 0.5)
      for (const effect of effects) if (effect.type === 'need') calls.push({ need: effect.need, now: input.now })
      return effects
    }
    give({ type: 'tick', now: 0 })
    give({ type: 'opened', now: 0 })
    const wholeAt: number[] = []
    for (let now = 100, answered = 0; now < 20_000; now += 100) {
      const effects = [...give({ type: 'tick', now }), ...give({ type: 'frame', now, frame: update(now / 100) })]
      const call = calls[answered]
      if (call && now - call.now >= 200) {
        const body = rest(++answered, now / 100)
        const { need } = call
        effects.push(
          ...give(body === undefined ? { type: 'failed', now, need, reason: 'late' } : { type: 'answer', now, need, body })
        )
      }
      if (effects.some((e) => e.type === 'event')) wholeAt.push(now)
    }
    expect(calls).toHaveLength(3)
    expect(wholeAt[0]).toBeLessThanOrEqual(5_000)
  })
})
