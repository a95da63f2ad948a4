/** GET /udf/quotes: the last prices of several symbols, each with its own outcome. */
import { topicName, type DataKind, type Published } from '@tickwire/protocol'
import type { Desk, Hands, HttpAnswer, HttpRequest, InstrumentInfo } from './dialect.ts'
import { priceUpdate, quoteUpdate, type Pictures } from './fiml.updates.ts'
import { first } from './past.ts'
import { rangeOf } from './range.ts'
import { failed } from './udf.history.ts'
import { exchangeOf, found, infoOf } from './udf.symbols.ts'

const MOST = 50
const KINDS: readonly DataKind[] = ['ticker', 'quote', 'trade']

/** What nobody gave is left out. */
const given = (fields: Record<string, number | string | boolean | null | undefined>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))

function valuesOf(info: InstrumentInfo, pictures: Pictures): object | undefined {
  const { ticker, quote, trade } = pictures
  const range = rangeOf(ticker, trade)
  const price = priceUpdate(info.instrument, pictures, false)
  if (!price) return undefined
  return given({
    ch: price['change'],
    chp: price['change_percent'],
    short_name: info.instrument.split(':').at(-1),
    exchange: exchangeOf(info),
    original_name: info.instrument,
    description: found(info).description,
    lp: price['price'],
    ask: quote?.ask,
    bid: quote?.bid,
    spread: quote && quoteUpdate(info.instrument, quote)['spread'],
    open_price: ticker?.open,
    high_price: range.high,
    low_price: range.low,
    prev_close_price: ticker?.prevClose,
    volume: price['volume']
  })
}

/** Whoever asks for quotes again and again keeps them coming. */
function picturesOf(instrument: string, desk: Desk, hands: Hands | undefined): Promise<Pictures> {
  const kinds = KINDS.filter((kind) => desk.carries({ kind, instrument }))
  const topics = kinds.map((kind) => topicName(kind, instrument))
  const read = hands ? hands.read : (topic: string) => Promise.resolve(desk.last(topic))
  return Promise.all(topics.map(read)).then((events) =>
    Object.fromEntries(events.filter((event): event is Published => event !== undefined).map((event) => [event.type, event]))
  )
}

function quoteOf(symbol: string, desk: Desk, hands: Hands | undefined): Promise<object> {
  const info = infoOf(desk, symbol)
  if (!info) return Promise.resolve({ s: 'error', n: symbol, v: {} })
  return picturesOf(info.instrument, desk, hands).then((pictures) => {
    const v = valuesOf(info, pictures)
    return v ? { s: 'ok', n: symbol, v } : { s: 'error', n: symbol, v: {} }
  })
}

export function quotes({ query }: HttpRequest, desk: Desk, hands: Hands | undefined): HttpAnswer | Promise<HttpAnswer> {
  const symbols = [...new Set(first(query['symbols']).split(','))]
    .map((symbol) => symbol.trim())
    .filter((symbol) => symbol !== '')
  if (symbols.length === 0 || symbols.length > MOST) return failed(`symbols: 1 to ${MOST} of them, with commas between`)
  return Promise.all(symbols.map((symbol) => quoteOf(symbol, desk, hands))).then((d) => ({ status: 200, body: { s: 'ok', d } }))
}
