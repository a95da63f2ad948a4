/** How liquid an instrument is, from its book: spread, depth around mid, imbalance, the largest levels, and the microprice. */
import { topicName, type Book, type Level, type Liquidity } from '@tickwire/protocol'
import { service, type Output } from './service.ts'

/** Basis points around mid within which sizes are added up, as far as the book reaches. */
export const WITHIN = [1, 5, 10, 25, 50, 100] as const
/** The largest levels that are told, a side. */
const LARGEST = 5
/** Told at most this often, milliseconds: books change faster than anyone decides. */
const EVERY = 250

type Lane = {
  /** The last book that was not told yet. */
  waiting?: Book | undefined
  /** What was told last, while it holds. */
  told?: Liquidity | undefined
  /** When one was told last, by the clock that the watermark follows. */
  toldAt: number
  /** The watermark. */
  now: number
}

function isUsable({ bids, asks, state }: Book): boolean {
  const [best, offer] = [bids[0], asks[0]]
  return best !== undefined && offer !== undefined && state !== 'stale' && best[0] < offer[0]
}

/** Nothing of a book that is not to be trusted, has an empty side, or is crossed. */
export function liquidityOf(book: Book): Liquidity | undefined {
  const { bids, asks, provider, instrument, time, received } = book
  const [best, offer] = [bids[0], asks[0]]
  if (!best || !offer || !isUsable(book)) return undefined
  const [bid, bidSize] = best
  const [ask, askSize] = offer
  const mid = (bid + ask) / 2
  // What lies beyond the last level that is told nobody knows.
  const reach = (Math.min(mid - bids.at(-1)![0], asks.at(-1)![0] - mid) / mid) * 10_000
  const within = (bps: number) => {
    const far = (mid * bps) / 10_000
    return { bps, bids: sum(bids, (price) => price >= mid - far), asks: sum(asks, (price) => price <= mid + far) }
  }
  const depth = WITHIN.filter((bps) => bps <= reach).map(within)
  const widest = depth.at(-1) ?? within(reach)
  const all = widest.bids + widest.asks
  const decimals = Math.max(decimalsOf(bid), decimalsOf(ask))
  const middle = bidSize + askSize > 0 ? (bid * askSize + ask * bidSize) / (bidSize + askSize) : mid
  return {
    type: 'liquidity',
    provider,
    instrument,
    time,
    received,
    bid,
    ask,
    mid: rounded(mid, decimals + 1),
    spread: rounded(ask - bid, decimals),
    spreadBps: rounded(((ask - bid) / mid) * 10_000, 4),
    microprice: rounded(middle, decimals + 3),
    imbalance: all > 0 ? rounded((widest.bids - widest.asks) / all, 4) : 0,
    reach: Math.floor(reach * 100) / 100,
    depth,
    support: largest(bids),
    resistance: largest(asks)
  }
}

/** Digits after the point, as the provider writes its prices. */
function decimalsOf(price: number): number {
  const [digits = '', exponent = '0'] = String(price).split('e')
  return Math.max(0, (digits.split('.')[1]?.length ?? 0) - Number(exponent))
}
/** Without the last digits that computing with floats leaves; of tiny prices as much as a float can tell. */
const rounded = (value: number, decimals: number): number => Number(value.toFixed(Math.min(decimals, 20)))

/** Levels come best first, so what is within reach comes first. */
function sum(levels: readonly Level[], within: (price: number) => boolean): number {
  let total = 0
  for (const [price, size] of levels) {
    if (!within(price)) break
    total += size
  }
  return Number(total.toPrecision(12))
}

/** Of two of one size the one nearer to mid first. */
const largest = (levels: readonly Level[]): Level[] =>
  levels
    .map((level, i) => ({ level, i }))
    .sort((a, b) => b.level[1] - a.level[1] || a.i - b.i)
    .slice(0, LARGEST)
    .map(({ level }) => level)

function tell(lane: Lane): Output[] {
  const book = lane.waiting
  lane.waiting = undefined
  const event = book && liquidityOf(book)
  if (!event) return []
  lane.told = event
  lane.toldAt = lane.now
  return [{ topic: topicName('liquidity', event.instrument), event }]
}

/** Its book is gone: what was told of it must not stand as if it held. The next book that can be used is told at once. */
function end(lane: Lane, { provider, time, received }: Book): Output[] {
  const { told } = lane
  lane.waiting = lane.told = undefined
  if (!told) return []
  return [{ topic: topicName('liquidity', told.instrument), event: { ...told, provider, time, received, stale: true } }]
}

export const liquidity = service<Map<string, Lane>>({
  name: 'liquidity',
  reads: ['book'],
  open: () => new Map(),
  fold(lanes, input) {
    if (input.type !== 'book' && input.type !== 'watermark') return []
    let lane = lanes.get(input.instrument)
    if (!lane) lanes.set(input.instrument, (lane = { toldAt: -Infinity, now: -Infinity }))
    if (input.type === 'book' && !isUsable(input)) return end(lane, input)
    if (input.type === 'book') lane.waiting = input
    else lane.now = input.time
    // The first at once; then only the watermark's clock says that it is time again.
    return !lane.told || (input.type === 'watermark' && lane.now - lane.toldAt >= EVERY) ? tell(lane) : []
  },
  forget: (lanes, instrument) => void lanes.delete(instrument)
})
