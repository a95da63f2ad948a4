/** The arbitrated stream counts the market once, whoever leads when a past comes, and candles claim nothing over its open gaps. */
import type { Candle, Trade } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { gapsOf } from '../../src/feed/gap.ts'
import { createCandles } from '../../src/services/candles.ts'
import { openDesk, X } from './losses.ts'

const MINUTE = 60_000
const T = 20 * MINUTE

/** Three providers; those who are up trade every 200 ms, and all that they trade can be asked for. */
function openFloor() {
  const names = ['a', 'b', 'c']
  const desk = openDesk(names)
  let now = T
  const trade = (provider: string, time: number, past: boolean) => {
    const event = { type: 'trade' as const, symbol: 'X', id: `${provider}${time}`, price: 1, size: 1, side: 'buy' as const, time }
    desk.take(provider, { type: 'event', event: past ? { ...event, backfill: true } : event }, now)
  }
  for (const name of names) desk.subscribe(name, now)
  const past = (provider: string, from: number, to: number) => {
    for (let time = from; time < to; time += 200) trade(provider, time, true)
  }
  return {
    desk,
    past,
    now: () => now,
    until(end: number, ...up: string[]) {
      for (; now < end; now += 100) {
        desk.give({ type: 'tick', now })
        // The leader is the last to tell a time, so that nothing overlaps where another takes over.
        if (now % 200 === 0) for (const name of up.toReversed()) trade(name, now, false)
      }
    },
    close: (...all: string[]) => all.forEach((provider) => desk.closed(provider, now)),
    /** REST has what was between. */
    answer(provider: string, from: number, to: number) {
      past(provider, from + 200, to)
      desk.take(provider, { type: 'filled', how: 'rest', span: { symbol: 'X', from, to } }, now)
    }
  }
}
type Floor = ReturnType<typeof openFloor>

/** Times of the arbitrated trades, which are all different where nothing is counted twice: all three trade at the same times. */
const times = ({ desk }: Floor) => desk.trades().map(({ time }: Trade) => time)
const arbitrated = ({ desk }: Floor) => gapsOf(desk.gaps, X).filter(({ own }) => !own)

function minutes({ desk }: Floor, now: number): Candle[] {
  const candles = createCandles()
  const state = candles.open()
  for (const { topic, event } of desk.told) if (topic === `trade:${X}` || topic === `gap:${X}`) candles.fold(state, event)
  const told = candles.fold(state, { type: 'watermark', instrument: X, time: now })
  return told.flatMap(({ topic, event }) =>
    topic === `candle:${X}:1m` && event.type === 'candle' && event.closed ? [event] : []
  )
}

function expectOnce(floor: Floor, switches: number, from: number, to: number): void {
  const all = times(floor).filter((time) => time >= from && time < to)
  // At a failover one trade that was on its way may overlap.
  expect(all.length - new Set(all).size).toBeLessThanOrEqual(switches)
  expect(new Set(all).size).toBe((to - from) / 200)
}

test('[U13] the past of who leads again does not go on top of what another told as it happened', () => {
  const floor = openFloor()
  floor.until(T + 20_000, 'a', 'b', 'c')
  floor.close('a')
  floor.until(T + 25_000, 'b', 'c')
  floor.until(T + 27_000, 'a', 'b', 'c')
  floor.close('b', 'c')
  floor.until(T + 28_000, 'a')
  floor.answer('a', T + 19_800, T + 25_000)
  floor.until(T + 40_000, 'a', 'b', 'c')
  expectOnce(floor, 2, T + 1_000, T + 40_000)
  expect(floor.desk.trades('a').filter(({ backfill }) => backfill).length).toBeGreaterThan(20)
})

test('[U13] nor after a failback, when REST answers late: the candle has the volume of one provider', () => {
  const floor = openFloor()
  floor.until(T + 20_000, 'a', 'b', 'c')
  floor.close('a')
  floor.until(T + 32_000, 'b', 'c')
  floor.until(T + 90_000, 'a', 'b', 'c')
  floor.answer('a', T + 19_800, T + 32_000)
  floor.until(T + 2 * MINUTE, 'a', 'b', 'c')
  expectOnce(floor, 2, T + 1_000, T + 90_000)
  const [minute] = minutes(floor, T + MINUTE)
  expect(minute!.coverage).toBe(1)
  expect(minute!.volume).toBeLessThanOrEqual(305)
})

test('[U13] while everybody is lost no candle is whole; two pasts of it fill it once, each its part, and then it is', () => {
  const floor = openFloor()
  floor.until(T + 20_000, 'a', 'b', 'c')
  floor.close('a')
  floor.until(T + 20_200, 'b', 'c')
  floor.close('b')
  floor.until(T + 20_400, 'c')
  floor.close('c')
  floor.until(T + 50_000)
  expect(arbitrated(floor).at(-1)).toMatchObject({ state: 'open', lasting: true })
  // The first that is back tells the last 10 s at once, and goes on.
  floor.past('c', T + 40_000, T + 50_000)
  floor.until(T + 55_000, 'c')
  floor.until(T + MINUTE, 'a', 'b', 'c')
  expect(minutes(floor, T + MINUTE)[0]!.coverage).toBeLessThan(0.6)
  floor.answer('a', T + 19_800, T + 55_000)
  floor.answer('b', T + 20_000, T + 55_000)
  expectOnce(floor, 3, T + 1_000, T + MINUTE)
  expect(arbitrated(floor).every(({ state }) => state === 'filled')).toBe(true)
  expect(
    arbitrated(floor)
      .at(-1)!
      .fills.map(({ by }) => by)
  ).toEqual(expect.arrayContaining(['a', 'c']))
  const [minute] = minutes(floor, T + MINUTE)
  expect(minute!.coverage).toBe(1)
  expect(minute!.volume).toBeLessThanOrEqual(305)
})
