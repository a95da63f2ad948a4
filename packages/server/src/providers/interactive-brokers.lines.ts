/** Level 1 of Interactive Brokers: a price and a size come apart, each under the number of its tick type. */
import type { Meaning } from './adapter.ts'
import { inLots } from './interactive-brokers.bars.ts'
import { contractOf, sessionAt } from './interactive-brokers.contracts.ts'
import { wants } from './interactive-brokers.session.ts'
import type { Asked, Line, Session, Tick } from './interactive-brokers.state.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'

export const DELAY = 900_000

/** From 66 on the same, 15 minutes late. */
const PRICES: Readonly<Record<number, Tick>> = {
  1: 'bid',
  2: 'ask',
  4: 'last',
  6: 'high',
  7: 'low',
  9: 'prevClose',
  14: 'open',
  66: 'bid',
  67: 'ask',
  68: 'last',
  72: 'high',
  73: 'low',
  75: 'prevClose',
  76: 'open'
}
const SIZES: Readonly<Record<number, Tick>> = {
  0: 'bidSize',
  3: 'askSize',
  5: 'lastSize',
  8: 'volume',
  69: 'bidSize',
  70: 'askSize',
  71: 'lastSize',
  74: 'volume'
}
const isSide = (name: Tick): name is 'bid' | 'ask' => name === 'bid' || name === 'ask'

/** -1, in places -100, and 0 say "none"; so does an unset double, which comes as null. */
export function priced(line: Line, type: unknown, value: unknown, session: Session): readonly Meaning[] {
  const name = PRICES[values.number(type)]
  if (name === undefined) return []
  const price = values.number(value)
  if (value === null || price === -1 || price === -100 || price === 0) {
    if (isSide(name)) {
      delete line.ticks[name]
      delete line.ticks[`${name}Size`]
    }
    return []
  }
  if (!values.isPrice(price)) return price > 1.7e308 ? [] : [values.refused('tick: impossible price')]
  put(line, name, price, type as number, session)
  return []
}

export function sized(line: Line, type: unknown, value: unknown, session: Session): readonly Meaning[] {
  const name = SIZES[values.number(type)]
  if (name === undefined || value === null) return []
  const size = values.number(value)
  if (!values.isSize(size)) return size === -1 || size > 1.7e308 ? [] : [values.refused('tick: impossible size')]
  // The 0 that comes with a price of -1 is no size of the next one.
  if (
    size === 0 &&
    ((name === 'bidSize' && line.ticks.bid === undefined) || (name === 'askSize' && line.ticks.ask === undefined))
  )
    return []
  const lot = session.shares.lines || !inLots(contractOf(line.symbol)) ? 1 : 100
  put(line, name, size * lot, type as number, session)
  return []
}

function put(line: Line, name: Tick, value: number, type: number, session: Session): void {
  line.delayed = type >= 66
  if (line.ticks[name] === value) return
  line.ticks[name] = value
  const isQuote = name === 'bid' || name === 'ask' || name === 'bidSize' || name === 'askSize'
  if (isQuote) line.changed.quote = true
  // Currencies have no last price: the middle of their quote stands for it.
  if (!isQuote || secTypeOf(session, line) === 'CASH') line.changed.day = true
  session.changed.add(line)
}

const secTypeOf = ({ contracts }: Session, { symbol }: Line) => (contracts.get(symbol)?.contract ?? contractOf(symbol))?.secType

/** What has changed since, once for all the ticks of a frame. */
export function flush(received: number, session: Session): readonly Meaning[] {
  if (session.changed.size === 0) return []
  const meanings: Meaning[] = []
  for (const line of session.changed) {
    const told = line.changed
    line.changed = { quote: false, day: false }
    const late = line.delayed ? { delayed: DELAY } : {}
    for (const event of [
      ...(told.quote ? quoted(line, received, session) : []),
      ...(told.day ? day(line, received, session) : [])
    ])
      meanings.push(event.type === 'refused' ? event : { ...event, ...late })
  }
  session.changed.clear()
  return meanings
}

/** TWS gives quotes no time: they happened when they came, or so much before. */
const timeOf = (line: Line, received: number): number => (line.delayed ? received - DELAY : received)

function quoted(line: Line, received: number, session: Session): readonly Meaning[] {
  const { bid, bidSize, ask, askSize } = line.ticks
  if (!wants(session, 'lines', line.symbol, 'quote')) return []
  if (bid === undefined || bidSize === undefined || ask === undefined || askSize === undefined) return []
  const told = `${bid} ${bidSize} ${ask} ${askSize}`
  if (told === line.told) return []
  line.told = told
  const event = values.quote(line.symbol, timeOf(line, received), bid, bidSize, ask, askSize)
  return event ? [event] : []
}

