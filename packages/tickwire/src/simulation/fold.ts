/** One-minute candles made a second time, in the plainest way, from the trades that the plant published. */
import type { Candle, Published, Trade } from '@tickwire/protocol'

const MINUTE = 60_000
type Bar = { high: number; low: number; volume: number; trades: number; open: Trade; close: Trade }

export function createFold() {
  const bars = new Map<string, Bar>()
  const firsts = new Map<string, number>()
  return {
    add(trade: Published<Trade>): void {
      const start = Math.floor(trade.time / MINUTE) * MINUTE
      const { instrument, price, size, time } = trade
      if (!firsts.has(instrument)) firsts.set(instrument, start)
      const key = `${instrument} ${start}`
      const bar = bars.get(key)
      if (!bar) return void bars.set(key, { high: price, low: price, volume: size, trades: 1, open: trade, close: trade })
      bar.high = Math.max(bar.high, price)
      bar.low = Math.min(bar.low, price)
      bar.volume += size
      bar.trades++
      if (time < bar.open.time) bar.open = trade
      if (time >= bar.close.time) bar.close = trade
    },

    /** What is wrong with the candles that ended before then; `told` by `instrument start`. */
    compare(told: ReadonlyMap<string, Candle>, before: number): string[] {
      return [...bars].flatMap(([key, bar]) => {
        const [instrument = '', text] = key.split(' ')
        const start = Number(text)
        // What came before the first candle was begun belongs to none.
        if (start + MINUTE > before || start < firsts.get(instrument)!) return []
        const candle = told.get(key)
        if (!candle) return [`there is no closed candle ${key}`]
        const { open, high, low, close, trades, volume } = candle
        const same = open === bar.open.price && high === bar.high && low === bar.low && close === bar.close.price
        if (same && trades === bar.trades && Math.abs(volume - bar.volume) <= 1e-9 * bar.volume) return []
        const wanted = [bar.open.price, bar.high, bar.low, bar.close.price, bar.volume, bar.trades].join(' ')
        return [`the candle ${key} is ${[open, high, low, close, volume, trades].join(' ')}; the trades make ${wanted}`]
      })
    }
  }
}
