/** The maps of dialects: those of our own port, and those that mirror a provider. */
import { alpaca } from './alpaca.ts'
import { binance } from './binance.ts'
import { coinbase } from './coinbase.ts'
import { datastream } from './datastream.ts'
import type { Dialect } from './dialect.ts'
import { emulated } from './emulate.ts'
import { fiml } from './fiml.ts'
import { finnhub } from './finnhub.ts'
import { kraken } from './kraken.ts'
import { massive } from './massive.ts'
import { native } from './native.ts'
import { udf } from './udf.ts'
import { alerts } from './ziggy.alerts.ts'
import { charts } from './ziggy.charts.ts'
import { chat } from './ziggy.chat.ts'
import { market } from './ziggy.market.ts'
import { news } from './ziggy.news.ts'
import { portfolio } from './ziggy.portfolio.ts'
import { signals } from './ziggy.signals.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- each dialect is run with the memory that it opened itself
const ziggy: readonly Dialect<any>[] = [market, news, alerts, signals, portfolio, charts, chat]

/** Spoken on the port of the server. Where two would take one address, the earlier does. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export const dialects: readonly Dialect<any>[] = [native, fiml, datastream, udf, ...ziggy]

/** A provider's own protocol, by the provider's name: the street speaks them. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export const mirrors: Readonly<Record<string, Dialect<any>>> = { binance, coinbase, kraken, alpaca, massive, finnhub }

/** The same on the port of the server, for clients that exist: under `/emulate/<provider>`. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export const emulations: readonly Dialect<any>[] = Object.entries(mirrors).map(([provider, mirror]) => emulated(provider, mirror))
