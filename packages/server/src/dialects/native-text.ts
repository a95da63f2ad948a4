/** The JSON text of events, by template: each event is encoded once, and that once is still the server's hottest line. */
import type { Book, Candle, Level, Published, Quote, Ticker, Trade } from '@tickwire/protocol'

/** What every event of a topic from one provider begins with; topics are few, so this is looked up, not built. */
const heads = new Map<string, { type: string; provider: string; instrument: string; text: string }>()
const MAX_HEADS = 50_000

function head(event: Published): string {
  const { topic, type, instrument, provider } = event
  const known = heads.get(topic)
  if (known !== undefined && known.provider === provider && known.instrument === instrument && known.type === type)
    return known.text
  const text = `{"topic":${quoted(topic)},"type":"${type}","instrument":${quoted(instrument)},"provider":${quoted(provider)},"seq":`
  if (heads.size >= MAX_HEADS) heads.clear()
  heads.set(topic, { type, provider, instrument, text })
  return text
}

const quoted = (text: string): string => JSON.stringify(text)
/** JSON has no NaN and no infinity; JSON.stringify writes null for them, and so do we. */
const num = (n: number): number | null => (n - n === 0 ? n : null)
const opt = (name: string, n: number | undefined): string => (n === undefined ? '' : `,"${name}":${num(n)}`)
const flag = (name: string, set: boolean | undefined): string => (set === undefined ? '' : `,"${name}":${set}`)

const stamp = (e: Published & { confidence?: number }): string =>
  `${head(e)}${e.seq},"published":${num(e.published)},"time":${num(e.time)},"received":${num(e.received)}${opt('confidence', e.confidence)}`

const trade = (e: Published<Trade>): string =>
  `${stamp(e)},"price":${num(e.price)},"size":${num(e.size)},"side":"${e.side}"` +
  `${e.id === undefined ? '' : `,"id":${quoted(e.id)}`}${flag('backfill', e.backfill)}}`

const quote = (e: Published<Quote>): string =>
  `${stamp(e)},"bid":${num(e.bid)},"bidSize":${num(e.bidSize)},"ask":${num(e.ask)},"askSize":${num(e.askSize)}}`

const ticker = (e: Published<Ticker>): string =>
  `${stamp(e)},"last":${num(e.last)}${opt('open', e.open)}${opt('high', e.high)}${opt('low', e.low)}${opt('volume', e.volume)}` +
  `${opt('change', e.change)}${opt('changePercent', e.changePercent)}${opt('prevClose', e.prevClose)}}`

const candle = (e: Published<Candle>): string =>
  `${stamp(e)},"interval":"${e.interval}","start":${num(e.start)},"open":${num(e.open)},"high":${num(e.high)},"low":${num(e.low)},` +
  `"close":${num(e.close)},"volume":${num(e.volume)}${opt('trades', e.trades)},"closed":${e.closed},"revision":${num(e.revision)}}`

function levels(side: readonly Level[]): string {
  let text = ''
  for (const [price, size] of side) text += text === '' ? `[${num(price)},${num(size)}]` : `,[${num(price)},${num(size)}]`
  return text
}

const book = (e: Published<Book>): string =>
  `${stamp(e)},"bids":[${levels(e.bids)}],"asks":[${levels(e.asks)}]${opt('sequence', e.sequence)}${flag('verified', e.verified)}}`

/** The same value as JSON.stringify(event) has, with the fields in an order of our own. */
export function eventText(event: Published): string {
  if (event.type === 'trade') return trade(event)
  if (event.type === 'quote') return quote(event)
  if (event.type === 'ticker') return ticker(event)
  if (event.type === 'candle') return candle(event)
  if (event.type === 'book') return book(event)
  return JSON.stringify(event)
}
