/** The bars of one chart: a past and what comes after it, and both as the Ziggy endpoints send them. Pure. */
import type { Candle, Interval } from '@tickwire/protocol'
import { seconds } from './ziggy.messages.ts'
import { study, WARM_UP, type Study } from './ziggy.indicators.ts'

export const SHOWN = 100
/** How much of the past is asked for. */
export const WANTED = SHOWN + WARM_UP

/** Oldest first, one per start. */
export type Bars = Candle[]

/** Puts a candle in its place; an older form of one that is there changes nothing. Returns whether anything changed. */
export function put(bars: Bars, candle: Candle): boolean {
  let at = bars.length
  while (at > 0 && (bars[at - 1]?.start ?? 0) > candle.start) at--
  const there = bars[at - 1]
  if (there?.start === candle.start) {
    const isOlder = candle.revision < there.revision || (there.closed && !candle.closed && candle.revision === there.revision)
    if (isOlder) return false
    bars[at - 1] = candle
  } else bars.splice(at, 0, candle)
  if (bars.length > WANTED) bars.splice(0, bars.length - WANTED)
  return true
}

type Of = { symbol: string; timeframe: Interval }

const stick = ({ symbol, timeframe }: Of, { start, open, high, low, close, volume, closed, revision, provider }: Candle) => {
  const bar = { timestamp: seconds(start), open, high, low, close, volume, symbol, timeframe }
  return { ...bar, is_closed: closed, revision, provider }
}

/** The newest value of each indicator that has one. */
function latest({ symbol, timeframe }: Of, bars: Bars, values: Study) {
  const at = bars.at(-1)
  if (!at) return []
  return Object.entries(values).flatMap(([name, list]) => {
    const value = list.at(-1) ?? null
    return value === null ? [] : [{ name, value, timestamp: seconds(at.start), symbol, timeframe }]
  })
}

/** The last hundred bars with the indicators of each. */
export function whole(of: Of, bars: Bars) {
  const values = study(bars.map(({ close }) => close))
  const newest = bars.at(-1)
  return {
    ...of,
    candlesticks: bars.slice(-SHOWN).map((bar) => stick(of, bar)),
    indicators: latest(of, bars, values),
    series: Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.slice(-SHOWN)])),
    last_updated: newest ? seconds(newest.time) : null
  }
}

/** The bars that changed, and the indicators now. */
export function difference(of: Of, bars: Bars, changed: ReadonlySet<number>) {
  const newest = bars.at(-1)
  return {
    ...of,
    candlesticks: bars.filter(({ start }) => changed.has(start)).map((bar) => stick(of, bar)),
    indicators: latest(of, bars, study(bars.map(({ close }) => close))),
    last_updated: newest ? seconds(newest.time) : null
  }
}
