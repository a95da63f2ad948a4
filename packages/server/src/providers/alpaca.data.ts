/** What a row of Alpaca's streams means; REST sends the same rows without `T` and `S`. */
import type { Interval } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import { timeOf } from './alpaca.codec.ts'
import { sessionOf } from './new-york.ts'
import { story } from './alpaca.news.ts'
import { isCrypto, type Day, type Row, type Session } from './alpaca.session.ts'
import { band, book, cancelled, corrected, halt, idOf } from './alpaca.venue.ts'
import { follow } from './forming.ts'
import * as values from './values.ts'

/** Sizes of quotes are in shares since 3 November 2025, in round lots of 100 before. */
const SHARES_SINCE = 1_762_128_000_000
export const DELAY = 900_000

export const isDelayed = ({ access, route }: Session): boolean =>
  access.feed === 'delayed_sip' && (route === 'stocks' || route === '')
/** On IEX alone the day's volume is not the market's. */
const isPartial = ({ access }: Session, symbol: string): boolean => !isCrypto(symbol) && (access.feed ?? 'iex') === 'iex'

/** Events of a delayed feed say so. */
export const dated = (meanings: readonly Meaning[], session: Session): readonly Meaning[] =>
  isDelayed(session)
    ? meanings.map((one) => ('time' in one && one.type !== 'delta' ? { ...one, delayed: DELAY } : one))
    : meanings

/** Nothing for a row that is not of the market: controls are read elsewhere. */
export function payload(m: Row, received: number, session: Session): readonly Meaning[] {
  switch (m.T) {
    // {"T":"t","S":"AAPL","i":628,"x":"K","p":162.92,"s":3,"c":["@","F"],"z":"C","t":"2023-04-06T11:54:26.838232225Z"}
    // {"T":"t","S":"BTC/USD","p":37430.1,"s":0.0025,"t":"2023-11-20T10:52:43.58Z","i":3447222699101865076,"tks":"B"}
    case 't':
      return traded(m, session)
    // {"T":"q","S":"AMD","bx":"K","bp":91.95,"bs":2,"ax":"Q","ap":91.98,"as":1,"c":["R"],"z":"C","t":"2023-04-06T11:54:21.670905508Z"}
    case 'q':
      return quoted(m)
    // {"T":"b","S":"AAPL","o":177.94,"c":178.005,"h":178.005,"l":177.94,"v":8547,"t":"2024-06-17T14:11:00Z","n":66,"vw":177.98}
    case 'b':
      return [bar(m, '1m', received, { closed: true })]
    // The same bar again, half a minute later, with the trades that were late.
    case 'u':
      return [bar(m, '1m', received, { closed: true, revision: ++session.corrections })]
    case 'd':
      return daily(m, received, session)
    // {"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50.79613221Z","b":[{"p":71859.53,"s":0.27994}],"a":[{"p":71939.7,"s":0.83953}],"r":true}
    case 'o':
      return book(m)
    // {"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T12","rm":"Trading Halted; ...","t":"2021-02-22T19:15:00Z","z":"C"}
    case 's':
      return [halt(m, session)]
    // {"T":"l","S":"IONM","u":3.24,"d":2.65,"i":"B","t":"2023-04-06T13:44:45.565Z","z":"C"}
    case 'l':
      return band(m)
    // {"T":"c","S":"EEM","x":"M","oi":52983525033527,"op":39.15,"os":440000,"oc":[" "],"ci":52983525034326,"cp":39.1,"cs":440000,"cc":[" "],"z":"B","t":"..."}
    case 'c':
      return [corrected(m)]
    // {"T":"x","S":"GOOGL","i":465,"x":"D","p":105.31,"s":300,"a":"C","z":"C","t":"2023-04-06T13:15:42.83540958Z"}
    case 'x':
      return [cancelled(m)]
    // {"T":"n","id":24918784,"headline":"...","summary":"...","author":"...","created_at":"2022-01-05T22:00:37Z","url":"...","symbols":["BFRI"],"source":"benzinga"}
    case 'n':
      return [story(m, received)]
    // Imbalances; anything new must be ignored.
    default:
      return typeof m.T === 'string' ? [] : [values.refused('a frame of an unknown shape')]
  }
}

/** Conditions under which a print does not set the last price, as both tapes have them. `B` is "average price" on tapes A and B alone. */
const NOT_LAST = new Set(['4', '7', 'C', 'G', 'H', 'I', 'M', 'N', 'P', 'Q', 'R', 'U', 'V', 'W', 'Z'])
/** Form T, and the closing prints and official closes. */
const CODES = { extended: new Set(['T', 'U']), closing: new Set(['6', 'M']) }
const isIneligible = (conditions: readonly string[], tape: unknown): boolean =>
  conditions.some((code) => NOT_LAST.has(code) || (code === 'B' && (tape === 'A' || tape === 'B')))

