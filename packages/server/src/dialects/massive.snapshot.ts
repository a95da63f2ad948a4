/** Massive's snapshots: what is known of a ticker now, in one row. */
import { topicName, type Candle } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import { missing, notEntitled, ns, ofPrices, ok, type Answer, type Named } from './massive.answers.ts'
import { barOf, conditions, identity, sideCodes, weighted } from './massive.frames.ts'
import { listed, tickerOf, type Cluster } from './massive.symbols.ts'
import { isForbidden } from './markets.ts'
import { candlesOf, first } from './past.ts'

const flat = { o: 0, h: 0, l: 0, c: 0, v: 0, vw: 0 }
const barFields = (bar: Candle | undefined): typeof flat & { t?: number; n?: number } => {
  if (!bar) return flat
  const { open: o, high: h, low: l, close: c, volume: v } = bar
  return { o, h, l, c, v, vw: weighted(barOf(bar)) }
}

/** Nothing where neither a ticker nor a trade is known. */
function snapshot({ info, cluster, ticker }: Named, desk: Desk): object | undefined {
  const { instrument } = info
  const [day, trade, quote] = (['ticker', 'trade', 'quote'] as const).map((kind) => desk.last(topicName(kind, instrument)))
  const [yesterday, today] = [undefined, ...candlesOf(desk, instrument, '1d', 2)].slice(-2)
  const minute = candlesOf(desk, instrument, '1m', 1)[0]
  const t = day?.type === 'ticker' ? day : undefined
  const e = trade?.type === 'trade' ? trade : undefined
  const last = t?.last ?? e?.price
  if (last === undefined) return undefined
  const { o, h, l, v, vw } = barFields(today)
  const before = t?.prevClose ?? yesterday?.close
  const change = t?.change ?? (before === undefined ? 0 : Number((last - before).toFixed(8)))
  const { i, x } = e ? identity(e, cluster) : { i: '', x: 0 }
  return {
    ticker,
    todaysChange: change,
    todaysChangePerc: t?.changePercent ?? (before ? Number(((100 * change) / before).toFixed(4)) : 0),
    updated: ns(Math.max(t?.time ?? 0, e?.time ?? 0)),
    day: { o: t?.open ?? o, h: t?.high ?? h, l: t?.low ?? l, c: last, v: t?.volume ?? v, vw: vw || last },
    ...(e && {
      lastTrade: { c: cluster === 'crypto' ? sideCodes(e) : conditions(e), i, p: e.price, s: e.size, t: ns(e.time), x }
    }),
    ...(quote?.type === 'quote' && {
      lastQuote: { P: quote.ask, S: quote.askSize, p: quote.bid, s: quote.bidSize, t: ns(quote.time) }
    }),
    min: { ...barFields(minute), av: t?.volume ?? v, ...(minute && { t: minute.start, n: minute.trades ?? 0 }) },
    prevDay: { ...barFields(yesterday), c: before ?? 0 }
  }
}

/** All of a market, or those of `?tickers=AAPL,MSFT`. */
export const snapshots =
  (cluster: Cluster): Answer =>
  ({ query }, desk) => {
    const wanted = first(query['tickers'])
    const asked = wanted === '' ? undefined : new Set(wanted.split(','))
    const found = listed(desk, cluster)
      .map((info) => ({ info, cluster, ticker: tickerOf(cluster, info) }))
      .filter(({ ticker }) => !asked || asked.has(ticker))
    const may = found.filter(({ info }) => !isForbidden(desk, info.instrument))
    if (asked && may.length < found.length) return notEntitled
    const tickers = may.flatMap((named) => snapshot(named, desk) ?? [])
    return ok({ tickers, count: tickers.length })
  }
export const snapshotOf = (stem: string): Answer =>
  ofPrices(stem, (named, _rest, _request, desk) => {
    const ticker = snapshot(named, desk)
    return ticker ? ok({ ticker }) : missing
  })
