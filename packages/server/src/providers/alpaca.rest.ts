/** Alpaca's REST: which paths are asked, and what their answers mean. */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import type { Access, Listing, Meaning, Need } from './adapter.ts'
import { accountOf, positionsOf } from './alpaca.account.ts'
import { timeOf } from './alpaca.codec.ts'
import { DELAY, dated, dayOfSymbol, newDay, quoted, ticker, trade } from './alpaca.data.ts'
import { backfill } from './alpaca.news.ts'
import { isCrypto, type Row, type Session } from './alpaca.session.ts'
import { book } from './alpaca.venue.ts'
import * as values from './values.ts'

export const TIMEFRAME: Record<Interval, string> = {
  '1m': '1Min',
  '3m': '3Min',
  '5m': '5Min',
  '15m': '15Min',
  '30m': '30Min',
  '1h': '1Hour',
  '2h': '2Hour',
  '4h': '4Hour',
  '6h': '6Hour',
  '8h': '8Hour',
  '12h': '12Hour',
  '1d': '1Day'
}
/** An answer holds so many rows at most. */
const MOST = 10_000
/** 2016: nothing is older. */
const BEGINNING = 1_451_606_400_000
/** The delayed feed has no history of its own: the consolidated one is free once it is that old, with a minute to be sure. */
const HELD_BACK = DELAY + 60_000

export const locationOf = ({ options }: Access): string => options?.crypto ?? 'us'
const iso = (time: number): string => new Date(time).toISOString()

type Span = { symbol: string; from: number; to?: number | undefined; query: string }

/** `/v2/stocks/bars?symbols=AAPL&...&feed=iex`, `/v1beta3/crypto/us/bars?symbols=BTC%2FUSD&...` */
function pathOf(what: 'bars' | 'trades', { symbol, from, to, query }: Span, access: Access): string {
  const { feed = 'iex' } = access
  const crypto = isCrypto(symbol)
  const end = to === undefined ? '' : `&end=${iso(to)}`
  const span = `symbols=${encodeURIComponent(symbol)}${query.replace('{span}', `start=${iso(from)}${end}`)}`
  if (crypto) return `/v1beta3/crypto/${encodeURIComponent(locationOf(access))}/${what}?${span}`
  const source = feed === 'delayed_sip' ? 'sip' : feed === 'test' ? 'iex' : feed
  return `/v2/stocks/${what}?${span}${what === 'bars' ? '&adjustment=split' : ''}&feed=${encodeURIComponent(source)}`
}

/** Sessions fill about a fifth of the hours of a week: reach back far enough, and take the newest. */
export function historyOf(symbol: string, interval: Interval, limit: number, now: number, access: Access): Need {
  const count = Math.min(limit, MOST)
  const from = Math.max(BEGINNING, now - count * INTERVAL_MS[interval] * 6 - 4 * 86_400_000)
  const query = `&timeframe=${TIMEFRAME[interval]}&{span}&limit=${count}&sort=desc`
  const to = access.feed === 'delayed_sip' && !isCrypto(symbol) ? now - HELD_BACK : undefined
  return { type: 'need', purpose: 'history', symbol, interval, path: pathOf('bars', { symbol, from, to, query }, access) }
}

export function tradesOf(symbol: string, from: number, to: number, access: Access): Need | undefined {
  const until = access.feed === 'delayed_sip' && !isCrypto(symbol) ? to - HELD_BACK : to
  if (until <= from) return undefined
  const path = pathOf('trades', { symbol, from, to: until, query: `&{span}&limit=${MOST}&sort=asc` }, access)
  return { type: 'need', purpose: 'trades', symbol, path }
}

/** Crypto alone has books. */
export const bookOf = (symbol: string, access: Access): Need | undefined =>
  isCrypto(symbol)
    ? {
        type: 'need',
        purpose: 'audit',
        symbol,
        path: `/v1beta3/crypto/${encodeURIComponent(locationOf(access))}/latest/orderbooks?symbols=${encodeURIComponent(symbol)}`
      }
    : undefined

/** The state of these symbols now, for their tickers. */
export function snapshotsOf(symbols: readonly string[], { access }: Session): readonly Need[] {
  const list = symbols.map(encodeURIComponent).join(',')
  const common = { type: 'need', purpose: 'snapshot', tolerate: true } as const
  if (isCrypto(symbols[0]))
    return [{ ...common, path: `/v1beta3/crypto/${encodeURIComponent(locationOf(access))}/snapshots?symbols=${list}` }]
  if (symbols.length === 0 || access.feed === 'test') return []
  return [{ ...common, path: `/v2/stocks/snapshots?symbols=${list}&feed=${encodeURIComponent(access.feed ?? 'iex')}` }]
}

