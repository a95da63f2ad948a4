/** What Interactive Brokers calls an instrument: contracts from symbols, symbols from contracts, and the hours that a contract tells. */
import type { TradingSession } from '@tickwire/protocol'
import type { CalendarId, Listing } from './adapter.ts'
import { spelled } from './grammar.ts'
import { zoned } from './time.ts'

export type SecurityType = 'STK' | 'CASH' | 'CRYPTO' | 'FUT' | 'IND'
/** As the SDK takes it; what is absent is left open. */
export type Contract = {
  conId?: number
  symbol?: string
  secType: SecurityType
  exchange?: string
  primaryExch?: string
  currency?: string
  localSymbol?: string
  lastTradeDateOrContractMonth?: string
}

type Span = readonly [from: number, to: number]
/** A contract as `reqContractDetails` resolved it. */
export type Known = { contract: Contract; zone: string; trading: readonly Span[]; liquid: readonly Span[] }

type Place = { currency: string; calendar?: CalendarId; zone: string }
/** Exchanges of stocks outside the United States, by their codes at Interactive Brokers. */
const PLACES: Readonly<Record<string, Place>> = {
  LSE: { currency: 'GBP', calendar: 'XLON', zone: 'Europe/London' },
  NSE: { currency: 'INR', calendar: 'XNSE', zone: 'Asia/Kolkata' },
  IBIS: { currency: 'EUR', zone: 'Europe/Berlin' },
  SBF: { currency: 'EUR', zone: 'Europe/Paris' },
  AEB: { currency: 'EUR', zone: 'Europe/Amsterdam' },
  TSE: { currency: 'CAD', zone: 'America/Toronto' },
  SEHK: { currency: 'HKD', zone: 'Asia/Hong_Kong' },
  TSEJ: { currency: 'JPY', zone: 'Asia/Tokyo' },
  ASX: { currency: 'AUD', zone: 'Australia/Sydney' }
}
const NEW_YORK = 'America/New_York'
/** Exchanges of futures, by the root of their symbols. */
const FUTURES: Readonly<Record<string, readonly string[]>> = {
  CME: 'ES NQ RTY MES MNQ M2K 6A 6B 6C 6E 6J 6N 6S GE SR3 HE LE GF BTC MBT ETH MET'.split(' '),
  CBOT: 'YM MYM ZB ZN ZF ZT ZC ZS ZW ZL ZM UB TN'.split(' '),
  NYMEX: 'CL QM MCL NG QG RB HO PL PA'.split(' '),
  COMEX: 'GC MGC SI SIL HG QO'.split(' ')
}
const exchangeOf = (root: string): string | undefined => Object.keys(FUTURES).find((name) => FUTURES[name]!.includes(root))
/** Indices that are not at Cboe, with their own names where they are called otherwise. */
const INDICES: Readonly<Record<string, readonly [symbol: string, exchange: string]>> = {
  NDX: ['NDX', 'NASDAQ'],
  COMP: ['COMP', 'NASDAQ'],
  RUT: ['RUT', 'RUSSELL'],
  DJI: ['INDU', 'CME']
}

/** `ESZ5`, `MESH26`: root, letter of the month, one or two digits of the year. */
const LOCAL = /^([A-Z0-9]{1,4}?)[FGHJKMNQUVXZ]\d{1,2}$/
const DATED = /^([A-Z0-9]{1,6})-([A-Z]{3})-(\d{6})$/

/** `AAPL`, `BRK.B`, `EUR-USD`, `BTC-USD`, `ESZ5`, `NYMEX:CLF6`, `ES-USD-251219`, `INDEX:SPX`, `LSE:SHEL`, and our own symbols for them. */
export function identify(text: string): Listing | undefined {
  const trading = true
  const [, base, quote, contract] = DATED.exec(text) ?? []
  if (base !== undefined && quote !== undefined && contract !== undefined)
    return { symbol: text, base, quote, contract, trading, calendar: 'CMES' }
  if (LOCAL.test(text)) return { symbol: text, base: text, trading, calendar: 'CMES' }
  const name = spelled(text.replace(/^([A-Z]{3,5})\.([A-Z]{3})$/, '$1-$2').replace(/^([A-Z]{1,5}) ([A-Z])$/, '$1.$2'))
  switch (name?.type) {
    case 'stock':
      return { symbol: name.ticker.replace('.', ' '), base: name.ticker, trading }
    case 'forex':
      return { symbol: `${name.base}.${name.quote}`, base: name.base, quote: name.quote, trading, calendar: 'FX' }
    case 'crypto':
      // Coins are sold for dollars alone.
      if (name.quote !== 'USD') return undefined
      return { symbol: `${name.base}.USD`, base: name.base, quote: 'USD', trading, calendar: '24/7' }
    case 'index':
      return { symbol: text, base: text, trading }
    case 'listed':
      return listed(text, name.exchange, name.ticker)
    default:
      return undefined
  }
}

function listed(text: string, exchange: string, ticker: string): Listing | undefined {
  if (exchange in FUTURES) return LOCAL.test(ticker) ? { symbol: text, base: text, trading: true, calendar: 'CMES' } : undefined
  const place = PLACES[exchange]
  if (!place) return undefined
  return { symbol: text, base: text, trading: true, ...(place.calendar && { calendar: place.calendar }) }
}