function day(line: Line, received: number, session: Session): readonly Meaning[] {
  const { symbol, ticks, lastAt } = line
  const secType = secTypeOf(session, line)
  const { open, high, low, prevClose, volume } = ticks
  const last = secType === 'CASH' && ticks.bid !== undefined && ticks.ask !== undefined ? (ticks.bid + ticks.ask) / 2 : ticks.last
  if (last === undefined) return []
  const time = lastAt ?? timeOf(line, received)
  if (secType === 'IND')
    return wants(session, 'lines', symbol, 'index') ? [values.index(symbol, time, last, { open, high, low, prevClose })] : []
  if (!wants(session, 'lines', symbol, 'ticker')) return []
  const change = open === undefined ? undefined : last - open
  const changePercent = open === undefined || change === undefined ? undefined : (change / open) * 100
  const event = values.ticker(symbol, time, last, { open, high, low, prevClose, volume, change, changePercent })
  const known = session.contracts.get(symbol)
  const part = known && sessionAt(known, time)
  return event.type === 'ticker' && part !== undefined ? [{ ...event, session: part }] : [event]
}

/** 45 and, late, 88: `{"event":"tickString","args":[3,45,"1577808000"]}`; 48 and 77: a print. */
export function told(asked: Asked, type: unknown, value: unknown, session: Session): readonly Meaning[] {
  if (type === 48 || type === 77) return asked.way === 'prints' ? printed(asked, value, session) : []
  const line = session.lines.get(asked.id)
  const at = values.number(value) * 1_000
  if (line && (type === 45 || type === 88) && isTime(at)) line.lastAt = at
  return []
}

/** `701.28;1;1348075471534;67854;701.46918464;true`; without a price it tells the volume alone. */
function printed({ symbol, id }: Asked, value: unknown, session: Session): readonly Meaning[] {
  const [price = '', size = '', time = ''] = values.say(value).split(';')
  if (price === '' || Number(size) === 0) return []
  const lot = session.shares.lines || !inLots(contractOf(symbol)) ? 1 : 100
  const event = values.print(symbol, values.number(time), values.number(price), values.number(size) * lot)
  if (event.type !== 'trade') return [event]
  const part = partOf(session, symbol, event.time)
  return [{ ...event, ...part, ...(session.lines.get(id)?.delayed ? { delayed: DELAY } : {}) }]
}

const partOf = ({ contracts }: Session, symbol: string, time: number) => {
  const known = contracts.get(symbol)
  const session = known?.contract.secType === 'STK' ? sessionAt(known, time) : undefined
  return session === undefined ? {} : { session }
}

/** Times are in seconds: within one, the order of arrival is that of the trades. */
export function tick(asked: Asked, args: readonly unknown[], session: Session): readonly Meaning[] {
  const [, time, price, size, attributes, venue, special] = args
  const { symbol } = asked
  const at = values.number(time) * 1_000
  const event = values.print(symbol, at, values.number(price), values.number(size))
  if (event.type !== 'trade') return [event]
  const conditions = typeof special === 'string' ? special.split(/\s+/).filter(Boolean) : []
  return [
    {
      ...event,
      ...(typeof venue === 'string' && venue !== '' ? { venue } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
      ...partOf(session, symbol, at),
      // It moves neither the last price nor the day's range.
      ...(values.isRecord(attributes) && attributes.unreported === true ? { ineligible: true as const } : {})
    }
  ]
}

export function bidAsk({ symbol }: Asked, [time, bid, ask, bidSize, askSize]: readonly unknown[]): readonly Meaning[] {
  const { number } = values
  // One-sided: -1 or nothing on the other.
  if (bid === null || ask === null || number(bid) === -1 || number(ask) === -1) return []
  const event = values.quote(symbol, number(time) * 1_000, number(bid), number(bidSize), number(ask), number(askSize))
  return event ? [event] : []
}

const HALTS: Readonly<Record<number, readonly ['trading' | 'halted' | 'paused', string]>> = {
  0: ['trading', 'not halted'],
  1: ['halted', 'general halt'],
  2: ['paused', 'volatility halt']
}
/** 49 and, late, 90; -1 says that nobody knows. */
export function halted({ symbol }: Asked, type: unknown, value: unknown, received: number, session: Session): readonly Meaning[] {
  const halt = HALTS[values.number(value)]
  if ((type !== 49 && type !== 90) || !halt || !wants(session, 'lines', symbol, 'halt')) return []
  return [{ type: 'halt', symbol, time: received, state: halt[0], code: values.say(value), reason: halt[1] }]
}