// ---- answers -----------------------------------------------------------------------------------------------------

export function answer(m: unknown, received: number, need: Need, session: Session): readonly Meaning[] {
  const status = need.answered?.status ?? 200
  // {"code":40110000,"message":"request is not authorized"}; {"message":"too many requests."}
  if (status >= 400 || (values.isRecord(m) && typeof m.message === 'string')) return refusal(m, received, need)
  switch (need.purpose) {
    case 'listing':
      return listing(m as Row[], need, session)
    case 'history':
      return bars(m as Row, received, need)
    case 'trades':
      return dated(trades(m as Row, need, session), session)
    default:
      return current(m, received, need, session)
  }
}

function current(m: unknown, received: number, need: Need, session: Session): readonly Meaning[] {
  const { note, path } = need
  switch (note ?? /\/v\w+\/(news|account|positions)\b/.exec(path)?.[1]) {
    case 'news':
      return backfill((m as { news: Row[] }).news, received)
    case 'account':
      return accountOf(m as Row, received, session)
    case 'positions':
      return positionsOf(m as Row[], received, session)
    default:
      return dated(latest(m as Row, received, need, session), session)
  }
}

/** Snapshots, or the latest quotes or books alone. */
function latest(m: Row, received: number, { symbol = m.symbol as string }: Need, session: Session): readonly Meaning[] {
  const [quotes, books] = [m.quotes ?? m.quote, m.orderbooks ?? m.orderbook]
  // {"quotes":{"BCH/USD":{"t":"2021-11-22T08:36:35.117453693Z","bp":564.52,"bs":44.2403,"ap":565.87,"as":44.2249}}}
  if (quotes !== undefined) return rowsOf(quotes, symbol).flatMap(quoted)
  // {"orderbooks":{"BTC/USD":{"a":[{"p":71939.7,"s":0.84}],"b":[{"p":71859.5,"s":0.28}],"t":"2024-03-12T10:38:50.79Z"}}}
  if (books !== undefined) return rowsOf(books, symbol).flatMap((row) => book({ ...row, r: true }))
  return snapshots(m, received, session)
}

const HINT = ': the free plan has it only 15 minutes later; choose feed "iex" or "delayed_sip", or take the paid plan'

function refusal(m: unknown, received: number, { symbol, answered }: Need): readonly Meaning[] {
  const said = values.isRecord(m) ? values.say(m.message ?? m.error ?? m) : values.say(m)
  const reason = /does not permit querying recent SIP/i.test(said) ? said.replace(/\.$/, '') + HINT : said
  if (answered?.status !== 429) return [values.rejected(symbol, reason)]
  const { 'retry-after': after, 'x-ratelimit-reset': reset } = answered.headers
  const wait = after === undefined ? Number(reset) * 1_000 - received : Number(after) * 1_000
  return [{ type: 'quiet', for: wait > 0 ? Math.min(wait, 3_600_000) : 60_000, reason }]
}

/** `{"AAPL":[..],"TSLA":[..]}`, a row in place of a list where the latest was asked, or the list or row itself of the one symbol asked. */
function rowsOf(part: unknown, symbol: unknown): Row[] {
  if (Array.isArray(part)) return part.filter(values.isRecord).map((row) => ({ ...row, S: symbol }))
  if (!values.isRecord(part)) return []
  if (typeof part.t === 'string') return [{ ...part, S: symbol }]
  return Object.entries(part).flatMap(([name, found]) =>
    symbol !== undefined && name !== symbol ? [] : rowsOf(Array.isArray(found) ? found : [found], name)
  )
}

/** {"bars":{"AAPL":[{"t":"2021-10-13T04:00:00Z","o":141.21,"h":141.4,"l":139.2,"c":140.91,"v":78993712,"n":595435,"vw":140.36}]},"next_page_token":null} */
function bars(m: Row, received: number, need: Need): readonly Meaning[] {
  const rows = rowsOf(m.bars, need.symbol ?? m.symbol).map(
    ({ S: symbol, t, o: open, h: high, l: low, c: close, v: volume, n: count }) => ({
      symbol,
      interval: need.interval!,
      start: timeOf(t),
      time: received,
      closed: false,
      open,
      high,
      low,
      close,
      volume,
      trades: count
    })
  )
  const asked = Number(/[?&]limit=(\d+)/.exec(need.path)?.[1] ?? 0)
  return [...values.pastCandles(rows, received), ...(rows.length < asked ? nextPage(m, need) : [])]
}

