/** Listing, past candles and past trades by the library: one exchange object each, whose markets the connections share. */
import type { Answer, Rest } from '../connection/rest.ts'
import type { Access } from '../providers/adapter.ts'
import { closeExchange, loadLibrary, makeExchange, namesOf, reasonOf, type Exchange, type Library } from './ccxt.library.ts'
import { bare, lotOf } from './ccxt.watch.ts'

/** Markets older than this are loaded anew when a listing is asked, ms. */
const FRESH = 3_600_000
/** A listing does not wait longer for an exchange that does not answer; it is there the next time, ms. */
const PATIENCE = 30_000

type Known = { exchange: Exchange; loadedAt: number; loading?: Promise<void> | undefined; failure?: string | undefined }
export type Desk = Rest & {
  /** An exchange object for a connection, with the markets that are known already. */
  make: (name: string) => Promise<{ library: Library; exchange: Exchange }>
}

export function createDesk(readAccess: () => Access): Desk {
  const known = new Map<string, Known>()
  let said: string | undefined
  let quietUntil = 0
  let stopped = false

  async function open(name: string): Promise<Known> {
    const library = await loadLibrary()
    let one = known.get(name)
    if (!one) known.set(name, (one = { exchange: makeExchange(library, readAccess(), name), loadedAt: -Infinity }))
    return one
  }

  async function ready(name: string, age = Infinity): Promise<Exchange> {
    const one = await open(name)
    // Its own memory of a failed load never ends: always anew.
    if (Date.now() - one.loadedAt > age || one.loadedAt === -Infinity)
      await (one.loading ??= one.exchange
        .loadMarkets(true)
        .then(() => void (one.loadedAt = Date.now()))
        .finally(() => (one.loading = undefined)))
    return one.exchange
  }

  async function list(onlyChanged: boolean): Promise<Answer> {
    const names = namesOf(readAccess())
    if (names.length === 0) return { ok: false, reason: 'no exchange is named: set options.exchanges, as in "bybit,okx"' }
    const failed: Record<string, string> = {}
    const exchanges: Record<string, object> = {}
    await Promise.all(
      names.map(async (name) => {
        const failure = await within(ready(name, FRESH), PATIENCE)
        if (failure !== undefined) failed[name] = failure
        const exchange = known.get(name)?.exchange
        if (exchange?.markets) exchanges[name] = listed(exchange)
      })
    )
    if (Object.keys(exchanges).length === 0)
      return {
        ok: false,
        reason: Object.entries(failed)
          .map(([name, reason]) => `${name}: ${reason}`)
          .join('; ')
      }
    const body = JSON.stringify({ exchanges, failed })
    const unchanged = onlyChanged && body === said
    said = body
    return { ...good(body), ...(unchanged && { unchanged }) }
  }

  async function candles(query: URLSearchParams): Promise<Answer> {
    const [name, symbol] = symbolOf(query)
    const exchange = await ready(name)
    const interval = query.get('interval') ?? ''
    if (!(interval in (exchange.timeframes ?? {}))) return { ok: false, reason: `${name} has no candles of ${interval}` }
    const rows = await exchange.fetchOHLCV(symbol, interval, undefined, Number(query.get('limit')))
    return good(JSON.stringify({ rows }))
  }

  async function trades(query: URLSearchParams): Promise<Answer> {
    const [name, symbol] = symbolOf(query)
    const exchange = await ready(name)
    const since = Number(query.get('since'))
    // Some take no `since` and answer with the newest ones.
    const all = (await exchange.fetchTrades(symbol, since)) as { timestamp?: number }[]
    const rows = all.filter(({ timestamp = since }) => timestamp >= since).map(bare)
    return good(JSON.stringify({ lot: lotOf(exchange.markets?.[symbol]), rows }))
  }

  return {
    async make(name) {
      const { markets, currencies } = await ready(name)
      const library = await loadLibrary()
      const exchange = makeExchange(library, readAccess(), name)
      exchange.setMarkets(Object.values(markets ?? {}), currencies)
      // Needed for ws:// without TLS.
      await exchange.loadHttpProxyAgent()
      return { library, exchange }
    },
    async get({ path }) {
      if (stopped) return { ok: false, reason: 'stopped' }
      if (Date.now() < quietUntil) return { ok: false, reason: 'asked to be quiet' }
      const { pathname, searchParams } = new URL(path, 'ccxt://exchange')
      try {
        if (pathname === '/listing') return await list(searchParams.has('changed'))
        if (pathname === '/candles') return await candles(searchParams)
        if (pathname === '/trades') return await trades(searchParams)
        return { ok: false, reason: `${pathname} is nothing that can be asked` }
      } catch (error) {
        return { ok: false, reason: reasonOf(error) }
      }
    },
    quiet: (ms) => void (quietUntil = Math.max(quietUntil, Date.now() + ms)),
    stop() {
      stopped = true
      for (const { exchange } of known.values()) void closeExchange(exchange)
      known.clear()
    }
  }
}

const good = (body: string): Answer & { ok: true } => ({ ok: true, body, status: 200, headers: {} })

/** `bybit:BTC/USDT:USDT` → `bybit` and `BTC/USDT:USDT` */
function symbolOf(query: URLSearchParams): [exchange: string, symbol: string] {
  const symbol = query.get('symbol') ?? ''
  const colon = symbol.indexOf(':')
  return [symbol.slice(0, Math.max(0, colon)), symbol.slice(colon + 1)]
}

/** What an adapter needs to know of markets. */
function listed({ markets = {}, precisionMode }: Exchange): object {
  return {
    precisionMode,
    markets: Object.values(markets).map((market) => {
      const { symbol, base, quote, spot, swap, future, linear, inverse, active, contractSize, precision } = market
      return { symbol, base, quote, spot, swap, future, linear, inverse, active, contractSize, precision }
    })
  }
}

/** Why it failed or is not there in time; nothing when it came. */
async function within(promise: Promise<unknown>, ms: number): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => resolve(`no answer within ${ms / 1000} s`), ms)
  const failure = await Promise.race([promise.then(() => undefined, reasonOf), late])
  clearTimeout(timer)
  return failure
}
