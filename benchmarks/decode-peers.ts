/** Whom decoding is measured against: bare JSON.parse, tardis-dev's mappers, and the handlers of ccxt. */
import { pro } from 'ccxt'
import { normalizeBookChanges, normalizeBookTickers, normalizeTrades } from 'tardis-dev'

/** Everything before the frames (a new session, the snapshots of its books) is prepared, and only the frames are timed. */
export type Work = { frames: readonly string[]; prepare: () => (frame: string) => void }
export type Tardis = { exchange: string; frames: readonly string[]; snapshots: readonly string[] }
/** The exchange by its name there, the address of its socket, and what is traded in the session. */
export type Ccxt = {
  exchange: string
  url: string
  markets: readonly Market[]
  snapshots: readonly { symbol: string; body: string }[]
}
export type Market = { id: string; base: string; quote: string; contract?: 'linear' | 'inverse' }

const RECEIVED = 1_700_000_000_000
/** Keeps what was decoded from being optimised away. */
export const sink = { count: 0 }

export const bare = (frames: readonly string[]): Work => ({
  frames,
  prepare: () => (frame) => void (sink.count += JSON.parse(frame) === null ? 1 : 0)
})

/** A mapper of tardis-dev: `canHandle` picks its frames, `map` yields normalised records. */
type Mapper = {
  canHandle: (message: unknown) => boolean
  map: (message: unknown, received: Date) => Iterable<unknown> | undefined
}
type Make = (exchange: string, date: Date) => Mapper
const MAPPERS = [normalizeTrades, normalizeBookChanges, normalizeBookTickers] as unknown as readonly Make[]

export function tardis({ exchange, frames, snapshots }: Tardis): Work {
  const received = new Date(RECEIVED)
  const prepare = () => {
    const mappers = MAPPERS.map((make) => make(exchange, received))
    const see = (frame: string) => {
      const message: unknown = JSON.parse(frame)
      for (const mapper of mappers) {
        if (!mapper.canHandle(message)) continue
        for (const record of mapper.map(message, received) ?? []) sink.count += record === undefined ? 0 : 1
      }
    }
    snapshots.forEach(see)
    return see
  }
  return { frames, prepare }
}

type Exchange = {
  safeMarketStructure: (market: object) => object
  setMarkets: (markets: readonly object[]) => void
  handleMessage: (client: object, message: unknown) => void
  market: (id: string) => { symbol: string }
  parseOrderBook: (body: object, symbol: string) => object
  orderBook: (snapshot: object) => object
  orderbooks: Record<string, object>
}

/** What it resolves and rejects is counted; there is no socket. */
const client = (url: string) => ({
  url,
  subscriptions: {},
  futures: {},
  resolve: () => void sink.count++,
  reject: () => void sink.count++,
  send: () => Promise.resolve()
})

const structure = ({ id, base, quote, contract }: Market) => {
  const settle = contract === 'inverse' ? base : quote
  const common = { id, base, quote, baseId: base, quoteId: quote, active: true, precision: { price: 1e-8, amount: 1e-8 } }
  return contract === undefined
    ? { ...common, symbol: `${base}/${quote}`, type: 'spot', spot: true }
    : {
        ...common,
        symbol: `${base}/${quote}:${settle}`,
        type: 'swap',
        swap: true,
        contract: true,
        linear: contract === 'linear',
        inverse: contract === 'inverse',
        settle,
        settleId: settle,
        contractSize: 1
      }
}

/** Its books are folded, since its handlers know no other way. */
export function ccxt({ exchange, url, markets, snapshots }: Ccxt, frames: readonly string[]): Work {
  const Exchange = (pro as unknown as Record<string, new (options: object) => Exchange>)[exchange]!
  const prepare = () => {
    const ex = new Exchange({ newUpdates: true })
    ex.setMarkets(markets.map((market) => ex.safeMarketStructure(structure(market))))
    for (const { symbol, body } of snapshots) {
      const { symbol: unified } = ex.market(symbol)
      const found = JSON.parse(body) as { lastUpdateId: number }
      ex.orderbooks[unified] = ex.orderBook({ ...ex.parseOrderBook(found, unified), nonce: found.lastUpdateId })
    }
    const line = client(url)
    return (frame: string) => ex.handleMessage(line, JSON.parse(frame))
  }
  return { frames, prepare }
}
