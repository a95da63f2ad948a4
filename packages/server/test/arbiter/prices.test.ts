/** What the others say of a price: the living alone, weighted as everywhere, and never with the one that is judged. */
import { describe, expect, test } from 'vitest'
import { admit } from '../../src/arbiter/arbiter.ts'
import { calibrationsOf } from '../../src/arbiter/forecasts.ts'
import { consensusOfOthers, medianOfOthers } from '../../src/arbiter/prices.ts'
import { note, openView, openVoice, type Voice } from '../../src/arbiter/voice.ts'
import { openMarket, START } from './market.ts'

const NOW = 100_000
/** Each says its price a moment ago. */
function viewOf(prices: Readonly<Record<string, number>>, change: Readonly<Record<string, Partial<Voice>>> = {}) {
  const view = openView()
  for (const [provider, price] of Object.entries(prices)) {
    const voice = openVoice(provider)
    note(voice, price, NOW - 100)
    view.voices.set(provider, Object.assign(voice, change[provider]))
  }
  return view
}
const dead = { mute: { at: NOW - 50, why: 'it is dead' } }

describe('the consensus of the others', () => {
  test('is weighted: of two the one that was right more often counts more, where a plain median would be all between them', () => {
    const view = viewOf({ a: 100, b: 100, c: 100.08 }, { b: { held: 1_000, looked: 1_000 }, c: { held: 0, looked: 1_000 } })
    const [low, high] = consensusOfOthers(view, 'a', NOW)!
    expect(low).toBe(high)
    expect(low).toBeGreaterThan(100)
    expect(low).toBeLessThan(100.04)
    expect(medianOfOthers(view.voices, 'a', NOW)).toEqual([100, 100.08])
  })

  test('refuses who is far from the rest', () => {
    expect(consensusOfOthers(viewOf({ a: 100, b: 100, c: 100.02, d: 103 }), 'a', NOW)![1]).toBeLessThan(100.03)
  })

  test('leaves out the dead and those that went down, and is none where nobody else is alive', () => {
    const view = viewOf({ a: 101, b: 100, c: 100, d: 101 }, { b: dead, c: { downAt: NOW - 50 } })
    expect(consensusOfOthers(view, 'a', NOW)![0]).toBeCloseTo(101, 9)
    expect(medianOfOthers(view.voices, 'a', NOW)).toEqual([101, 101])
    expect(consensusOfOthers(view, 'd', NOW)![1]).toBeCloseTo(101, 9)
    const alone = viewOf({ a: 101, b: 100 }, { b: dead })
    expect([consensusOfOthers(alone, 'a', NOW), medianOfOthers(alone.voices, 'a', NOW)]).toEqual([undefined, undefined])
  })

  test('allows for what is lasting between two others, and not for what is between them and this one', () => {
    const lasting = (distance: number) => ({ distance, unrest: 0, learntFor: 60_000 })
    const two = viewOf({ a: 100, b: 101 }, { a: lasting(-0.005), b: lasting(0.005) })
    expect(consensusOfOthers(two, 'a', NOW)![0]).toBeCloseTo(101, 9)
    const four = viewOf({ a: 100, b: 100, c: 100, d: 101 }, { d: lasting(Math.log(1.01)) })
    expect(consensusOfOthers(four, 'a', NOW)![1]).toBeCloseTo(100, 9)
  })

  test('where no majority agrees, blames nobody who is between the outermost', () => {
    const [low, high] = consensusOfOthers(viewOf({ a: 102, b: 100, c: 105 }), 'a', NOW)!
    expect([low, high]).toEqual([expect.closeTo(100, 9), expect.closeTo(105, 9)])
  })
})

test('a forecast is not held against those that have died: while nobody else is alive none is resolved', () => {
  const providers = ['a', 'b', 'c']
  const state = openMarket(providers, ['X'])
  const counted = () => calibrationsOf(state.forecasts).find(({ provider }) => provider === 'a')!.count
  const run = (from: number, to: number, who: readonly string[], price: (at: number) => number) => {
    for (let at = from; at < to; at += 100) {
      const now = START + at
      admit(state, { type: 'tick', now })
      for (const provider of who)
        admit(state, { type: 'event', event: { type: 'trade', provider, instrument: 'X', time: now, received: now + 1, price: price(at), size: 1, side: 'buy', id: `${provider}${at}` } }) // prettier-ignore
    }
  }
  run(0, 20_000, providers, () => 100)
  expect(counted()).toBeGreaterThan(20)
  // The others die, and the market rises by 0.5 % a second.
  const rising = (at: number) => 100 * (1 + (at - 20_000) / 200_000)
  run(20_000, 24_000, ['a'], rising)
  const before = counted()
  run(24_000, 40_000, ['a'], rising)
  expect(counted()).toBe(before)
})
