/** The bars of one chart: a past and what comes after it, and both as the Ziggy endpoints send them. Pure. */
import type { Candle, Interval } from '@tickwire/protocol'
import { seconds } from './ziggy.messages.ts'
import { WARM_UP, type Reading, type Study } from './ziggy.indicators.ts'

export const SHOWN = 100
/** How much of the past is asked for. */
export const WANTED = SHOWN + WARM_UP

/** `under`: a provider's own bar, whose rest since then is told by ours, which lacks what was before; `volume` is ours at that time. */
type Bar = Candle & { under?: { theirs: Candle; volume: number } }
/** Oldest first, one per start. */
export type Bars = Bar[]

const isPartial = ({ coverage }: Candle): boolean => coverage !== undefined && coverage < 1
/** The provider's bar that stands where ours lacks a part. */
const theirsOf = (there: Bar): Candle | undefined => there.under?.theirs ?? (there.coverage === undefined ? there : undefined)

/** The provider's bar up to the moment it was told, ours since then; what it closed, ours does not change. */
function over(there: Bar, ours: Candle): Bar | undefined {
  const theirs = isPartial(ours) ? theirsOf(there) : undefined
  if (!theirs) return ours
  if (theirs.closed) return theirs.trades === 0 ? ours : undefined
  const volume = there.under?.volume ?? ours.volume
  const { coverage: _coverage, ...rest } = ours
  return {
    ...rest,
    open: theirs.open,
    high: Math.max(theirs.high, ours.high),
    low: Math.min(theirs.low, ours.low),
    volume: Number((theirs.volume + Math.max(0, ours.volume - volume)).toPrecision(15)),
    under: { theirs, volume }
  }
}

/** Puts a candle in its place; an older form of one that is there changes nothing. Returns whether anything changed. */
export function put(bars: Bars, candle: Candle): boolean {
  let at = bars.length
  while (at > 0 && (bars[at - 1]?.start ?? 0) > candle.start) at--
  const there = bars[at - 1]
  if (there?.start === candle.start) {
    const isOlder = candle.revision < there.revision || (there.closed && !candle.closed && candle.revision === there.revision)
    if (isOlder) return false
    const bar = over(there, candle)
    if (!bar) return false
    bars[at - 1] = bar
  } else bars.splice(at, 0, candle)
  if (bars.length > WANTED) bars.splice(0, bars.length - WANTED)
  return true
}

/** Flat where nothing was heard, at the close before: whoever knows more says otherwise. */
const isGuessed = ({ trades, coverage }: Candle): boolean => trades === 0 && coverage === undefined

/** A past with what came live. */
export function joined(past: readonly Candle[], live: Bars): Bars {
  const bars: Bars = []
  for (const candle of [...past, ...live.filter((bar) => !isGuessed(bar))]) put(bars, candle)
  return bars
}

type Of = { symbol: string; timeframe: Interval }

const stick = ({ symbol, timeframe }: Of, { start, open, high, low, close, volume, ...more }: Candle) => {
  const { closed, revision, provider, coverage = null } = more
  const bar = { timestamp: seconds(start), open, high, low, close, volume, symbol, timeframe }
  return { ...bar, is_closed: closed, coverage, revision, provider }
}

/** The value of each indicator that has one. */
function told({ symbol, timeframe }: Of, bars: Bars, reading: Reading | undefined) {
  const at = bars.at(-1)
  if (!at || !reading) return []
  return Object.entries(reading).flatMap(([name, value]) =>
    value === null ? [] : [{ name, value, timestamp: seconds(at.start), symbol, timeframe }]
  )
}

/** The last hundred bars with the indicators of each. */
export function whole(of: Of, bars: Bars, study: Study) {
  const readings = study.all(bars)
  const reading = readings.at(-1)
  const newest = bars.at(-1)
  const shown = readings.slice(-SHOWN)
  return {
    ...of,
    candlesticks: bars.slice(-SHOWN).map((bar) => stick(of, bar)),
    indicators: told(of, bars, reading),
    series: Object.fromEntries(Object.keys(reading ?? {}).map((name) => [name, shown.map((each) => each[name])])),
    last_updated: newest ? seconds(newest.time) : null
  }
}

/** The bars that changed, and the indicators now. */
export function difference(of: Of, bars: Bars, changed: ReadonlySet<number>, study: Study) {
  const newest = bars.at(-1)
  return {
    ...of,
    candlesticks: bars.filter(({ start }) => changed.has(start)).map((bar) => stick(of, bar)),
    indicators: told(of, bars, study.now(bars, changed)),
    last_updated: newest ? seconds(newest.time) : null
  }
}
