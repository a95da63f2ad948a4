/** A provider's own candles for the past, ours for the present: joined into one series without hole or overlap. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'
import { gridOf, type Grid, type Slot } from './sessions.ts'

/** Longer than any exchange sleeps: of the slots within it few exist. */
const SLEEP = 10 * 86_400_000

/** In its slot; what a slot says of a candle, the candle says. */
function placed(candle: Candle, { start, end, session }: Slot): Candle {
  const { end: _end, session: _session, ...rest } = candle
  const found: Candle = { ...rest, start }
  if (end !== start + INTERVAL_MS[candle.interval]) found.end = end
  if (session !== undefined) found.session = session
  return found
}

/** Nobody says how much of it is known, so it claims nothing. */
function flatAfter(candle: Candle, slot: Slot): Candle {
  const { close, coverage: _coverage, ...rest } = candle
  const prices = { open: close, high: close, low: close, close }
  return placed({ ...rest, time: slot.start, ...prices, volume: 0, trades: 0, closed: true, revision: 0 }, slot)
}

/** Is the provider's to be taken for ours? Where ours lacks something; and the first, as nobody knows when it began. */
const isPartial = ({ coverage, start }: Candle, first: number): boolean =>
  coverage === undefined ? start === first : coverage < 1

/**
 * The last `limit` candles, oldest first. Ours win where they claim to be whole; where they do not (we began to listen within
 * it, a gap is open) the provider's is taken if there is one. `live` may hold several pictures of one candle (forming, closed,
 * revised): the last counts. Where both are silent nothing was traded, and the candle is flat at the close before it.
 */
export function joinCandles(
  history: readonly Candle[],
  live: readonly Candle[],
  interval: Interval,
  limit: number,
  grid: Grid = gridOf(interval)
): Candle[] {
  const theirs = new Map<number, Candle>()
  for (const candle of history) {
    const slot = grid.adopt(candle.start)
    if (slot) theirs.set(slot.start, placed(candle, slot))
  }
  const byStart = new Map(theirs)
  const first = live.reduce((least, { start }) => Math.min(least, start), Infinity)
  for (const candle of live) byStart.set(candle.start, candle)
  for (const candle of byStart.values())
    if (isPartial(candle, first)) byStart.set(candle.start, theirs.get(candle.start) ?? candle)
  const known = [...byStart.values()].sort((a, b) => a.start - b.start)
  return limit < 1 ? [] : filled(known.slice(-limit), limit, grid).slice(-limit)
}

function filled(known: readonly Candle[], limit: number, grid: Grid): Candle[] {
  let joined: Candle[] = []
  let before: Candle | undefined
  for (const candle of known) {
    if (before) {
      const end = before.end ?? before.start + grid.length
      const from = Math.max(end, candle.start - limit * grid.length - SLEEP)
      // Of a hole longer than all that is asked, only the end matters, and nothing before it.
      if (from > end) joined = []
      for (let slot = grid.after(from); slot.start < candle.start; slot = grid.after(slot.end))
        joined.push(flatAfter(before, slot))
    }
    joined.push(candle)
    before = candle
  }
  return joined
}

const sum = (values: readonly number[]): number => Number(values.reduce((a, b) => a + b, 0).toPrecision(15))

/** A provider's finer candles, oldest first, as those of a longer interval. */
export function regroup(candles: readonly Candle[], interval: Interval, grid: Grid): Candle[] {
  const groups = new Map<number, { slot: Slot; parts: Candle[] }>()
  for (const candle of candles) {
    const slot = grid.at(candle.start)
    if (!slot) continue
    const group = groups.get(slot.start)
    if (group) group.parts.push(candle)
    else groups.set(slot.start, { slot, parts: [candle] })
  }
  // The first may have begun before what was asked.
  const whole = [...groups.values()].filter(({ slot, parts }, i) => i > 0 || parts[0]!.start === slot.start)
  return whole.map(({ slot, parts }, i) => {
    const last = parts.at(-1)!
    const finished = last.closed && (i < whole.length - 1 || last.start + INTERVAL_MS[last.interval] >= slot.end)
    return { ...grouped(parts, interval, slot), closed: finished }
  })
}

function grouped(parts: readonly Candle[], interval: Interval, slot: Slot): Candle {
  const [first, last] = [parts[0]!, parts.at(-1)!]
  const all = (pick: (candle: Candle) => number): number[] => parts.map(pick)
  const candle: Candle = {
    ...last,
    interval,
    open: first.open,
    high: Math.max(...all(({ high }) => high)),
    low: Math.min(...all(({ low }) => low)),
    volume: sum(all(({ volume }) => volume)),
    received: Math.max(...all(({ received }) => received))
  }
  if (parts.every(({ trades }) => trades !== undefined)) candle.trades = sum(all(({ trades }) => trades ?? 0))
  else delete candle.trades
  delete candle.coverage
  return placed(candle, slot)
}
