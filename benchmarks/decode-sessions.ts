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

/** Login and acks come once a session, and here there is little else: the market data alone. */
function alpacaSession(): Session {
  const name = 'ws-session-sip-2023-04-06'
  const frames = read(`alpaca/${name}.jsonl`).filter((frame) => /^\[\{"T":"[tqb]"/.test(frame))
  return alone('alpaca', name, frames)
}

/** A few frames stand for a long connection: what is done once per connection must not count once per handful of them. */
const LEAST = 300
/** No peer is set up for it, though ccxt.pro has classes for Alpaca and Kraken Futures: what is said here is our own time alone. */
const alone = (provider: string, capture: string, frames: readonly string[]): Session => ({
  provider,
  capture,
  frames: Array.from({ length: Math.ceil(LEAST / frames.length) }, () => frames).flat(),
  snapshots: []
})

/** Fields of futures are those of spot in other words; heartbeats and acks are left out on all sides. */
function krakenFuturesSession(): Session {
  const frames = read('kraken/futures-2021-07-22.jsonl.gz').filter(
    (frame) => frame.includes('"feed"') && !frame.includes('"event"')
  )
  return {
    ...alone('kraken-futures', 'futures-2021-07-22', frames),
    tardis: { exchange: 'cryptofacilities', frames, snapshots: [] }
  }
}

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
  alpacaSession(),
  alone('massive', 'ws-doc-samples', read('massive/ws-doc-samples.jsonl')),
  alone('finnhub', 'ws-trades', read('finnhub/ws-trades.jsonl')),
  alone('fmp', 'ws-frames-documented', read('fmp/ws-frames-documented.jsonl'))
]