/** The contract to ask the details of; nothing for a symbol that is none of ours. */
export function contractOf(symbol: string): Contract | undefined {
  const [, base, quote, date] = DATED.exec(symbol) ?? []
  if (base !== undefined && quote !== undefined)
    return {
      secType: 'FUT',
      symbol: base,
      currency: quote,
      lastTradeDateOrContractMonth: `20${date}`,
      ...at(exchangeOf(base))
    }
  const root = LOCAL.exec(symbol)?.[1]
  if (root !== undefined) return { secType: 'FUT', localSymbol: symbol, ...at(exchangeOf(root)) }
  const name = spelled(symbol.replace(/^([A-Z]{3,5})\.([A-Z]{3})$/, '$1-$2').replace(/^([A-Z]{1,5}) ([A-Z])$/, '$1.$2'))
  switch (name?.type) {
    case 'stock':
      return { secType: 'STK', symbol: name.ticker.replace('.', ' '), exchange: 'SMART', currency: 'USD' }
    case 'forex':
      return { secType: 'CASH', symbol: name.base, currency: name.quote, exchange: 'IDEALPRO' }
    case 'crypto':
      return { secType: 'CRYPTO', symbol: name.base, currency: name.quote, exchange: 'PAXOS' }
    case 'index': {
      const [own, exchange] = (Object.hasOwn(INDICES, name.name) && INDICES[name.name]) || [name.name, 'CBOE']
      return { secType: 'IND', symbol: own, exchange, currency: 'USD' }
    }
    case 'listed':
      return foreign(name.exchange, name.ticker)
    default:
      return undefined
  }
}

const at = (exchange: string | undefined) => (exchange === undefined ? {} : { exchange })

function foreign(exchange: string, ticker: string): Contract | undefined {
  if (exchange in FUTURES) return { secType: 'FUT', localSymbol: ticker, exchange }
  const place = PLACES[exchange]
  if (!place) return undefined
  // The series of an Indian stock is no part of its symbol here.
  const symbol = exchange === 'NSE' ? ticker.replace(/-EQ$/, '') : ticker
  return { secType: 'STK', symbol, exchange: 'SMART', primaryExch: exchange, currency: place.currency }
}

/** Where the days of its bars begin, before its details are known. */
export function zoneOf(symbol: string): string {
  return PLACES[/^([A-Z]+):/.exec(symbol)?.[1] ?? '']?.zone ?? NEW_YORK
}

/** Our symbol for a contract that was not asked for: one that is held. */
export function symbolOf(contract: Record<string, unknown>): string | undefined {
  const { secType, symbol, currency, localSymbol } = contract
  if (typeof symbol !== 'string' || symbol === '') return undefined
  if (secType === 'CASH' || secType === 'CRYPTO') return typeof currency === 'string' ? `${symbol}.${currency}` : undefined
  if (secType === 'IND') return `INDEX:${symbol}`
  if (secType !== 'STK') return typeof localSymbol === 'string' && localSymbol !== '' ? localSymbol : symbol
  if (currency === 'USD') return symbol
  const place = Object.entries(PLACES).find(([name, { currency: own }]) => contract.exchange === name && own === currency)
  return place ? `${place[0]}:${symbol}${place[0] === 'NSE' ? '-EQ' : ''}` : symbol
}

/** Makes `{"contract":{"conId":265598,...},"timeZoneId":"US/Eastern","tradingHours":"20260105:0400-20260105:2000;20260106:CLOSED"}` one of ours. */
export function known(details: Record<string, unknown>, asked: Contract, symbol: string): Known | undefined {
  const own = details.contract as Record<string, unknown> | undefined
  const conId = own?.conId
  if (!own || typeof conId !== 'number' || !(conId > 0)) return undefined
  const text = (key: string) => (typeof own[key] === 'string' && own[key] !== '' ? { [key]: own[key] } : {})
  const contract: Contract = { ...asked, ...text('symbol'), ...text('exchange'), ...text('currency'), conId }
  const zone = typeof details.timeZoneId === 'string' && details.timeZoneId !== '' ? details.timeZoneId : zoneOf(symbol)
  return { contract, zone, trading: spans(details.tradingHours, zone), liquid: spans(details.liquidHours, zone) }
}

const HOURS = /^(\d{4})(\d\d)(\d\d):(\d\d)(\d\d)-(\d{4})(\d\d)(\d\d):(\d\d)(\d\d)$/
function spans(hours: unknown, zone: string): Span[] {
  if (typeof hours !== 'string') return []
  return hours.split(';').flatMap((day): Span[] => {
    const [, y, m, d, h, min, y2, m2, d2, h2, min2] = HOURS.exec(day.trim()) ?? []
    const from = zoned(`${y}-${m}-${d} ${h}:${min}`, zone)
    const to = zoned(`${y2}-${m2}-${d2} ${h2}:${min2}`, zone)
    return from < to ? [[from, to]] : []
  })
}

/** The part of the day, as far as the hours reach that came with the details (a few days). */
export function sessionAt({ trading, liquid }: Known, time: number): TradingSession | undefined {
  const within = ([from, to]: Span) => time >= from && time < to
  if (liquid.some(within)) return 'regular'
  const day = trading.find(within)
  const core = day && liquid.find(([from, to]) => from >= day[0] && to <= day[1])
  return core && (time < core[0] ? 'pre' : 'post')
}
