/** What the street trades: assets, venues, and how busy each pair is. Data only; the prices are of a believable recent day. */
import type { Listing } from '@tickwire/server/providers/adapter.ts'

type Asset = {
  name: string
  price: number
  /** Standard deviation of a day's return. */
  daily: number
  /** Events per second on the busiest venue. */
  quotes: number
  trades: number
  books: number
  /** A typical trade, in quote currency. */
  ticket: number
}

const asset = (
  name: string,
  price: number,
  daily: number,
  quotes: number,
  trades: number,
  books: number,
  ticket = 1_500
): Asset => ({
  name,
  price,
  daily,
  quotes,
  trades,
  books,
  ticket
})

export const ASSETS: Readonly<Record<string, Asset>> = {
  BTC: asset('Bitcoin', 95_000, 0.026, 15, 5, 8, 2_500),
  ETH: asset('Ethereum', 3_300, 0.034, 10, 3, 5, 2_000),
  SOL: asset('Solana', 190, 0.045, 6, 2, 4),
  XRP: asset('XRP', 2.4, 0.045, 4, 1.2, 2),
  DOGE: asset('Dogecoin', 0.33, 0.055, 3, 0.8, 2, 700),
  ADA: asset('Cardano', 0.9, 0.05, 2, 0.4, 1, 700),
  LTC: asset('Litecoin', 105, 0.04, 1, 0.2, 1, 700),
  LINK: asset('Chainlink', 21, 0.05, 1, 0.2, 1, 700),
  AVAX: asset('Avalanche', 36, 0.05, 0.5, 0.1, 0.5, 500),
  /** The quiet one: about a trade a minute. */
  DOT: asset('Polkadot', 6.5, 0.05, 0.2, 1 / 60, 0.25, 300),
  AAPL: asset('Apple Inc. Common Stock', 235, 0.016, 4, 1.2, 0, 9_000),
  MSFT: asset('Microsoft Corporation Common Stock', 425, 0.015, 3, 1, 0, 9_000),
  GOOGL: asset('Alphabet Inc. Class A Common Stock', 192, 0.018, 3, 0.8, 0, 8_000),
  TSLA: asset('Tesla, Inc. Common Stock', 390, 0.034, 5, 2, 0, 9_000),
  NVDA: asset('NVIDIA Corporation Common Stock', 138, 0.028, 5, 2, 0, 8_000),
  SPY: asset('SPDR S&P 500 ETF Trust', 595, 0.009, 4, 1.5, 0, 20_000)
}

export type Venue = {
  provider: string
  /** Milliseconds behind the latent price, and before its events leave. */
  latency: number
  /** Lasting distance from the latent price, and typical distance between levels, in basis points. */
  offset: number
  spread: number
  /** Against the busiest venue. */
  activity: number
  /** Levels a side. */
  depth: number
  /** Of its feeds the one that is simulated, where it has several: that of the whole market. */
  feed?: string
  /** It tells news of what it lists. */
  news?: true
  listing: readonly Listing[]
}

/** Rows of `base quote priceDecimals sizeDecimals`, in the words of the provider that lists them. */
const listing = (rows: string, symbol: (base: string, quote: string) => string): Listing[] =>
  rows.split(',').map((row) => {
    const [base, quote, price, size] = row.trim().split(' ') as [string, string, string, string]
    return {
      symbol: symbol(base, quote),
      base,
      ...(quote === '-' ? {} : { quote }),
      trading: true,
      name: ASSETS[base]!.name,
      priceDecimals: Number(price),
      sizeDecimals: Number(size)
    }
  })

