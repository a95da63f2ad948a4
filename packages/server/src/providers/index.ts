/** All providers by name: the one place, with its own file, where a provider is named. */
import type { Adapter } from './adapter.ts'
import { alpaca } from './alpaca.ts'
import { alphaVantage } from './alpha-vantage.ts'
import { binanceCoinm, binanceUsdm } from './binance.futures.ts'
import { binance, binanceUs } from './binance.ts'
import { ccxt } from './ccxt.ts'
import { coinbaseExchange } from './coinbase.exchange.ts'
import { coinbase } from './coinbase.ts'
import { finnhub } from './finnhub.ts'
import { fmp } from './fmp.ts'
import { fyers } from './fyers.ts'
import { interactiveBrokers } from './interactive-brokers.ts'
import { krakenFutures } from './kraken.futures.ts'
import { kraken } from './kraken.ts'
import { massive } from './massive.ts'
import { rss } from './rss.ts'
import { yahoo } from './yahoo.ts'

/** Each adapter knows its own session; the machine that runs it only carries it. */
export const providers = {
  binance,
  coinbase,
  kraken,
  alpaca,
  massive,
  finnhub,
  yahoo,
  'alpha-vantage': alphaVantage,
  fmp,
  fyers,
  rss,
  ccxt,
  'interactive-brokers': interactiveBrokers,
  'binance-us': binanceUs,
  'binance-usdm': binanceUsdm,
  'binance-coinm': binanceCoinm,
  'kraken-futures': krakenFutures,
  'coinbase-exchange': coinbaseExchange
} as unknown as Readonly<Record<string, Adapter>>
