/** Instruments as TradingView's charts know them: type, exchange, session, the scale of the price. Pure. */
import { RESOLUTIONS } from '@tickwire/protocol'
import { CALENDARS } from '../calendar/calendars.ts'
import type { Desk, InstrumentInfo } from './dialect.ts'
import { decimalsOf } from './udf.scale.ts'

const INTRADAY = Object.keys(RESOLUTIONS).filter((name) => /^\d+$/.test(name))
export const SUPPORTED = [...INTRADAY, '1D']

export const TYPES = ['stock', 'index', 'forex', 'crypto', 'futures'] as const
export type SymbolType = (typeof TYPES)[number]

const FIAT = new Set('USD EUR GBP JPY CHF AUD NZD CAD CNH HKD SGD SEK NOK DKK PLN CZK HUF TRY ZAR MXN THB INR XAU XAG'.split(' '))

export function typeOf({ instrument, base, quote }: InstrumentInfo): SymbolType {
  if (instrument.startsWith('INDEX:')) return 'index'
  if (quote === undefined) return 'stock'
  if (instrument !== `${base}-${quote}`) return 'futures'
  return FIAT.has(base) && FIAT.has(quote) ? 'forex' : 'crypto'
}

const MARKETS: Record<SymbolType, string> = { stock: 'US', index: 'INDEX', forex: 'FOREX', crypto: 'CRYPTO', futures: 'FUTURES' }
/** `NSE:SBIN-EQ` trades on NSE; what has no exchange in its name is grouped by its type. */
export function exchangeOf(info: InstrumentInfo): string {
  const [prefix, rest] = info.instrument.split(':')
  return rest === undefined ? MARKETS[typeOf(info)] : prefix!
}

const HOURS: Readonly<Record<string, keyof typeof CALENDARS>> = { US: 'XNYS', NSE: 'XNSE', BSE: 'XBOM', MCX: 'XIMC', LSE: 'XLON' }
const digits = (text: string): string => text.replaceAll(/[-:]/g, '')

/** When it trades: of what we do not know, and of a market that is simulated, always. */
function hoursOf(info: InstrumentInfo, { mode }: Desk) {
  const exchange = /^INDEX:(?:NIFTY|BSE-|SENSEX|BANKEX)/.test(info.instrument) ? 'NSE' : exchangeOf(info)
  const calendar = HOURS[exchange] && CALENDARS[HOURS[exchange]]
  if (!calendar || mode === 'demo') return { session: '24x7', timezone: 'Etc/UTC' }
  const { zone, pre, regular, post, holidays, early } = calendar
  const opens = digits(pre?.[0] ?? regular[0])
  const corrections = Object.entries(early).map(([day, until]) => `${opens}-${digits(until)}:${digits(day)}`)
  return {
    session: `${opens}-${digits(post?.[1] ?? regular[1])}`,
    timezone: zone,
    session_holidays: holidays.map(digits).join(','),
    ...(corrections.length > 0 ? { corrections: corrections.join(';') } : {})
  }
}

const descriptionOf = ({ name, instrument, base, quote }: InstrumentInfo): string =>
  name ?? (quote === undefined ? instrument : `${base} / ${quote}`)

export const symbolInfo = (desk: Desk, info: InstrumentInfo) => ({
  name: info.instrument,
  ticker: info.instrument,
  full_name: info.instrument,
  description: descriptionOf(info),
  type: typeOf(info),
  exchange: exchangeOf(info),
  listed_exchange: exchangeOf(info),
  ...hoursOf(info, desk),
  format: 'price',
  minmov: 1,
  pricescale: 10 ** decimalsOf(desk, info, typeOf(info)),
  has_intraday: true,
  intraday_multipliers: INTRADAY,
  has_daily: true,
  has_weekly_and_monthly: false,
  supported_resolutions: SUPPORTED,
  volume_precision: Math.min(8, info.sizeDecimals ?? (info.quote === undefined ? 0 : 8)),
  ...(info.quote === undefined ? {} : { currency_code: info.quote }),
  data_status: 'streaming'
})

export const found = (info: InstrumentInfo) => ({
  symbol: info.instrument,
  full_name: info.instrument,
  ticker: info.instrument,
  description: descriptionOf(info),
  exchange: exchangeOf(info),
  type: typeOf(info)
})

/** The instrument, as far as a provider describes it: one that is known by its name alone is described by that. */
export function infoOf(desk: Desk, symbol: string): InstrumentInfo | undefined {
  const resolved = desk.resolve(symbol)
  if (!resolved.ok) return undefined
  return desk.instrument(resolved.instrument) ?? { instrument: resolved.instrument, base: resolved.instrument, providers: [] }
}
