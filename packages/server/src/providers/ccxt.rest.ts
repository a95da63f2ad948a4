/** What the library answers when it is asked: markets, past candles, past trades. */
import type { Listing, Meaning, Need } from './adapter.ts'
import { pastCandle, traded, type Place, type Row } from './ccxt.rows.ts'
import * as values from './values.ts'

/** How `precision` of a market is to be read, in the library's numbers. */
const DECIMAL_PLACES = 2
const TICK_SIZE = 4

export function answer(message: Row, received: number, need: Need, place: Place): readonly Meaning[] {
  switch (need.purpose) {
    case 'listing':
      return listing(message)
    // {"rows":[[1633998480000,0.3527,0.3528,0.3522,0.3528,25877]]}, oldest first, the last one forming
    case 'history': {
      const { interval } = need
      if (!Array.isArray(message.rows) || interval === undefined) return [values.refused('history: no candles')]
      return values.pastCandles(
        message.rows.map((row) => pastCandle(row, interval, place.symbol)),
        received
      )
    }
    // {"lot":1,"rows":[{"id":"5","timestamp":1626992741421,"side":"buy","price":1.011,"amount":10}]}
    case 'trades':
      if (!Array.isArray(message.rows)) return [values.refused('trades: no rows')]
      return values.oldestFirst((message.rows as Row[]).map((row) => traded(row, place, received)))
    default:
      return [values.refused('an answer to no question of ours')]
  }
}

/** {"exchanges":{"bybit":{"precisionMode":4,"markets":[{"symbol":"BTC/USDT","base":"BTC","quote":"USDT","spot":true}]}},"failed":{"okx":"..."}} */
function listing(message: Row): readonly Meaning[] {
  const { exchanges, failed } = message
  if (!values.isRecord(exchanges)) return [values.refused('listing: no exchanges')]
  const rows = Object.entries(exchanges).flatMap(([exchange, known]) => marketsOf(exchange, known))
  const missing = values.isRecord(failed) ? Object.entries(failed) : []
  return [
    { type: 'listing', rows },
    ...missing.map(([exchange, reason]) => values.refused(`listing of ${exchange}: ${values.say(reason)}`))
  ]
}

function marketsOf(exchange: string, known: unknown): Listing[] {
  if (!values.isRecord(known) || !Array.isArray(known.markets)) return []
  const { precisionMode } = known
  return known.markets.flatMap((market: unknown) => (values.isRecord(market) ? listed(exchange, market, precisionMode) : []))
}

/** Signs that part an instrument's id, or a topic, cannot be in a name. */
const isName = (text: unknown): text is string => typeof text === 'string' && /^[^\s:/|-]+$/.test(text)

function listed(exchange: string, market: Row, mode: unknown): Listing[] {
  const { symbol, base, quote } = market
  if (typeof symbol !== 'string' || !isName(base) || !isName(quote)) return []
  const contract = contractOf(market, symbol)
  if (contract === undefined) return []
  const precision = values.isRecord(market.precision) ? market.precision : {}
  const priceDecimals = decimals(precision.price, mode)
  // Contracts are told in base units.
  const size = values.number(precision.amount) * (mode === TICK_SIZE ? lotOf(market) : 1)
  const sizeDecimals = decimals(Number(size.toPrecision(12)), mode)
  return [
    {
      symbol: `${exchange}:${symbol}`,
      base,
      quote,
      ...(contract === '' ? {} : { contract }),
      trading: market.active !== false,
      ...(priceDecimals === undefined ? {} : { priceDecimals }),
      ...(sizeDecimals === undefined ? {} : { sizeDecimals })
    }
  ]
}

/** `` of a pair, `PERP`, `INVERSE`, `251226`, `INVERSE-251226`; nothing of an option, or what is settled in a third currency. */
function contractOf({ spot, swap, future, linear, inverse }: Row, symbol: string): string | undefined {
  if (spot === true) return ''
  if (linear !== true && inverse !== true) return undefined
  const kind = inverse === true ? 'INVERSE' : ''
  if (swap === true) return kind || 'PERP'
  const expiry = /-(\d{6})$/.exec(symbol)?.[1]
  if (future !== true || expiry === undefined) return undefined
  return kind === '' ? expiry : `${kind}-${expiry}`
}

const lotOf = ({ linear, contractSize }: Row): number =>
  linear === true && values.isPrice(values.number(contractSize)) ? values.number(contractSize) : 1

function decimals(precision: unknown, mode: unknown): number | undefined {
  if (mode === TICK_SIZE) return values.decimalsOf(precision)
  const places = values.number(precision)
  return mode === DECIMAL_PLACES && Number.isInteger(places) && places >= 0 && places <= 18 ? places : undefined
}
