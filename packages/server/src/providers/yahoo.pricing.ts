/** The protobuf message of Yahoo's stream. Field numbers as its own page uses them; fields that are new are skipped by their wire type. */
import protobuf from 'protobufjs/light.js'
import { isTime } from './time.ts'

const FIELDS = `id string 1, price float 2, time sint64 3, currency string 4, exchange string 5, quoteType int32 6, marketHours int32 7,
 changePercent float 8, dayVolume sint64 9, dayHigh float 10, dayLow float 11, change float 12, shortName string 13, expireDate sint64 14,
 openPrice float 15, previousClose float 16, strikePrice float 17, underlyingSymbol string 18, openInterest sint64 19, optionsType sint64 20,
 miniOption sint64 21, lastSize sint64 22, bid float 23, bidSize sint64 24, ask float 25, askSize sint64 26, priceHint sint64 27,
 vol24hr sint64 28, volAllCurrencies sint64 29, fromcurrency string 30, lastMarket string 31, circulatingSupply double 32, marketCap double 33`

const message = new protobuf.Type('PricingData')
for (const field of FIELDS.split(',')) {
  const [name, type, id] = field.trim().split(/\s+/) as [string, string, string]
  message.add(new protobuf.Field(name, Number(id), type))
}
new protobuf.Root().define('yahoo').add(message)

export type Pricing = { id: string; price: number; time: number } & Partial<
  Record<
    'quoteType' | 'marketHours' | 'changePercent' | 'dayVolume' | 'dayHigh' | 'dayLow' | 'change' | 'openPrice' | 'previousClose',
    number
  >
>
const PRICES = ['dayHigh', 'dayLow', 'openPrice', 'previousClose'] as const

/** The shortest decimal that is this 32-bit float: 94745.08 came as 94745.078125, 24.535 as 24.53499984741211. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}
/** A difference of prices has no more digits after the point than they have: -2.44000244 is -2.44 where the price is 276.34. */
const difference = (value: number, price: number): number => {
  const whole = Math.max(1, Math.floor(Math.log10(Math.abs(price) || 1)) + 1)
  return Number(value.toFixed(Math.max(0, 7 - whole)))
}

/** Proto3 may leave out what is 0: a heartbeat has no price. Throws where it is no such message. */
export function readPricing(packed: unknown): Pricing | undefined {
  if (typeof packed !== 'string' || packed === '') return undefined
  const m = message.toObject(message.decode(Buffer.from(packed, 'base64')), { longs: Number }) as Record<string, unknown>
  const { id, price = 0, time } = m
  if (typeof id !== 'string' || typeof price !== 'number' || !Number.isFinite(price)) return undefined
  if (typeof time !== 'number' || !isTime(time)) return undefined
  const pricing: Pricing = { id, price: shortest(price), time }
  for (const key of PRICES) if (typeof m[key] === 'number') pricing[key] = shortest(m[key])
  if (typeof m.change === 'number') pricing.change = difference(m.change, price)
  if (typeof m.changePercent === 'number') pricing.changePercent = Number(m.changePercent.toPrecision(7))
  for (const key of ['quoteType', 'marketHours', 'dayVolume'] as const) if (typeof m[key] === 'number') pricing[key] = m[key]
  return pricing
}
