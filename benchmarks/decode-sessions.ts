/** The recorded sessions that decoding is measured on, and the same events in the form that each peer reads. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { providers } from '@tickwire/server/providers/index.ts'
import type { Ccxt, Market, Tardis } from './decode-peers.ts'

export type Session = {
  capture: string
  provider: string
  frames: readonly string[]
  snapshots: readonly Snapshot[]
  tardis?: Tardis
  ccxt?: Ccxt
  /** Why no peer is measured beside ours. */
  alone?: string
}
type Snapshot = { symbol: string; body: string }

const unpacked = (name: string): string => {
  const bytes = readFileSync(new URL(`../captures/${name}`, import.meta.url))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}
const read = (name: string): string[] => unpacked(name).trimEnd().split('\n')

/** Those of the listing that are in the session. */
function listed(provider: string, file: string, symbols: ReadonlySet<string>): Market[] {
  const adapter = providers[provider]!
  const meanings = adapter.decode(unpacked(file), 0, adapter.open({}), { type: 'need', purpose: 'listing', path: '' })
  const rows = meanings.flatMap((meaning) => (meaning.type === 'listing' ? meaning.rows : []))
  return rows
    .filter(({ symbol }) => symbols.has(symbol))
    .map(({ symbol, base, quote = '', contract }) => ({
      id: symbol,
      base,
      quote,
      ...(contract === undefined ? {} : { contract: contract.startsWith('INVERSE') ? ('inverse' as const) : ('linear' as const) })
    }))
}

function binanceSession(name: string, provider: string, exchange: string, ccxt: string, url: string): Session {
  const frames = read(name.includes('futures') ? `binance/${name}.jsonl.gz` : `binance/${name}.jsonl`)
  const bodies = read(`binance/${name}.http.jsonl`).map((line) => {
    const { url, body } = JSON.parse(line) as { url: string; body: object }
    return { symbol: new URL(url).searchParams.get('symbol')!, body }
  })
  // The form in which tardis-dev hands snapshots to its mappers.
  const generated = bodies.map(({ symbol, body }) =>
    JSON.stringify({ stream: `${symbol.toLowerCase()}@depthSnapshot`, generated: true, data: body })
  )
  const snapshots = bodies.map(({ symbol, body }) => ({ symbol, body: JSON.stringify(body) }))
  const markets = listed(provider, `binance/${name}.instruments.json.gz`, new Set(snapshots.map(({ symbol }) => symbol)))
  return {
    capture: name,
    provider,
    frames,
    snapshots,
    tardis: { exchange, frames, snapshots: generated },
    ccxt: { exchange: ccxt, url, markets, snapshots }
  }
}

type Row = Record<string, string>
type Frame = {
  channel: string
  sequence_num: number
  events: { type: string; product_id?: string; updates?: Row[]; trades?: Row[]; tickers?: Row[] }[]
  timestamp: string
}

/** tardis-dev reads the Exchange feed of Coinbase and not Advanced Trade: the same events written in that form. */
function asExchange({ channel, events, timestamp: time }: Frame): object[] {
  return events.flatMap(({ type, product_id, updates = [], trades = [], tickers = [] }): object[] => {
    const side = (name: string) => updates.filter((row) => row.side === name).map((row) => [row.price_level, row.new_quantity])
    if (channel === 'l2_data' && type === 'snapshot') return [{ type, product_id, bids: side('bid'), asks: side('offer') }]
    if (channel === 'l2_data') {
      const changes = updates.map((row) => [row.side === 'bid' ? 'buy' : 'sell', row.price_level, row.new_quantity])
      return [{ type: 'l2update', product_id, time: updates[0]?.event_time ?? time, changes }]
    }
    const matches = type === 'snapshot' ? [] : trades.map((row) => ({ ...row, type: 'match', side: row.side?.toLowerCase() }))
    const quotes = tickers.map((row) => {
      return { ...row, type: 'ticker', time, best_bid_size: row.best_bid_quantity, best_ask_size: row.best_ask_quantity }
    })
    return [...matches, ...quotes]
  })
}

function coinbaseSession(): Session {
  const name = 'advanced-2026-08-09'
  const frames = read(`coinbase/${name}.jsonl.gz`)
  const other = frames.flatMap((frame) => asExchange(JSON.parse(frame) as Frame)).map((row) => JSON.stringify(row))
  return {
    capture: name,
    provider: 'coinbase',
    frames,
    snapshots: [],
    tardis: { exchange: 'coinbase', frames: other, snapshots: [] },
    ccxt: {
      exchange: 'coinbase',
      url: 'wss://advanced-trade-ws.coinbase.com',
      markets: ['BTC', 'ETH'].map((base) => ({ id: `${base}-USD`, base, quote: 'USD' })),
      snapshots: []
    }
  }
}

/** tardis-dev reads v1; the v2 frames were derived from those very frames. Its heartbeats and acks it does not see here. */
function krakenSession(): Session {
  const name = 'derived-v2-v1-2021-04-17-book1000'
  const v1 = read('kraken/v1-2021-04-17-book1000.jsonl').filter((frame) => frame.startsWith('['))
  return {
    capture: name,
    provider: 'kraken',
    frames: read(`kraken/${name}.jsonl`),
    snapshots: [],
    tardis: { exchange: 'kraken', frames: v1, snapshots: [] },
    ccxt: {
      exchange: 'kraken',
      url: 'wss://ws.kraken.com/v2',
      markets: 'ADA/BTC ETH/CHF GRT/ETH KSM/BTC OCEAN/BTC OMG/USD SC/EUR WAVES/EUR BTC/CHF XMR/USD'.split(' ').map((id) => {
        const [base = '', quote = ''] = id.split('/')
        return { id, base, quote }
      }),
      snapshots: []
    }
  }
}

