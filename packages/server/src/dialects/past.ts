/** The past as dialects' REST answers it, from what the plant keeps. */
import { topicName, type Candle, type Interval, type Published, type Trade } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'

/** The ring of a topic is no longer than this. */
const ALL = 1_000

/** The last `limit` candles, oldest first: of each the newest form. */
export function candlesOf(desk: Desk, instrument: string, interval: Interval, limit: number): Published<Candle>[] {
  const byStart = new Map<number, Published<Candle>>()
  for (const event of desk.recent(topicName('candle', instrument, undefined, interval), ALL))
    if (event.type === 'candle') byStart.set(event.start, event)
  return [...byStart.values()].sort((a, b) => a.start - b.start).slice(-limit)
}

/** The last `limit` trades, oldest first. */
export const tradesOf = (desk: Desk, instrument: string, limit: number): Published<Trade>[] =>
  desk.recent(topicName('trade', instrument), limit).filter((event): event is Published<Trade> => event.type === 'trade')

/** A whole number from a query between 1 and `most`; `usual` when it is absent or none. */
export function limitOf(value: string | readonly string[] | undefined, usual: number, most: number): number {
  const limit = Number(value ?? usual)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, most) : usual
}

/** A whole number from a query; `usual` when it is absent or empty, nothing when it is none or out of bounds. */
export function wholeOf(
  value: string | readonly string[] | undefined,
  usual: number,
  { least, most }: { least: number; most: number }
): number | undefined {
  const text = first(value)
  if (text === '') return usual
  const whole = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return whole >= least && whole <= most ? whole : undefined
}

/** The first value of a query parameter. */
export const first = (value: string | readonly string[] | undefined): string =>
  typeof value === 'string' ? value : (value?.[0] ?? '')
