/** What each cluster of Massive calls an instrument: `AAPL`, `BTC-USD` (REST: `X:BTCUSD`), `EUR/USD` (`C:EURUSD`), `I:SPX`. */
import type { Interval } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialect.ts'
import { marketOf, type Market } from './markets.ts'

export type Cluster = 'stocks' | 'crypto' | 'forex' | 'indices'
/** `second` is no kind of ours: its bars are folded from trades. */
export type Kind = 'trade' | 'quote' | 'candle' | 'second' | 'band' | 'index' | 'book'

/** Which channel of a cluster carries what. */
export const CHANNELS: Readonly<Record<Cluster, Readonly<Record<string, Kind>>>> = {
  stocks: { T: 'trade', Q: 'quote', A: 'second', AM: 'candle', LULD: 'band' },
  crypto: { XT: 'trade', XQ: 'quote', XAS: 'second', XA: 'candle', XL2: 'book' },
  forex: { C: 'quote', CA: 'candle' },
  indices: { V: 'index', AM: 'candle' }
}
export const CLUSTERS = Object.keys(CHANNELS) as readonly Cluster[]

const CLUSTER_OF: Readonly<Record<Market, Cluster>> = { stock: 'stocks', index: 'indices', crypto: 'crypto', forex: 'forex' }

/** Derivatives and foreign exchanges have clusters of their own, which are not spoken here. */
export function clusterOf(info: InstrumentInfo): Cluster | undefined {
  const market = marketOf(info)
  return market && CLUSTER_OF[market]
}

/** The name on the socket of an instrument of this cluster. */
export const nameOf = (cluster: Cluster, instrument: string): string =>
  cluster === 'indices' ? `I:${instrument.slice(6)}` : cluster === 'forex' ? instrument.replace('-', '/') : instrument

/** The other way; nothing where nobody lists it, or it is of another cluster. */
export function instrumentOf(desk: Desk, cluster: Cluster, name: string): string | undefined {
  const id = cluster === 'indices' ? name.replace(/^I:/, 'INDEX:') : cluster === 'forex' ? name.replace('/', '-') : name
  const info = desk.instrument(id)
  return info && clusterOf(info) === cluster && nameOf(cluster, id) === name ? id : undefined
}

const PREFIX: Readonly<Record<Cluster, string>> = { stocks: '', crypto: 'X:', forex: 'C:', indices: 'I:' }
/** The name in REST. */
export const tickerOf = (cluster: Cluster, { instrument, base, quote = '' }: InstrumentInfo): string =>
  cluster === 'indices' ? nameOf(cluster, instrument) : PREFIX[cluster] + base + quote

export function infoOf(desk: Desk, ticker: string): { info: InstrumentInfo; cluster: Cluster } | undefined {
  const text = ticker.startsWith('I:') ? `INDEX:${ticker.slice(2)}` : ticker.replace(/^[XC]:/, '')
  const found = desk.resolve(text)
  const info = found.ok ? desk.instrument(found.instrument) : undefined
  const cluster = info && clusterOf(info)
  return info && cluster && tickerOf(cluster, info) === ticker ? { info, cluster } : undefined
}

export const listed = (desk: Desk, cluster: Cluster): InstrumentInfo[] =>
  desk.instruments().filter((info) => clusterOf(info) === cluster)

const MINUTES: readonly (readonly [number, Interval])[] = [
  [1, '1m'],
  [3, '3m'],
  [5, '5m'],
  [15, '15m'],
  [30, '30m'],
  [60, '1h'],
  [120, '2h'],
  [240, '4h'],
  [360, '6h'],
  [480, '8h'],
  [720, '12h'],
  [1_440, '1d']
]
const UNITS: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1_440 }
/** `5/minute` → `5m`; nothing for seconds, weeks and whatever else nobody keeps. */
export const intervalOf = (count: number, unit: string): Interval | undefined =>
  MINUTES.find(([minutes]) => minutes === count * (UNITS[unit] ?? Number.NaN))?.[1]