export function trade(m: Row, session: Session): Meaning {
  const { number } = values
  const time = timeOf(m.t)
  const id = idOf(m.i, m.x, time, m.S)
  const taker = m.tks === 'B' ? 'buy' : m.tks === 'S' ? 'sell' : 'unknown'
  const numbered = id !== undefined || (m.i !== undefined && m.i !== 0)
  const event = numbered
    ? values.trade(m.S, id, time, number(m.p), number(m.s), taker)
    : values.print(m.S, time, number(m.p), number(m.s))
  if (event.type !== 'trade') return event
  event.side = taker
  if (isCrypto(m.S)) return event
  // One alone in the lists of auctions.
  const conditions = values.codes(m.c) ?? (typeof m.c === 'string' && m.c.trim() !== '' ? [m.c] : [])
  if (typeof m.x === 'string' && m.x !== '') event.venue = m.x
  if (conditions.length > 0) event.conditions = conditions
  if (isIneligible(conditions, m.z)) event.ineligible = true
  if (session.access.feed === 'test') return event
  event.session = sessionOf(time, conditions, CODES, session.hours)
  return event
}

function traded(m: Row, session: Session): readonly Meaning[] {
  const event = trade(m, session)
  if (event.type !== 'trade' || event.ineligible) return [event]
  if (!session.wants.get('trades')?.get(event.symbol)?.has('ticker')) return [event]
  const day = dayOfSymbol(session, event.symbol)
  if (event.time < day.told) return [event]
  day.told = event.time
  newDay(day, event.time)
  return [event, ...ticker(event.symbol, event.time, event.price, session)]
}

export const dayOfSymbol = ({ days }: Session, symbol: string): Day => {
  const known = days.get(symbol)
  if (known) return known
  const fresh: Day = { told: 0 }
  days.set(symbol, fresh)
  return fresh
}

/** The bar of a day that is over: its close is yesterday's, and the new day has no statistics yet. */
export function newDay(day: Day, time: number): void {
  if (day.bar === undefined || time - timeOf(day.bar.t) < 86_400_000) return
  day.prevClose = day.bar.c
  delete day.bar
}

/** The last price over the statistics of the day. */
export function ticker(symbol: string, time: number, last: number, session: Session): readonly Meaning[] {
  const day = dayOfSymbol(session, symbol)
  const { o: open, h: high, l: low, v } = day.bar ?? {}
  const change = last - values.number(open)
  const changePercent = (change / values.number(open)) * 100
  const volume = isPartial(session, symbol) ? undefined : v
  const event = values.ticker(symbol, time, last, { open, high, low, volume, change, changePercent, prevClose: day.prevClose })
  if (event.type !== 'ticker') return [event]
  if (isCrypto(symbol) || session.access.feed === 'test') return [event]
  return [{ ...event, session: sessionOf(time, [], CODES, session.hours) }]
}

/** Price 0: nobody quotes on that side. Crypto is in coins at all times. */
export function quoted(m: Row): readonly Meaning[] {
  const { number } = values
  const time = timeOf(m.t)
  const lot = time < SHARES_SINCE && !isCrypto(m.S) ? 100 : 1
  const event = values.quote(m.S, time, number(m.bp), number(m.bs) * lot, number(m.ap), number(m.as) * lot)
  return event ? [event] : []
}

/** `t` is the start of the bar. */
function bar(m: Row, interval: Interval, time: number, { closed, revision = 0 }: { closed: boolean; revision?: number }) {
  const { S: symbol, o: open, h: high, l: low, c: close, v: volume, n: trades } = m
  return values.candle({ symbol, interval, start: timeOf(m.t), time, open, high, low, close, volume, trades, closed, revision })
}

/** The day's bar so far, every minute: {"T":"d", and the rest as in a minute bar} */
function daily(m: Row, received: number, session: Session): readonly Meaning[] {
  const event = bar(m, '1d', received, { closed: false })
  if (event.type !== 'candle') return [event]
  const day = dayOfSymbol(session, event.symbol)
  if (day.bar && timeOf(day.bar.t) < event.start) day.prevClose = day.bar.c
  day.bar = m
  const time = isDelayed(session) ? received - DELAY : received
  return [...follow(session.forming, event), ...ticker(event.symbol, time, event.close, session)]
}
