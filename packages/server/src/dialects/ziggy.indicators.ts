/** SMA, RSI and MACD of the closes of one chart: a value after each bar, null until there are enough of them. Pure. */
import { EMA, MACD, RSI, SMA } from 'trading-signals'

/** Bars that the indicators want before the first that is shown, so that what they began with has faded away. */
export const WARM_UP = 200

/** Each indicator as of one bar. */
export type Reading = Readonly<Record<string, number | null>>
type Bar = Readonly<{ start: number; close: number }>

function createIndicators() {
  const [short, long] = [new SMA(20), new SMA(50)]
  const [rise, fall] = [new RSI(14), new RSI(14)]
  const signal = new EMA(9)
  const macd = new MACD(new EMA(12), new EMA(26), signal)

  /** The close of the next bar, or (`again`) another one of the newest bar. */
  return (close: number, again: boolean): Reading => {
    const line = macd.update(close, again)
    const smooth = line !== null && signal.isStable ? line : null
    const strength = rise.update(close, again)
    // It is 100 where nothing fell. What fell nowhere upside down either has never moved, and is not overbought.
    const isFlat = fall.update(-close, again) === 100 && strength === 100
    return {
      SMA_20: short.update(close, again),
      SMA_50: long.update(close, again),
      RSI_14: isFlat ? 50 : strength,
      MACD: line?.macd ?? null,
      MACD_Signal: smooth?.signal ?? null,
      MACD_Histogram: smooth?.histogram ?? null
    }
  }
}

/** The indicators of a chart, kept as of its newest bar, so that what forms costs no more than itself. */
export type Study = ReturnType<typeof createStudy>

export function createStudy() {
  let read = createIndicators()
  let newest: number | undefined

  /** A reading after each bar. */
  function all(bars: readonly Bar[]): Reading[] {
    read = createIndicators()
    newest = bars.at(-1)?.start
    return bars.map(({ close }) => read(close, false))
  }

  /** The reading of now, when of the bars that were read last those of the starts `changed` are others, or new. */
  function now(bars: readonly Bar[], changed: ReadonlySet<number>): Reading | undefined {
    const at = bars.findLastIndex(({ start }) => start === newest)
    const oldest = bars[at]?.start
    // What stands behind a bar that was read cannot be taken back.
    if (oldest === undefined || changed.values().some((start) => start < oldest)) return all(bars).at(-1)
    newest = bars.at(-1)?.start
    return bars
      .slice(at)
      .map(({ close }, i) => read(close, i === 0))
      .at(-1)
  }

  return { all, now }
}
