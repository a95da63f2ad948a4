/** A price from before a hole in the trades is not the price of a time within it or after. */
import type { Change, Gap, GapFilled, Trade } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { change } from '../../src/services/change.ts'

const MINUTE = 60_000
const T0 = 1_795_132_800_000
const stamp = (time: number) => ({ provider: 'one', instrument: 'BTC-USDT', time, received: time })
const trade = (time: number, price: number): Trade => ({ type: 'trade', ...stamp(time), price, size: 1, side: 'buy' })
const gap = (from: number, to: number, more: Partial<Gap> = {}): Gap => ({
  type: 'gap', id: 'g', ...stamp(to), kind: 'trade', from, to, cause: 'disconnect', action: 'open', ...more
}) // prettier-ignore
const filled = (from: number, to: number): GapFilled => ({
  type: 'gap_filled', ...stamp(to), kind: 'trade', gap: 'g', from, to, how: 'rest', by: 'one', items: 1
}) // prettier-ignore

/** A trade a second over an hour but for a hole from the 40th to the 50th minute, after which it trades 10 % higher. */
function folded(more: readonly (Gap | GapFilled | Trade)[], until = 60) {
  const state = change.open()
  let told: Change | undefined
  for (let at = 0; at < until * MINUTE; at += 1_000) {
    const minute = at / MINUTE
    if (minute >= 40 && minute < 50) continue
    change.fold(state, trade(T0 + at, minute < 40 ? 100 : 110))
  }
  for (const event of more) change.fold(state, event)
  const outputs = change.fold(state, { type: 'watermark', instrument: 'BTC-USDT', time: T0 + until * MINUTE })
  for (const { event } of outputs) told = event as Change
  return told!.windows
}
const from = T0 + 40 * MINUTE - 1_000
const to = T0 + 50 * MINUTE

test('a window that begins in an open gap is absent; those that begin before or after it are told', () => {
  const windows = folded([gap(from, to)])
  expect(windows).toEqual({ '1m': 0, '5m': 0, '1h': 10 })
  expect(folded([gap(from, to)], 56)).toEqual({ '1m': 0, '5m': 0 })
  expect(folded([gap(from, to)], 54)).toEqual({ '1m': 0, '15m': 10 })
  // Without a gap nothing was traded, so the price stood.
  expect(folded([])['15m']).toBe(10)
})

test('it is told again when the gap is filled', () => {
  const windows = folded([gap(from, to), trade(T0 + 45 * MINUTE - 500, 105), filled(from, to)])
  expect(windows['15m']).toBe(Math.round((110 / 105 - 1) * 1e6) / 1e4)
})

test('while a gap lasts nothing is compared with the last price before it', () => {
  expect(folded([gap(from, from + 2_000, { lasting: true })], 45)).toEqual({})
})

test('a gap of another kind, of a provider alone, or shorter than the window tells apart changes nothing', () => {
  const all = folded([])
  expect(all['15m']).toBe(10)
  expect(folded([gap(from, to, { kind: 'book' })])).toEqual(all)
  expect(folded([gap(from, to, { own: true })])).toEqual(all)
  expect(folded([gap(T0 + 44 * MINUTE, T0 + 44 * MINUTE + 5_000)])).toEqual(all)
})
