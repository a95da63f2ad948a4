/**
 * Every mirror against its adapter: the adapter itself asks for the data, the dialect renders a random event, the adapter decodes
 * it, and every field that the protocol carries is what it was. The table says which those are, and how finely time is told.
 */
import type { Candle, Interval, Quote, Ticker, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mirrors } from '../../src/dialects/index.ts'
import type { Meaning, Need, Subscription } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { books, candles, createBook, quotes, tickers, trades } from './events.ts'
import { connect, createStage, NOW, request } from './stage.ts'

type Event = Trade | Quote | Ticker | Candle
type Kind = Event['type']
type Told<E extends Event> = {
  /** The fields that come back. `time` is among them where `to` says how finely it is told, in milliseconds. */
  carried: readonly (keyof E & string)[]
  to?: 0.001 | 1 | 1_000
  /** Makes of any event one that this provider could have sent. */
  possible?: (event: E) => E
}
type Row = {
  provider: string
  instrument: string
  symbol: string
  /** What its clients say first, where the adapter does not say it by itself. */
  first?: readonly object[]
  trade?: Told<Trade>
  quote?: Told<Quote>
  ticker?: Told<Ticker>
  candle?: Told<Candle> & { interval: '1m' | '5m' }
  book?: true
}

const PRICES = ['open', 'high', 'low', 'close', 'volume', 'interval', 'start'] as const
const QUOTE = ['bid', 'bidSize', 'ask', 'askSize'] as const
const closed = (event: Candle): Candle => ({ ...event, closed: true })
/** A trading day in New York, as ids of this provider have it. */
const dayOf = (time: number): number => Math.floor((time - 18_000_000) / 86_400_000)
/** As if it came from the provider itself: its ids and codes are its own. */
const massive = (event: Trade): Trade => ({
  ...event,
  provider: 'massive',
  id: `${dayOf(event.time)}-4-${event.id}`,
  venue: '4',
  conditions: Number(event.id) % 2 === 0 ? ['14', '41'] : ['12']
})
const alpaca = (event: Trade): Trade => ({
  ...event,
  provider: 'alpaca',
  id: `${dayOf(event.time)}-V-${event.id}`,
  venue: 'V'
})
const finnhub = (event: Trade): Trade => ({
  ...event,
  provider: 'finnhub',
  conditions: Number(event.id) % 2 === 0 ? ['1', '8'] : ['1', '12'],
  ...(Number(event.id) % 2 === 1 && { ineligible: true as const })
})
/** Without a close of the day before, its change is against that of the day's open. */
const withClose = (event: Ticker): Ticker => ({ ...event, prevClose: event.open! })

