/** Topics: `kind:instrument[@provider][:detail]`, as in `trade:BTC-USDT`, `candle:BTC-USDT:1m`, `quote:BTC-USDT@kraken`. */
import { INTERVALS, KINDS, type Interval, type Kind } from './market.ts'

export type Topic = {
  kind: Kind
  /** Canonical instrument id; for kind `provider` the provider's name. */
  instrument: string
  /** One provider's own events instead of the arbitrated ones. */
  provider?: string
  /** The interval of a candle topic. */
  interval?: Interval
}

export type TopicError = { code: 'BAD_TOPIC'; message: string }

export const topicName = (kind: Kind, instrument: string, provider?: string, interval?: Interval): string =>
  `${kind}:${instrument}${provider === undefined ? '' : `@${provider}`}${interval === undefined ? '' : `:${interval}`}`

/** Instruments may hold a colon (`NSE:SBIN-EQ`), so the interval is cut from the end and the kind from the front. */
export function parseTopic(text: string): Topic | TopicError {
  const bad = (message: string): TopicError => ({ code: 'BAD_TOPIC', message: `${JSON.stringify(text)}: ${message}` })
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon) as Kind
  if (colon < 0 || !KINDS.includes(kind)) return bad(`a topic is kind:instrument, with one of the kinds ${KINDS.join(', ')}`)
  let rest = text.slice(colon + 1)
  let interval: Interval | undefined
  if (kind === 'candle') {
    const cut = rest.lastIndexOf(':')
    interval = rest.slice(cut + 1) as Interval
    if (cut < 0 || !INTERVALS.includes(interval))
      return bad(`a candle topic ends with its interval, as in candle:BTC-USDT:1m; intervals are ${INTERVALS.join(', ')}`)
    rest = rest.slice(0, cut)
  }
  const at = rest.indexOf('@')
  const instrument = at < 0 ? rest : rest.slice(0, at)
  const provider = at < 0 ? undefined : rest.slice(at + 1)
  if (instrument === '' || provider === '') return bad('the instrument or the provider is empty')
  return { kind, instrument, ...(provider === undefined ? {} : { provider }), ...(interval === undefined ? {} : { interval }) }
}

export const isTopicError = (topic: Topic | TopicError): topic is TopicError => 'code' in topic
