/** What the REST of Binance's markets answers. */
import type { Listing, Meaning, Need } from './adapter.ts'
import { snapshotOf, whole, type Message, type Session } from './binance.market.ts'
import { begin } from './sequencer.ts'
import { epoch } from './time.ts'
import * as values from './values.ts'

export function answer(m: Message, received: number, session: Session, need: Need): readonly Meaning[] {
  // {"code":-1121,"msg":"Invalid symbol."}
  if (m.code !== undefined) {
    const reason = `${values.say(m.msg)} (${values.say(m.code)})`
    return [values.rejected(need.symbol, reason)]
  }
  const symbol = need.symbol ?? ''
  if (need.purpose === 'listing') return [{ type: 'listing', rows: (m.symbols as Product[]).flatMap(listed) }]
  // {"lastUpdateId":499869752,"bids":[["0.35210000","672.00000000"]],"asks":[...]}
  if (need.purpose === 'book') {
    const start = whole(m, symbol, received)
    return start ? begin(session.books, start, received, snapshotOf(session.market)) : [values.refused('book: not a snapshot')]
  }
  if (need.purpose === 'audit') return [whole(m, symbol, received) ?? values.refused('book: not a snapshot')]
  if (need.purpose === 'trades')
    return (m as unknown as Message[]).map((row) => {
      const event = values.trade(symbol, row.a, epoch(row.T), values.number(row.p), values.number(row.q), row.m ? 'sell' : 'buy')
      return event.type === 'trade' ? { ...event, backfill: true } : event
    })
  // [[1499040000000,"open","high","low","close","volume",closeTime,"quote volume",trades,...], ...], the last one open
  const rows = (m as unknown as unknown[][]).map(([start, open, high, low, close, volume, , , trades]) => {
    const parts = { symbol, interval: need.interval!, start: epoch(start), time: received, closed: false }
    return { ...parts, open, high, low, close, volume, trades }
  })
  return values.pastCandles(rows, received)
}

/** {"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00001"}]} */
function listed(product: Product): readonly Listing[] {
  const { symbol, baseAsset, quoteAsset, status, contractStatus, filters = [] } = product
  if (typeof symbol !== 'string' || typeof baseAsset !== 'string' || typeof quoteAsset !== 'string') return []
  const row: Listing = { symbol, base: baseAsset, quote: quoteAsset, trading: (status ?? contractStatus) === 'TRADING' }
  const contract = contractOf(product)
  if (contract !== undefined) row.contract = contract
  const price = values.decimalsOf(filters.find((filter) => filter.filterType === 'PRICE_FILTER')?.tickSize)
  if (price !== undefined) row.priceDecimals = price
  const size = values.decimalsOf(filters.find((filter) => filter.filterType === 'LOT_SIZE')?.stepSize)
  if (size !== undefined) row.sizeDecimals = size
  return [row]
}

/** `BTCUSDT` and `BTCUSD_PERP` have no end, `BTCUSD_250926` has; margined in the base asset it is an inverse one. */
function contractOf({ symbol, baseAsset, contractType, marginAsset }: Product): string | undefined {
  if (contractType === undefined) return undefined
  const expiry = /_(\d{6})$/.exec(symbol ?? '')?.[1]
  const inverse = marginAsset !== undefined && marginAsset === baseAsset
  return [...(inverse ? ['INVERSE'] : []), ...(expiry === undefined ? (inverse ? [] : ['PERP']) : [expiry])].join('-')
}

type Product = Partial<
  Record<'symbol' | 'baseAsset' | 'quoteAsset' | 'status' | 'contractStatus' | 'contractType' | 'marginAsset', string>
> & {
  filters?: { filterType?: string; tickSize?: string; stepSize?: string }[]
}