const ROWS: readonly Row[] = [
  {
    provider: 'binance',
    instrument: 'BTC-USDT',
    symbol: 'BTCUSDT',
    trade: { carried: ['id', 'price', 'size', 'side'], to: 1 },
    quote: { carried: QUOTE },
    ticker: { carried: ['last', 'open', 'high', 'low', 'volume', 'change', 'changePercent'], to: 1 },
    candle: { carried: [...PRICES, 'trades', 'closed'], to: 1, interval: '1m' },
    book: true
  },
  {
    provider: 'coinbase',
    instrument: 'BTC-USDT',
    symbol: 'BTC-USDT',
    trade: { carried: ['id', 'price', 'size', 'side'], to: 0.001 },
    quote: { carried: QUOTE, to: 0.001 },
    ticker: { carried: ['last', 'high', 'low', 'volume', 'changePercent'], to: 0.001 },
    candle: { carried: PRICES, to: 0.001, interval: '5m' },
    book: true
  },
  {
    provider: 'kraken',
    instrument: 'BTC-USDT',
    symbol: 'BTC/USDT',
    trade: { carried: ['id', 'price', 'size', 'side'], to: 0.001 },
    quote: { carried: QUOTE, to: 0.001 },
    ticker: { carried: ['last', 'high', 'low', 'volume', 'change', 'changePercent'], to: 0.001 },
    candle: { carried: [...PRICES, 'trades'], interval: '1m' },
    book: true
  },
  {
    provider: 'alpaca',
    instrument: 'AAPL',
    symbol: 'AAPL',
    trade: { carried: ['id', 'price', 'size', 'venue'], to: 0.001, possible: alpaca },
    quote: { carried: QUOTE, to: 0.001 },
    candle: { carried: [...PRICES, 'trades', 'closed'], interval: '1m', possible: closed }
  },
  {
    provider: 'massive',
    instrument: 'AAPL',
    symbol: 'AAPL',
    first: [{ action: 'auth', params: 'k' }],
    trade: { carried: ['id', 'price', 'size', 'venue', 'conditions'], to: 1, possible: massive },
    quote: { carried: QUOTE, to: 1 },
    ticker: {
      carried: ['last', 'open', 'high', 'low', 'volume', 'change', 'changePercent', 'prevClose'],
      to: 0.001,
      possible: withClose
    },
    candle: { carried: [...PRICES, 'closed'], interval: '1m', possible: closed }
  },
  {
    provider: 'massive',
    instrument: 'BTC-USDT',
    symbol: 'X:BTC-USDT',
    first: [{ action: 'auth', params: 'k' }],
    trade: { carried: ['id', 'price', 'size', 'side', 'venue'], to: 1, possible: massive },
    quote: { carried: QUOTE, to: 1 },
    candle: { carried: [...PRICES, 'closed'], interval: '1m', possible: closed }
  },
  {
    provider: 'finnhub',
    instrument: 'AAPL',
    symbol: 'AAPL',
    trade: { carried: ['price', 'size', 'conditions', 'ineligible'], to: 1, possible: finnhub },
    ticker: {
      carried: ['last', 'open', 'high', 'low', 'change', 'changePercent', 'prevClose'],
      to: 1_000,
      possible: withClose
    }
  },
  {
    provider: 'finnhub',
    instrument: 'BTC-USDT',
    symbol: 'ANY:BTC-USDT',
    trade: { carried: ['price', 'size'], to: 1 }
  }
]

const ACCESS = { key: 'k', secret: 's' }
const prefixOf = (url: string): string => new URL(url).pathname.replace(/\/$/, '')

/** The adapter at work on the dialect, as the machine would have it: it asks, replies, fetches what it needs, and polls. */
function mirrored(row: Row, wanted: readonly Subscription[], stage = createStage()) {
  const adapter = providers[row.provider]!
  const route = adapter.route?.(wanted[0]!) ?? ''
  const { pathname, searchParams } = new URL(adapter.dial?.(adapter.wsUrl!, ACCESS, route) ?? adapter.wsUrl!)
  const session = adapter.open(ACCESS, route)
  const client = connect(stage, mirrors[row.provider]!, pathname, Object.fromEntries(searchParams))
  const polls = new Map<string, Need>()
  const send = (frames: readonly unknown[]): void => {
    for (const frame of frames)
      if (typeof frame === 'string') client.send(frame)
      else if (typeof frame === 'object' && frame !== null && 'need' in frame) polls.set('poll', frame.need as Need)
  }
  const fetch = (need: Need): readonly Meaning[] => {
    const { body } = request(stage, mirrors[row.provider]!, prefixOf(adapter.restUrl) + need.path)
    return mean(adapter.decode(JSON.stringify(body), NOW, session, need))
  }
  const mean = (meanings: readonly Meaning[]): readonly Meaning[] =>
    meanings.flatMap((meaning) => {
      if (['refused', 'reject', 'gap'].includes(meaning.type)) throw new Error(JSON.stringify(meaning))
      if (meaning.type === 'need') return fetch(meaning)
      if (meaning.type === 'reply') send([meaning.frame])
      return [meaning]
    })
  const heard = (): readonly Meaning[] => {
    client.pass(100)
    const out: Meaning[] = []
    while (client.out.length > 0) out.push(...client.take().flatMap((text) => mean(adapter.decode(text, NOW, session))))
    return out
  }
  const polled = (): readonly Meaning[] => [...polls.values()].flatMap(fetch)
  send(adapter.greet?.(session) ?? [])
  for (const message of row.first ?? []) client.send(message)
  heard()
  send(adapter.subscribe(wanted, session))
  return { stage, begun: heard(), heard, polled }
}

const ARBITRARIES = {
  trade: (instrument: string) => trades(instrument),
  quote: (instrument: string) => quotes(instrument),
  ticker: (instrument: string) => tickers(instrument),
  candle: (instrument: string, interval: Interval = '1m') => candles(instrument, interval as '1m')
}
/** Times as fine as a double tells them apart. */
const fine = (event: Event, micros: number): Event =>
  event.type === 'candle' ? event : { ...event, time: event.time + micros / 1_000 }