/** A few frames stand for a long connection: what is done once per connection must not count once per handful of them. */
const LEAST = 300
const long = (frames: readonly string[]): readonly string[] =>
  Array.from({ length: Math.ceil(LEAST / frames.length) }, () => frames).flat()
const alone = (provider: string, capture: string, frames: readonly string[], reason: string): Session => ({
  provider,
  capture,
  frames: long(frames),
  snapshots: [],
  alone: reason
})

/** Login and acks come once a session, and here there is little else: the market data alone. */
function alpacaSession(): Session {
  const name = 'ws-session-sip-2023-04-06'
  const frames = read(`alpaca/${name}.jsonl`).filter((frame) => /^\[\{"T":"[tqb]"/.test(frame))
  return alone('alpaca', name, frames, 'tardis-dev has no Alpaca, and the class of ccxt reads its crypto alone')
}

const at = (n: number) => `2023-11-20T10:52:${String(10 + (n % 50))}.58${String(n).padStart(4, '0')}Z`
const price = (n: number) => 37_430.1 + (n % 17) / 10

/** What both read of Alpaca: its crypto, in the words of its documentation, as no session of it was recorded. */
function alpacaCryptoSession(): Session {
  const frames = Array.from({ length: LEAST }, (_, n) =>
    n % 2 === 0
      ? [{ T: 't', S: 'BTC/USD', p: price(n), s: 0.0025, t: at(n), i: 1_000_000 + n, tks: 'B' }]
      : [{ T: 'q', S: 'BTC/USD', bp: price(n), bs: 0.95, ap: price(n) + 1, as: 0.4, t: at(n) }]
  ).map((rows) => JSON.stringify(rows))
  return {
    provider: 'alpaca',
    capture: 'crypto as documented',
    frames,
    snapshots: [],
    ccxt: {
      exchange: 'alpaca',
      url: 'wss://stream.data.alpaca.markets/v1beta3/crypto/us',
      markets: [{ id: 'BTC/USD', base: 'BTC', quote: 'USD' }],
      snapshots: []
    }
  }
}

/** The Exchange feed: the recorded events of Advanced Trade in its form, which is what tardis-dev and ccxt read. */
function coinbaseExchangeSession(): Session {
  const frames = read('coinbase/advanced-2026-08-09.jsonl.gz')
    .flatMap((frame) => asExchange(JSON.parse(frame) as Frame))
    .map((row) => JSON.stringify(row))
  return {
    provider: 'coinbase-exchange',
    capture: 'advanced-2026-08-09 in the form of Exchange',
    frames,
    snapshots: [],
    tardis: { exchange: 'coinbase', frames, snapshots: [] },
    ccxt: {
      exchange: 'coinbaseexchange',
      url: 'wss://ws-feed.exchange.coinbase.com',
      markets: ['BTC', 'ETH'].map((base) => ({ id: `${base}-USD`, base, quote: 'USD' })),
      snapshots: []
    }
  }
}

/** Fields of futures are those of spot in other words; heartbeats and acks are left out on all sides. */
function krakenFuturesSession(): Session {
  const frames = read('kraken/futures-2021-07-22.jsonl.gz').filter(
    (frame) => frame.includes('"feed"') && !frame.includes('"event"')
  )
  const symbols = new Set(frames.map((frame) => (JSON.parse(frame) as { product_id: string }).product_id))
  return {
    provider: 'kraken-futures',
    capture: 'futures-2021-07-22',
    frames,
    snapshots: [],
    tardis: { exchange: 'cryptofacilities', frames, snapshots: [] },
    ccxt: {
      exchange: 'krakenfutures',
      url: 'wss://futures.kraken.com/ws/v1',
      markets: [...symbols].map((id) => ({ id, base: id.slice(3, -3), quote: id.slice(-3), contract: 'linear' as const })),
      snapshots: []
    }
  }
}

const NOBODY = 'neither tardis-dev nor ccxt reads it'

export const sessions: readonly Session[] = [
  binanceSession('spot-2021-10-12', 'binance', 'binance', 'binance', 'wss://stream.binance.com:9443/stream'),
  binanceSession('us-2021-10-12', 'binance-us', 'binance-us', 'binanceus', 'wss://stream.binance.us:9443/stream'),
  binanceSession('usdm-futures-2021-07-22', 'binance-usdm', 'binance-futures', 'binanceusdm', 'wss://fstream.binance.com/stream'),
  binanceSession(
    'coinm-futures-2021-07-22',
    'binance-coinm',
    'binance-delivery',
    'binancecoinm',
    'wss://dstream.binance.com/stream'
  ),
  coinbaseSession(),
  krakenSession(),
  krakenFuturesSession(),
  coinbaseExchangeSession(),
  alpacaSession(),
  alpacaCryptoSession(),
  alone('massive', 'ws-doc-samples', read('massive/ws-doc-samples.jsonl'), NOBODY),
  alone('finnhub', 'ws-trades', read('finnhub/ws-trades.jsonl'), NOBODY),
  alone('fmp', 'ws-frames-documented', read('fmp/ws-frames-documented.jsonl'), NOBODY),
  alone('yahoo', 'stream-frames', read('yahoo/stream-frames.jsonl'), NOBODY)
]
