/** Which channel carries what, how it is asked for, and what the server says to that: acks, errors, refusals. */
import type { DataKind } from '@tickwire/protocol'
import type { Frame, Meaning, Subscription } from './adapter.ts'
import { write } from './alpaca.codec.ts'
import { newsNeed } from './alpaca.news.ts'
import { snapshotsOf } from './alpaca.rest.ts'
import { isCrypto, isMessagePack, type Row, type Session } from './alpaca.session.ts'
import * as values from './values.ts'
import { batches, kindsOf, leave } from './wants.ts'

type Pair = { channel: string; symbol: string }

/** Corrections and cancels follow the trades by themselves. */
const CHANNELS: Partial<Record<DataKind, readonly string[]>> = {
  trade: ['trades'],
  correction: ['trades'],
  quote: ['quotes'],
  // There is no ticker on the socket: its last price is that of the trades, its statistics those of the day's bar.
  ticker: ['trades', 'dailyBars'],
  book: ['orderbooks'],
  halt: ['statuses'],
  band: ['lulds'],
  news: ['news']
}
const CARRIED: Record<string, readonly DataKind[]> = {
  trades: ['trade'],
  quotes: ['quote'],
  bars: ['candle'],
  dailyBars: ['candle'],
  orderbooks: ['book'],
  statuses: ['halt'],
  lulds: ['band'],
  news: ['news']
}
const EVERYWHERE: readonly DataKind[] = ['trade', 'quote', 'ticker', 'candle']
const STOCKS = new Set<DataKind>([...EVERYWHERE, 'halt', 'band', 'correction'])
const CRYPTO = new Set<DataKind>([...EVERYWHERE, 'book'])
/** What counts against the plan's limit of symbols: bars are free. */
const COUNTED: ReadonlySet<DataKind> = new Set<DataKind>(['trade', 'quote', 'ticker', 'correction', 'book'])

export const keyOf = ({ kind, symbol, interval }: Subscription): string =>
  `${kind} ${symbol}${interval === undefined ? '' : ` ${interval}`}`
export const channelsOf = ({ kind, interval }: Subscription): readonly string[] =>
  kind === 'candle' ? (interval === '1d' ? ['dailyBars'] : ['bars', 'updatedBars']) : (CHANNELS[kind] ?? [])
/** Whether a stream has it at all: `*` is asked for of news and of the account. */
export const carries = ({ kind, symbol }: Pick<Subscription, 'kind' | 'symbol'>): boolean =>
  symbol === '*' || (kind !== 'news' && (isCrypto(symbol) ? CRYPTO : STOCKS).has(kind))

// ---- asking ------------------------------------------------------------------------------------------------------

/** Few at a time: over the plan's limit a whole frame is refused. */
const BATCH = 10
/** So many frames are under way at login; each answer sends the next. */
const WINDOW = 4

/** `{"action":"subscribe","trades":["AAPL"],"quotes":["AMD"]}` */
export function ask(
  action: 'subscribe' | 'unsubscribe',
  pairs: readonly Pair[],
  asked: readonly Subscription[],
  session: Session
): Frame {
  session.sent.push(asked)
  const channels: Record<string, string[]> = {}
  for (const { channel, symbol } of pairs) {
    const symbols = (channels[channel] ??= [])
    if (!symbols.includes(symbol)) symbols.push(symbol)
  }
  return write({ action, ...channels }, isMessagePack(session.access))
}

const pairsOf = (list: readonly Subscription[]): Pair[] =>
  list.flatMap((one) => channelsOf(one).map((channel) => ({ channel, symbol: one.symbol })))
const asking = (batch: readonly Subscription[], session: Session): Frame => ask('subscribe', pairsOf(batch), batch, session)

export const subscribing = (wanted: readonly Subscription[], session: Session): readonly Frame[] =>
  batches(wanted, BATCH).map((batch) => asking(batch, session))

/** Let in: all that is wanted, the first frames at once. */
export function admitted(session: Session): readonly Meaning[] {
  if (session.authenticated) return []
  session.authenticated = true
  const wanted = [...session.wanted.values()]
  session.queue.push(...batches(wanted, BATCH))
  return session.queue.splice(0, WINDOW).map((batch) => ({ type: 'reply', frame: asking(batch, session) }))
}