/** {"trades":{"BTC/USD":[{"t":"2022-03-09T06:00:00.080264Z","p":41516.08,"s":0.00315427,"tks":"B","i":293648598}]},"next_page_token":null} */
const trades = (m: Row, need: Need, session: Session): readonly Meaning[] => [
  ...rowsOf(m.trades ?? m.trade, need.symbol ?? m.symbol).map((row) => trade(row, session)),
  ...nextPage(m, need)
]

function nextPage({ next_page_token: token }: Row, need: Need): readonly Meaning[] {
  if (typeof token !== 'string' || token === '') return []
  return [{ ...need, path: `${need.path.replace(/&page_token=[^&]*/, '')}&page_token=${encodeURIComponent(token)}` }]
}

/** {"AAPL":{"latestTrade":{..},"latestQuote":{..},"minuteBar":{..},"dailyBar":{..},"prevDailyBar":{..}}}; crypto has it under `snapshots` */
function snapshots(m: Row, received: number, session: Session): readonly Meaning[] {
  const one = m.latestTrade !== undefined || m.dailyBar !== undefined
  const found = values.isRecord(m.snapshots) ? m.snapshots : one ? { [values.say(m.symbol)]: m } : m
  return Object.entries(found).flatMap(([symbol, snapshot]) => {
    if (!values.isRecord(snapshot)) return []
    const [last, bar, before] = [snapshot.latestTrade, snapshot.dailyBar, snapshot.prevDailyBar].map((part) =>
      values.isRecord(part) ? part : undefined
    )
    const day = dayOfSymbol(session, symbol)
    if (bar) day.bar ??= bar
    day.prevClose = before?.c
    const price = values.number(last?.p ?? bar?.c)
    if (price === 0 || Number.isNaN(price)) return []
    const time = last ? timeOf(last.t) : received
    newDay(day, time)
    return time < day.told ? [] : ticker(symbol, time, price, session)
  })
}

// ---- listing -----------------------------------------------------------------------------------------------------

export const STOCKS = '/v2/assets?status=active&asset_class=us_equity'
const CRYPTO = '/v2/assets?status=active&asset_class=crypto'

/** The stocks, then the pairs. */
function listing(rows: readonly Row[], { path }: Need, { access }: Session): readonly Meaning[] {
  const found = rows.filter(values.isRecord).flatMap(listed)
  if (path.endsWith(CRYPTO)) return [{ type: 'listing', rows: found }]
  const test: Listing = { symbol: 'FAKEPACA', base: 'FAKEPACA', trading: true, calendar: '24/7' }
  const all = access.feed === 'test' ? [...found, test] : found
  const next: Need = { type: 'need', purpose: 'listing', path: path.replace('us_equity', 'crypto') }
  return [{ type: 'listing', rows: all }, ...(path.endsWith(STOCKS) ? [next] : [])]
}

/** {"class":"us_equity","exchange":"NASDAQ","symbol":"AAPL","name":"Apple Inc. Common Stock","status":"active","tradable":true,...} */
/** {"class":"crypto","exchange":"CRYPTO","symbol":"BTC/USD","name":"Bitcoin  / US Dollar","price_increment":"0.01","min_trade_increment":"1e-9",...} */
function listed(row: Row): readonly Listing[] {
  const { symbol, name, status, tradable, class: kind } = row
  if (typeof symbol !== 'string' || symbol === '') return []
  const common = {
    trading: status === 'active' && tradable !== false,
    ...(typeof name === 'string' && name !== '' ? { name: name.replaceAll(/\s+/g, ' ').trim() } : {})
  }
  if (kind === undefined || kind === 'us_equity') return [{ symbol, base: symbol, calendar: 'XNYS', ...common }]
  const [base, quote] = symbol.split('/')
  if (kind !== 'crypto' || !base || !quote) return []
  const [price, size] = [values.decimalsOf(row.price_increment), values.decimalsOf(row.min_trade_increment)]
  const decimals = {
    ...(price === undefined ? {} : { priceDecimals: price }),
    ...(size === undefined ? {} : { sizeDecimals: size })
  }
  // News and positions write the pair without its slash.
  return [{ symbol, base, quote, calendar: '24/7', aliases: [base + quote], ...common, ...decimals }]
}
