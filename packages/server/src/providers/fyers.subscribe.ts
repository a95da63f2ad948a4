/** From wishes to topics: symbols need their tokens first, the socket its login; what was asked is confirmed in the order of asking. */
import type { DataKind } from '@tickwire/protocol'
import type { Access, Meaning, Need, Outgoing, Poll, Subscription } from './adapter.ts'
import { TYPE, topicsFrame } from './fyers.hsm.ts'
import type { Channel, Feed } from './fyers.market.ts'
import { refusal } from './fyers.rest.ts'
import { isIndex, topicOf } from './fyers.symbols.ts'
import { authorization } from './fyers.token.ts'
import * as values from './values.ts'
import { batches, leave, want } from './wants.ts'

export type Session = Feed & {
  access: Access
  route: string
  authenticated: boolean
  /** Symbol → its token; those asked for; and how often it was asked. */
  tokens: Map<string, string>
  asking: Set<string>
  asked: number
  /** What each frame that is not yet answered asked for: answers name nothing. */
  sent: (readonly Subscription[])[]
  /** What can be told only with the next frame. */
  refusals: Meaning[]
  /** An ack is wanted after so many data frames (0: none; undefined: not told), and so many were heard since the last. */
  ackEvery: number | undefined
  unacked: number
}

const TOPICS_PER_FRAME = 200
const SYMBOLS_PER_CALL = 200
const TOKEN = /^\d{11,40}$/
const QUOTES_PER_CALL = 50
const QUOTES_EVERY = 60_000

export const isLite = ({ access }: Session): boolean => access.feed === 'lite'

const channelOf = ({ kind, symbol }: Subscription): Channel => (kind === 'book' ? 'dp' : isIndex(symbol) ? 'if' : 'sf')

const HAS: Readonly<Record<Channel, ReadonlySet<DataKind>>> = {
  sf: new Set<DataKind>(['trade', 'quote', 'ticker']),
  if: new Set<DataKind>(['index', 'ticker']),
  dp: new Set<DataKind>(['book'])
}
/** Why it will never come, where that is known beforehand: the provider is silent about it. */
function hopeless(one: Subscription, session: Session): string | undefined {
  if (one.kind === 'book' && isIndex(one.symbol)) return 'Index does not have market depth'
  if (!HAS[channelOf(one)].has(one.kind)) return `there is no ${one.kind} of it`
  return isLite(session) && (one.kind === 'trade' || one.kind === 'quote') ? 'lite mode has last prices alone' : undefined
}

export function subscribe(wanted: readonly Subscription[], session: Session): readonly Outgoing[] {
  const possible = wanted.filter((one) => {
    const reason = hopeless(one, session)
    if (reason !== undefined) session.refusals.push({ type: 'reject', kind: one.kind, symbol: one.symbol, reason })
    return reason === undefined
  })
  for (const one of possible) want(session.wants, channelOf(one), one.symbol, one.kind)
  const unknown = possible.map(({ symbol }) => symbol).filter((symbol) => !session.tokens.has(symbol))
  return [...askTokens(unknown, session), ...ask(possible, session), ...quotePolls(session)]
}

export function unsubscribe(unwanted: readonly Subscription[], session: Session): readonly Outgoing[] {
  const topics = new Set<string>()
  for (const one of unwanted) {
    const channel = channelOf(one)
    if (!leave(session.wants, channel, one.symbol, one.kind)) continue
    const token = session.tokens.get(one.symbol)
    const topic = token === undefined ? undefined : topicOf(channel, one.symbol, token)
    if (topic !== undefined) topics.add(topic)
    // What is traded until somebody asks again is nobody's trade.
    if (channel === 'sf') session.volumes.delete(one.symbol)
  }
  const asked = session.authenticated ? [...topics] : []
  const frames = batches(asked, TOPICS_PER_FRAME).map((batch) => topicsFrame(TYPE.unsubscribe, batch))
  return [...frames, ...quotePolls(session)]
}

/** Frames for those whose tokens are known, once the socket has let us in. Asked again, a topic answers with its snapshot. */
function ask(wanted: readonly Subscription[], session: Session): readonly Uint8Array[] {
  if (!session.authenticated) return []
  const topics = new Map<string, Subscription[]>()
  for (const one of wanted) {
    const token = session.tokens.get(one.symbol)
    const topic = token === undefined ? undefined : topicOf(channelOf(one), one.symbol, token)
    if (topic === undefined) continue
    session.symbols.set(topic, one.symbol)
    topics.set(topic, [...(topics.get(topic) ?? []), one])
  }
  return batches([...topics], TOPICS_PER_FRAME).map((batch) => {
    session.sent.push(batch.flatMap(([, asked]) => asked))
    return topicsFrame(
      TYPE.subscribe,
      batch.map(([topic]) => topic)
    )
  })
}

