/** SMA, EMA, RSI and MACD of closing prices: one value per price, null until there are enough of them. Pure. */

export type Values = (number | null)[]

/** The mean of the last `n`. Each mean is summed anew: a running sum would gather errors of rounding. */
export const sma = (prices: readonly number[], n: number): Values =>
  prices.map((_, i) => {
    if (i < n - 1) return null
    let sum = 0
    for (let at = i - n + 1; at <= i; at++) sum += prices[at] ?? 0
    return sum / n
  })

/** Begins with the mean of the first `n`, then each price weighs 2 / (n + 1). Leading nulls are skipped. */
export function ema(prices: readonly (number | null)[], n: number): Values {
  const weight = 2 / (n + 1)
  let [count, sum] = [0, 0]
  let value: number | null = null
  return prices.map((price) => {
    if (price === null) return null
    if (value !== null) return (value += (price - value) * weight)
    count++
    sum += price
    if (count === n) value = sum / n
    return value
  })
}

/** Wilder's: his mean of the gains against that of the losses; 50 where nothing ever moved. */
export function rsi(prices: readonly number[], n: number): Values {
  let [gain, loss] = [0, 0]
  return prices.map((price, i) => {
    if (i === 0) return null
    const move = price - (prices[i - 1] ?? price)
    const [up, down] = [Math.max(0, move), Math.max(0, -move)]
    if (i <= n) {
      gain += up / n
      loss += down / n
      if (i < n) return null
    } else {
      gain = (gain * (n - 1) + up) / n
      loss = (loss * (n - 1) + down) / n
    }
    if (gain + loss === 0) return 50
    return (100 * gain) / (gain + loss)
  })
}

const minus = (a: Values, b: Values): Values =>
  a.map((value, i) => {
    const other = b[i] ?? null
    return value === null || other === null ? null : value - other
  })

/** The difference of two EMAs, its own EMA (the signal), and what is between those (the histogram). */
export function macd(prices: readonly number[], fast: number, slow: number, smooth: number) {
  const [quick, calm] = [ema(prices, fast), ema(prices, slow)]
  const line = minus(quick, calm)
  const signal = ema(line, smooth)
  return { line, signal, histogram: minus(line, signal) }
}

/** Bars that the indicators want before the first that is shown, so that what they began with has faded away. */
export const WARM_UP = 200

export type Study = Readonly<Record<string, Values>>

export function study(closes: readonly number[]): Study {
  const { line, signal, histogram } = macd(closes, 12, 26, 9)
  return {
    SMA_20: sma(closes, 20),
    SMA_50: sma(closes, 50),
    RSI_14: rsi(closes, 14),
    MACD: line,
    MACD_Signal: signal,
    MACD_Histogram: histogram
  }
}
