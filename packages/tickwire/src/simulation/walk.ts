/** The market of one simulated provider: a seeded walk, a book around it, trades at its top. Cheap, so that years can be simulated. */
import type { Book, Level, Quote, Ticker, Trade } from '@tickwire/protocol'
import { ASSETS, instrumentOf, type Venue } from '@tickwire/street/venues.ts'

type Listed = Venue['listing'][number]
export type Happening = Trade | Quote | Ticker | Book
type Pair = {
  instrument: string
  row: Listed
  /** In ticks of the listing. */
  mid: number
  step: number
  bids: Map<number, number>
  asks: Map<number, number>
  open: number
  last: number
  high: number
  low: number
  volume: number
  trades: number
}

export type Pace = { depth: number; quotes: number; trades: number; tickers: number; books: number }

const rounded = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals

const price = ({ row: { priceDecimals = 2 } }: Pair, ticks: number): number => rounded(ticks / 10 ** priceDecimals, priceDecimals)

function openPair(row: Listed, draw: () => number): Pair {
  const { base, priceDecimals = 2 } = row
  const mid = Math.round(ASSETS[base]!.price * (1 + (draw() - 0.5) * 1e-4) * 10 ** priceDecimals)
  const pair: Pair = {
    instrument: instrumentOf(row),
    row,
    mid,
    // A few tenths of a basis point.
    step: Math.max(1, Math.round(mid * 2e-5)),
    bids: new Map(),
    asks: new Map(),
    open: mid,
    last: mid,
    high: mid,
    low: mid,
    volume: 0,
    trades: 1_000 + Math.floor(draw() * 1_000)
  }
  return pair
}

/** Calls `emit` with what happens in each of its quanta. */
export function createWalk(provider: string, listing: readonly Listed[], pace: Pace, draw: () => number) {
  const pairs = listing.map((row) => openPair(row, draw))

  const stamp = ({ instrument }: Pair, time: number) => ({ provider, instrument, time, received: time })
  const size = ({ row: { sizeDecimals = 4 } }: Pair): number =>
    Math.max(rounded(0.1 + draw() * 5, sizeDecimals), 10 ** -sizeDecimals)

  const sizeAt = (pair: Pair, side: Map<number, number>, ticks: number): number => {
    const known = side.get(ticks)
    if (known !== undefined && draw() > 0.1) return known
    const made = size(pair)
    side.set(ticks, made)
    return made
  }
  const side = (pair: Pair, sign: 1 | -1, count: number): Level[] => {
    const levels: Level[] = []
    const known = sign === 1 ? pair.asks : pair.bids
    for (let at = 0; at < count; at++) {
      const ticks = pair.mid + sign * pair.step * (at + 1)
      levels.push([price(pair, ticks), sizeAt(pair, known, ticks)])
    }
    return levels
  }
  const move = (pair: Pair): void => {
    pair.mid += pair.step * Math.floor(draw() * 3 - 1)
  }
  const trade = (pair: Pair, time: number): Trade => {
    const isBuy = draw() < 0.5
    const ticks = pair.mid + (isBuy ? pair.step : -pair.step)
    pair.last = ticks
    pair.high = Math.max(pair.high, ticks)
    pair.low = Math.min(pair.low, ticks)
    const traded = size(pair)
    pair.volume += traded
    const id = String(++pair.trades)
    return { ...stamp(pair, time), type: 'trade', id, price: price(pair, ticks), size: traded, side: isBuy ? 'buy' : 'sell' }
  }
  const quote = (pair: Pair, time: number): Quote => {
    const [[bid, bidSize], [ask, askSize]] = [side(pair, -1, 1)[0]!, side(pair, 1, 1)[0]!]
    return { ...stamp(pair, time), type: 'quote', bid, bidSize, ask, askSize }
  }
  const ticker = (pair: Pair, time: number): Ticker => {
    const [open, high, low, last] = [pair.open, pair.high, pair.low, pair.last].map((ticks) => price(pair, ticks)) as [
      number,
      number,
      number,
      number
    ]
    const change = rounded(last - open, pair.row.priceDecimals ?? 2)
    const volume = rounded(pair.volume, pair.row.sizeDecimals ?? 4)
    return {
      ...stamp(pair, time),
      type: 'ticker',
      last,
      open,
      high,
      low,
      volume,
      change,
      changePercent: rounded((change / open) * 100, 3)
    }
  }

  /** What happens within `seconds`, at `time`. */
  return (time: number, seconds: number, emit: (event: Happening) => void): void => {
    for (const pair of pairs) {
      if (draw() < pace.quotes * seconds) {
        move(pair)
        emit(quote(pair, time))
      }
      // One order may eat several resting ones at the same moment.
      if (draw() < pace.trades * seconds) for (let left = draw() < 0.15 ? 3 : 1; left > 0; left--) emit(trade(pair, time))
      if (pace.books > 0 && draw() < pace.books * seconds)
        emit({ ...stamp(pair, time), type: 'book', bids: side(pair, -1, pace.depth), asks: side(pair, 1, pace.depth) })
      if (draw() < pace.tickers * seconds) emit(ticker(pair, time))
    }
  }
}