/** All that is wanted, of these symbols where they are named. */
function wantedOf({ wants }: Session, symbols?: ReadonlySet<string>): Subscription[] {
  const all: Subscription[] = []
  for (const channel of wants.values())
    for (const [symbol, kinds] of channel) if (symbols?.has(symbol) ?? true) for (const kind of kinds) all.push({ kind, symbol })
  return all
}

export const askAll = (session: Session, symbols?: ReadonlySet<string>): readonly Meaning[] =>
  ask(wantedOf(session, symbols), session).map((frame) => ({ type: 'reply', frame }))

// ---- tokens ------------------------------------------------------------------------------------------------------

const tokensNeed = (symbols: readonly string[], { access }: Session): Need => ({
  type: 'need',
  purpose: 'login',
  path: '/data/symbol-token',
  post: { symbols },
  headers: authorization(access),
  tolerate: true,
  note: symbols
})

/** One call for many symbols; one that is on its way is not made again. */
function askTokens(symbols: readonly string[], session: Session): readonly Poll[] {
  const fresh = [...new Set(symbols)].filter((symbol) => !session.asking.has(symbol))
  for (const symbol of fresh) session.asking.add(symbol)
  return batches(fresh, SYMBOLS_PER_CALL).map((batch) => ({
    poll: `tokens ${++session.asked}`,
    need: tokensNeed(batch, session),
    every: Infinity
  }))
}

/** {"s":"ok","validSymbol":{"NSE:SBIN-EQ":"10100000003045"},"invalidSymbol":["NSE:NO-EQ"]} */
export function tokens(m: unknown, need: Need, session: Session): readonly Meaning[] {
  if (!values.isRecord(m)) return [values.refused('tokens of an unknown shape')]
  const asked = Array.isArray(need.note) ? (need.note as string[]) : []
  const refused = refusal(m) ?? []
  // A budget that is spent is another's fault: the same call again, after the pause.
  if (refused.some(({ type }) => type === 'quiet')) {
    const poll = { poll: `tokens ${++session.asked}`, need: tokensNeed(asked, session), every: Infinity }
    return [...refused, { type: 'reply', frame: poll }]
  }
  for (const symbol of asked) session.asking.delete(symbol)
  if (refused.some(({ type }) => type === 'hangup')) return refused
  const valid = values.isRecord(m.validSymbol) ? m.validSymbol : {}
  for (const [symbol, token] of Object.entries(valid))
    if (typeof token === 'string' && TOKEN.test(token)) session.tokens.set(symbol, token)
  const reason = m.s === 'error' ? values.say(m.message) : 'invalid symbol (-300)'
  const lost = new Set(asked.filter((symbol) => !session.tokens.has(symbol)))
  const bad = asked.filter((symbol) => !lost.has(symbol) && topicOf('sf', symbol, session.tokens.get(symbol)!) === undefined)
  for (const { kind, symbol } of wantedOf(session, lost)) session.refusals.push({ type: 'reject', kind, symbol, reason })
  for (const { kind, symbol } of wantedOf(session, new Set(bad)))
    session.refusals.push({ type: 'reject', kind, symbol, reason: 'its segment has no topic on the data socket' })
  return [...refused, ...askAll(session, new Set(asked))]
}

// ---- what lite mode leaves out -----------------------------------------------------------------------------------

/** The statistics of the day, by REST; the polls of before are replaced, those left over end. */
function quotePolls(session: Session): readonly Poll[] {
  if (!isLite(session)) return []
  const symbols = ['sf', 'if'].flatMap((channel) => [...(session.wants.get(channel)?.keys() ?? [])])
  const calls = batches(symbols, QUOTES_PER_CALL).map((batch, i): Poll => {
    const path = `/data/quotes?symbols=${batch.map(encodeURIComponent).join(',')}`
    return {
      poll: `quotes ${i}`,
      need: { type: 'need', purpose: 'snapshot', path, headers: authorization(session.access), tolerate: true },
      every: QUOTES_EVERY
    }
  })
  return [...calls, { poll: `quotes ${calls.length}`, every: Infinity }]
}
