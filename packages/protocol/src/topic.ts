/**
 * Topics: `kind:instrument[@provider][:detail]`, as in `trade:BTC-USDT`, `candle:BTC-USDT:1m`, `quote:BTC-USDT@name`,
 * `status:BTC-USDT:trade`, `news:all`, `news:AAPL`.
 */
import { ARBITRATED_KINDS, KINDS, isArbitrated, type ArbitratedKind, type Kind } from './kinds.ts'
import { INTERVALS, type Interval, type MarketEvent } from './market.ts'

export type Topic = {
  kind: Kind
  /** Canonical instrument id; for kind `provider` the provider's name; `all` for a stream that is not of one instrument. */
  instrument: string
  /** One provider's own events instead of the arbitrated ones. */
  provider?: string
  /** The interval of a candle topic. */
  interval?: Interval
  /** The kind that a status or arbitration topic is about. */
  of?: ArbitratedKind
}

export type TopicError = { code: 'BAD_TOPIC'; message: string }

export const topicName = (kind: Kind, instrument: string, provider?: string, detail?: Interval | ArbitratedKind): string =>
  `${kind}:${instrument}${provider === undefined ? '' : `@${provider}`}${detail === undefined ? '' : `:${detail}`}`

export const nameOf = ({ kind, instrument, provider, interval, of }: Topic): string =>
  topicName(kind, instrument, provider, interval ?? of)

/** The topic on which an event is told of its instrument. */
export function topicOf(event: MarketEvent): string {
  const { type, instrument } = event
  if (type === 'provider') return topicName(type, event.provider)
  if (type === 'gap_filled') return topicName('gap', instrument)
  const detail = type === 'candle' ? event.interval : type === 'status' || type === 'arbitration' ? event.kind : undefined
  return topicName(type, instrument, undefined, detail)
}

/** Instruments may hold a colon (`NSE:SBIN-EQ`), so the detail is cut from the end and the kind from the front. */
export function parseTopic(text: string): Topic | TopicError {
  const bad = (message: string): TopicError => ({ code: 'BAD_TOPIC', message: `${JSON.stringify(text)}: ${message}` })
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon) as Kind
  if (colon < 0 || !KINDS.includes(kind)) return bad(`a topic is kind:instrument, with one of the kinds ${KINDS.join(', ')}`)
  let rest = text.slice(colon + 1)
  const detail: Pick<Topic, 'interval' | 'of'> = {}
  if (kind === 'candle' || isDecision(kind)) {
    const cut = rest.lastIndexOf(':')
    const last = cut < 0 ? '' : rest.slice(cut + 1)
    if (kind === 'candle' && INTERVALS.includes(last as Interval)) detail.interval = last as Interval
    else if (isDecision(kind) && isArbitrated(last as Kind)) detail.of = last as ArbitratedKind
    else return bad(DETAIL[kind])
    rest = rest.slice(0, cut)
  }
  const at = rest.indexOf('@')
  const instrument = at < 0 ? rest : rest.slice(0, at)
  const provider = at < 0 ? undefined : rest.slice(at + 1)
  if (instrument === '' || provider === '') return bad('the instrument or the provider is empty')
  return { kind, instrument, ...(provider === undefined ? {} : { provider }), ...detail }
}

const isDecision = (kind: Kind): kind is 'status' | 'arbitration' => kind === 'status' || kind === 'arbitration'

const DETAIL = {
  candle: `a candle topic ends with its interval, as in candle:BTC-USDT:1m; intervals are ${INTERVALS.join(', ')}`,
  status: `a status topic ends with the kind that it decides, as in status:BTC-USDT:trade; kinds are ${ARBITRATED_KINDS.join(', ')}`,
  arbitration: `an arbitration topic ends with its kind, as in arbitration:BTC-USDT:trade; kinds are ${ARBITRATED_KINDS.join(', ')}`
}

/** What comes with a data topic unasked: who leads and why it changed, and what is known to be missing. */
export function noticesOf({ kind, instrument }: Topic): string[] {
  // Candles are folded from trades; what is passed on as it comes has no leader.
  const decided = kind === 'candle' ? 'trade' : kind
  return isArbitrated(decided) ? [topicName('status', instrument, undefined, decided), topicName('gap', instrument)] : []
}

export const isTopicError = (topic: Topic | TopicError): topic is TopicError => 'code' in topic
