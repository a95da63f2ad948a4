/** What a chart has been told of its bars, and so what a candle means to it: its newest bar, or that what it holds is wrong. */
import { barTime, type Candle, type Interval } from '@tickwire/protocol'

/** Times are epoch milliseconds. */
export type Bar = { time: number; open: number; high: number; low: number; close: number; volume: number }

/** Bars of one symbol and resolution as they were last handed out; `live`: by the stream, and not as history. */
export type Told = { newest: number; bars: Map<number, { gist: string; live: boolean }> }

/** Of older bars than these it is not known what the chart has: it is reset for every revision of them. */
const REMEMBERED = 500

export const nothingTold = (): Told => ({ newest: -Infinity, bars: new Map() })
export const copyOf = ({ newest, bars }: Told): Told => ({ newest, bars: new Map(bars) })

const gistOf = ({ open, high, low, close, volume }: Bar): string => [open, high, low, close, volume].join(' ')

export const barOf = ({ start, open, high, low, close, volume }: Candle, interval: Interval): Bar => {
  return { time: barTime(interval, start), open, high, low, close, volume }
}

export function tell(told: Told, bar: Bar, live: boolean): void {
  told.newest = Math.max(told.newest, bar.time)
  told.bars.set(bar.time, { gist: gistOf(bar), live })
  if (told.bars.size > REMEMBERED) told.bars.delete(Math.min(...told.bars.keys()))
}

/**
 * A chart takes news of its newest bar and of later ones, and none of those before: for those it must ask again. An older candle
 * that was never revised is no news where the chart has that bar from history: a stream begins with the last value there was.
 */
export function judge(told: Told, bar: Bar, revision: number): 'tick' | 'reset' | 'nothing' {
  const known = told.bars.get(bar.time)
  if (known?.gist === gistOf(bar)) return 'nothing'
  if (bar.time >= told.newest) return 'tick'
  return revision > 0 || known?.live === true ? 'reset' : 'nothing'
}