const known = (row: Row, type: 'ticker' | 'quote'): Ticker | Quote => {
  const stamp = { provider: 'any', instrument: row.instrument, time: NOW, received: NOW }
  if (type === 'ticker') return { ...stamp, type, last: 5, open: 4, high: 6, low: 3, volume: 7, change: 1, changePercent: 25 }
  return { ...stamp, type, bid: 5, bidSize: 1, ask: 6, askSize: 2 }
}

const UNITS: Readonly<Record<number, string>> = { 0.001: 'microsecond', 1: 'millisecond', 1_000: 'second' }
const sentence = (row: Row, kind: Kind): string => {
  const { carried, to } = row[kind]!
  const time = to === undefined ? '' : `, and its time to the ${UNITS[to]}`
  return `a ${kind} of ${row.symbol} that is rendered and decoded again has its ${carried.join(', ')}${time}`
}

const CASES = ROWS.flatMap((row) =>
  (['trade', 'quote', 'ticker', 'candle'] as const).filter((kind) => row[kind]).map((kind) => [row, kind] as const)
)

describe('an event that a mirror renders is what its adapter decodes', () => {
  test.each(CASES.map(([row, kind]) => [row.provider, sentence(row, kind), row, kind] as const))(
    '%s: %s',
    (_provider, _sentence, row, kind) => {
      const { carried, to, possible } = row[kind] as Told<Event>
      const interval = kind === 'candle' ? { interval: row.candle!.interval } : {}
      fc.assert(
        fc.property(
          ARBITRARIES[kind](row.instrument, row.candle?.interval) as fc.Arbitrary<Event>,
          fc.nat(999),
          (plain, micros) => {
            const any = fine(plain, micros)
            const event = possible ? possible(any) : any
            const { stage, heard, polled } = mirrored(row, [{ kind, symbol: row.symbol, ...interval }])
            // Some tell the last price and the best bid in one row, and nothing before both are known.
            if (kind === 'quote') stage.publish(known(row, 'ticker'))
            if (kind === 'ticker') stage.publish(known(row, 'quote'))
            heard()
            stage.publish(event)
            const found = [...heard(), ...polled()].filter((one) => one.type === kind)
            expect(found).toHaveLength(1)
            const [back] = found as unknown as [Record<string, unknown>]
            expect(back.symbol).toBe(row.symbol)
            for (const field of carried) expect([field, back[field]]).toEqual([field, event[field]])
            if (to === undefined) return
            // Half a microsecond is what a double of nanoseconds may lose.
            const lost = event.time - Number(back.time)
            expect(lost).toBeGreaterThan(to === 0.001 ? -0.001 : -0.0005)
            expect(lost).toBeLessThan(to)
          }
        )
      )
    }
  )
})

describe('a book that a mirror tells is the book that its adapter folds', () => {
  test.each(ROWS.filter(({ book }) => book).map((row) => [row.provider, row] as const))(
    '%s: after each difference the levels are those of the plant, and none is missing',
    (_provider, row) => {
      let compared = 0
      fc.assert(
        fc.property(books(row.instrument, 12), (pictures) => {
          const stage = createStage()
          stage.publish(pictures[0]!)
          const { begun, heard } = mirrored(row, [{ kind: 'book', symbol: row.symbol }], stage)
          const book = createBook()
          const before = [...begun]
          let whole = false
          for (const picture of pictures) {
            stage.publish(picture)
            for (const meaning of [...before.splice(0), ...heard()]) {
              if (meaning.type !== 'delta') continue
              whole ||= meaning.snapshot
              book.apply(meaning, meaning.depth)
            }
            // A picture like the one before brings nothing, perhaps not even the first snapshot.
            if (!whole) continue
            compared++
            expect(book.sides()).toEqual({ bids: picture.bids, asks: picture.asks })
          }
        })
      )
      expect(compared).toBeGreaterThan(100)
    }
  )
})

test('every mirror stands in the table', () => {
  expect([...new Set(ROWS.map(({ provider }) => provider))]).toEqual(Object.keys(mirrors))
})
