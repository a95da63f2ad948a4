/** A break after which nothing is traded: REST has what was missed, and the gap ends there although no trade ends it. */
import type { Candle } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { createCandles } from '../../src/services/candles.ts'
import { openDesk, X } from './losses.ts'

const MINUTE = 60_000
const T = 20 * MINUTE

test('[U13] it is told anew with its end, then filled up to there, and candles after it are whole again', () => {
  const desk = openDesk(['a'])
  const trade = (time: number, now: number, backfill?: true) =>
    desk.take('a', { type: 'event', event: { type: 'trade', symbol: 'X', id: `${time}`, price: 1, size: 1, side: 'buy', time, ...(backfill && { backfill }) } }, now) // prettier-ignore
  desk.subscribe('a', T)
  trade(T, T)
  desk.closed('a', T + 1_000)
  desk.subscribe('a', T + 4_000)
  trade(T + 2_000, T + 5_000, true)
  desk.take('a', { type: 'filled', how: 'rest', span: { symbol: 'X', from: T, to: T + 5_000 } }, T + 5_000)
  const notices = desk.notices()
  expect(notices.filter(({ own }) => !own)).toMatchObject([
    { type: 'gap', from: T, lasting: true },
    { type: 'gap', from: T, to: T + 5_000 },
    { type: 'gap_filled', from: T, to: T + 5_000, items: 1 }
  ])
  expect(notices.filter(({ own }) => !own)[1]).not.toHaveProperty('lasting')
  const candles = createCandles()
  const state = candles.open()
  const heard = [...desk.trades(), ...notices].toSorted((x, y) => x.received - y.received)
  for (const event of heard) candles.fold(state, event)
  const told = candles.fold(state, { type: 'watermark', instrument: X, time: T + 2 * MINUTE })
  const minutes = told.flatMap(({ topic, event }) => (topic === `candle:${X}:1m` ? [event as Candle] : []))
  expect(minutes.map(({ coverage, trades }) => [coverage, trades])).toEqual([[1, 2], [1, 0], [1, 0]]) // prettier-ignore
})