export const VENUES: Readonly<Record<string, Venue>> = {
  binance: {
    provider: 'binance',
    latency: 12,
    offset: 0,
    spread: 0.12,
    activity: 1,
    depth: 50,
    listing: listing(
      `BTC USDT 2 5, ETH USDT 2 4, SOL USDT 2 3, XRP USDT 4 1, DOGE USDT 5 0, ADA USDT 4 1, LTC USDT 2 3, LINK USDT 2 2,
       AVAX USDT 2 2, DOT USDT 3 2`,
      (base, quote) => base + quote
    )
  },
  coinbase: {
    provider: 'coinbase',
    latency: 35,
    offset: 0.8,
    spread: 0.2,
    activity: 0.8,
    depth: 40,
    listing: listing(
      `BTC USD 2 8, ETH USD 2 8, SOL USD 2 8, XRP USD 4 6, DOGE USD 5 1, BTC USDT 2 8, ETH USDT 2 8, SOL USDT 2 8, XRP USDT 4 6,
       DOGE USDT 5 1, ADA USDT 4 8, LTC USDT 2 8, LINK USDT 3 2, AVAX USDT 2 8, DOT USDT 3 8`,
      (base, quote) => `${base}-${quote}`
    )
  },
  kraken: {
    provider: 'kraken',
    latency: 55,
    offset: -1.1,
    spread: 0.5,
    activity: 0.6,
    depth: 30,
    listing: listing(
      `BTC USD 1 8, ETH USD 2 8, SOL USD 2 8, XRP USD 5 8, DOGE USD 7 8, BTC USDT 1 8, ETH USDT 2 8, SOL USDT 2 8, XRP USDT 5 8,
       DOGE USDT 7 8, ADA USDT 6 8, LTC USDT 2 8, LINK USDT 5 8, AVAX USDT 2 8, DOT USDT 4 8`,
      (base, quote) => `${base}/${quote}`
    )
  },
  alpaca: {
    provider: 'alpaca',
    latency: 25,
    offset: 0,
    spread: 0.6,
    activity: 1,
    depth: 0,
    feed: 'sip',
    news: true,
    listing: listing('AAPL - 2 0, MSFT - 2 0, GOOGL - 2 0, TSLA - 2 0, NVDA - 2 0, SPY - 2 0', (base) => base)
  },
  massive: {
    provider: 'massive',
    latency: 30,
    offset: 0.1,
    spread: 0.6,
    activity: 0.7,
    depth: 0,
    listing: listing('AAPL - 2 0, MSFT - 2 0, TSLA - 2 0, NVDA - 2 0, SPY - 2 0, BTC USD 2 8, ETH USD 2 8', (base, quote) =>
      quote === '-' ? base : `X:${base}-${quote}`
    )
  },
  finnhub: {
    provider: 'finnhub',
    latency: 80,
    offset: -0.1,
    spread: 0.6,
    activity: 0.7,
    depth: 0,
    listing: listing('AAPL - 2 0, MSFT - 2 0, TSLA - 2 0, NVDA - 2 0, SPY - 2 0, BTC USDT 2 5, ETH USDT 2 4', (base, quote) =>
      quote === '-' ? base : `BINANCE:${base}${quote}`
    )
  }
}

/** The street of the demo; the others open when they are named. */
export const DEMO: readonly string[] = ['binance', 'coinbase', 'kraken', 'alpaca']

export const instrumentOf = (row: Listing): string => (row.quote === undefined ? row.base : `${row.base}-${row.quote}`)

/** A recorded session: where it stands in the captures, and what around it is not in the recording. */
export type RecordingPlan = {
  provider: string
  /** Files are `<session>.jsonl` and the like. */
  session: string
  /** Has a sidecar of receive times; else the times in the frames are used. */
  traced: boolean
  /** Has the REST answers of the session. */
  rest: boolean
  listing: { path: string; file: string }
  /** Who answers subscriptions: the recording holds the answers itself, or the provider's dialect speaks around it. */
  controls: 'recorded' | 'dialect'
  /** Changes a client's request where the recording differs from what it asks. */
  restate?: (frame: string) => string
  /** What was recorded. */
  rows: readonly Listing[]
}

const recorded = (names: string, symbol: (base: string, quote: string) => string): Listing[] =>
  names.split(' ').map((name) => {
    const [pair, price, size] = name.split(':') as [string, string?, string?]
    const [base, quote] = pair.split('-') as [string, string]
    const decimals = price === undefined ? {} : { priceDecimals: Number(price), sizeDecimals: Number(size) }
    return { symbol: symbol(base, quote), base, quote, trading: true, ...decimals }
  })

export const RECORDINGS: Readonly<Record<string, RecordingPlan>> = {
  binance: {
    provider: 'binance',
    session: 'spot-2021-10-12',
    traced: true,
    rest: true,
    listing: { path: '/api/v3/exchangeInfo', file: 'spot-2021-10-12.instruments.json' },
    controls: 'dialect',
    rows: recorded('NKN-USDT BLZ-ETH LRC-BTC RUNE-EUR', (base, quote) => base + quote)
  },
  coinbase: {
    provider: 'coinbase',
    session: 'advanced-2026-08-09',
    traced: true,
    rest: false,
    listing: { path: '/api/v3/brokerage/market/products', file: 'advanced-2026-08-09.instruments.json' },
    controls: 'recorded',
    rows: recorded('BTC-USD ETH-USD', (base, quote) => `${base}-${quote}`)
  },
  kraken: {
    provider: 'kraken',
    session: 'derived-v2-v1-2021-04-17-book1000',
    traced: false,
    rest: false,
    listing: { path: '/0/public/AssetPairs', file: 'v1-2021-04-17-trade.instruments.json' },
    controls: 'dialect',
    // The books were recorded 1,000 levels deep: a reader that keeps fewer would miss levels that come back.
    restate: (frame) => frame.replace(/"depth":\d+/, '"depth":1000'),
    // Decimals of that day, from precision.json: the checksums were made with them.
    rows: recorded(
      'ADA-BTC:9:8 ETH-CHF:5:8 GRT-ETH:9:8 KSM-BTC:8:8 OCEAN-BTC:9:8 OMG-USD:6:8 SC-EUR:6:8 WAVES-EUR:6:8 BTC-CHF:5:8 XMR-USD:8:8',
      (base, quote) => `${base}/${quote}`
    )
  }
}
