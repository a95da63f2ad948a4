/** Bars of a second, which the plant does not keep: folded from the trades of one connection, told when their second is over. */
import type { Published, Trade } from '@tickwire/protocol'
import type { Bar } from './massive.frames.ts'

type Second = Bar & { vw: number; turnover: number; due: number; told: boolean }
export type Seconds = Map<string, { current: Second; over: Bar[] }>

const SECOND = 1_000
const open = (e: Published<Trade>, start: number): Second => ({
  open: e.price,
  high: e.price,
  low: e.price,
  close: e.price,
  volume: 0,
  trades: 0,
  vw: e.price,
  turnover: 0,
  start,
  end: start + SECOND,
  // What is left of the second, on our clock: the provider's may be ahead, or a quarter of an hour behind.
  due: e.published + start + SECOND - e.time,
  told: false
})

/** A trade later than the second's end is not told twice: Massive corrects its bars without a word. */
export function fold(seconds: Seconds, e: Published<Trade>): void {
  if (e.ineligible) return
  const start = Math.floor(e.time / SECOND) * SECOND
  const known = seconds.get(e.instrument) ?? { current: open(e, start), over: [] }
  seconds.set(e.instrument, known)
  if (start < known.current.start || (start === known.current.start && known.current.told)) return
  if (start > known.current.start) {
    if (!known.current.told) known.over.push(known.current)
    known.current = open(e, start)
  }
  const bar = known.current
  bar.high = Math.max(bar.high, e.price)
  bar.low = Math.min(bar.low, e.price)
  bar.close = e.price
  bar.volume = Number((bar.volume + e.size).toFixed(8))
  bar.trades = (bar.trades ?? 0) + 1
  bar.turnover += e.price * e.size
  if (bar.volume > 0) bar.vw = bar.turnover / bar.volume
}

/** The bars that are over by now, oldest first; each once. */
export function over(seconds: Seconds, now: number): { instrument: string; bar: Bar }[] {
  const out: { instrument: string; bar: Bar }[] = []
  for (const [instrument, known] of seconds) {
    for (const bar of known.over.splice(0)) out.push({ instrument, bar })
    const { current } = known
    if (current.told || now < current.due) continue
    current.told = true
    out.push({ instrument, bar: current })
  }
  return out
}