const next = (session: Session): readonly Meaning[] =>
  session.queue.splice(0, 1).map((batch) => ({ type: 'reply', frame: asking(batch, session) }))

/** Something that is subscribed already, asked for again; nothing while there is nothing. */
export function keepalive(session: Session): Frame | undefined {
  if (!session.authenticated) return undefined
  for (const [channel, symbols] of session.wants)
    for (const symbol of symbols.keys()) if (channel in CARRIED) return ask('subscribe', [{ channel, symbol }], [], session)
  return undefined
}

// ---- answers -----------------------------------------------------------------------------------------------------

export function confirmed(m: Row, session: Session): readonly Meaning[] {
  session.sent.shift()
  const acks = Object.entries(CARRIED).flatMap(([channel, carried]) => {
    const listed = Array.isArray(m[channel]) ? (m[channel] as unknown[]) : []
    return listed
      .filter((symbol): symbol is string => typeof symbol === 'string' && (symbol !== '*' || channel === 'news'))
      .flatMap((symbol) =>
        Array.from(kindsOf(session.wants, channel, symbol, carried), (kind) => ({ type: 'ack', kind, symbol }) as const)
      )
  })
  return [...acks, ...states(acks, session), ...next(session)]
}

/** What was there before the stream was joined: of each ticker, and the latest news, once. */
function states(acks: readonly { kind: DataKind; symbol: string }[], session: Session): readonly Meaning[] {
  const isFresh = ({ kind, symbol }: { kind: DataKind; symbol: string }) => !session.fetched.has(`${kind} ${symbol}`)
  const tickers = [...new Set(acks.filter((one) => one.kind === 'ticker' && isFresh(one)).map(({ symbol }) => symbol))]
  const isNews = acks.some((one) => one.kind === 'news' && isFresh(one))
  for (const symbol of tickers) session.fetched.add(`ticker ${symbol}`)
  if (isNews) session.fetched.add('news *')
  return [...batches(tickers, 100).flatMap((batch) => snapshotsOf(batch, session)), ...(isNews ? [newsNeed] : [])]
}

/** A second session is refused; one that died half is held for about 90 s. */
const HELD = 95_000
/** The server closes after these, or should be left: too late, too slow, broken. */
const ENDING = new Set([404, 407, 500])
/** Not the right key, not paid for, not allowed. */
const DENYING = new Set([402, 409, 411])

export function failed(m: Row, session: Session): readonly Meaning[] {
  const code = m.code as number
  const reason = `${values.say(m.msg)} (${values.say(code)})`
  if (code === 406) return [{ type: 'hangup', reason, wait: HELD }]
  if (ENDING.has(code)) return [{ type: 'hangup', reason }]
  // Let in already, by the headers of the handshake or by an earlier frame.
  if (code === 403) return admitted(session)
  if (code === 401) return [{ type: 'reject', reason }]
  const asked = session.sent.shift() ?? []
  if (code === 402 || (DENYING.has(code) && asked.length === 0)) return [{ type: 'reject', reason, denied: true }]
  if (asked.length === 0) return [{ type: 'reject', reason }, ...next(session)]
  return [...divided(asked, code, reason, session), ...next(session)]
}

/** A frame is refused as a whole: its halves are asked again, until it is known which of it was refused. */
function divided(asked: readonly Subscription[], code: number, reason: string, session: Session): readonly Meaning[] {
  const isOver = code === 405 && session.full
  const hopeless = asked.length === 1 ? asked : isOver ? asked.filter(({ kind }) => COUNTED.has(kind)) : []
  const rest = asked.filter((one) => !hopeless.includes(one) && session.wanted.has(keyOf(one)))
  if (code === 405 && asked.length === 1) session.full = true
  if (rest.length > 0) session.queue.unshift(...batches(rest, isOver ? rest.length : Math.ceil(rest.length / 2)))
  return hopeless.map((one) => {
    for (const channel of channelsOf(one)) leave(session.wants, channel, one.symbol, one.kind)
    return { type: 'reject', kind: one.kind, symbol: one.symbol, reason }
  })
}
