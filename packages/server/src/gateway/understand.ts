/** What a client means by a topic: the canonical one behind whatever spelling, or why there is none. */
import {
  DATA_KINDS,
  type ErrorCode,
  isTopicError,
  isWhole,
  nameOf,
  parseTopic,
  type Topic,
  type TopicResult
} from '@tickwire/protocol'
import type { Desk } from '../dialects/dialect.ts'

export type Refusal = Extract<TopicResult, { ok: false }>
/** `data`: market data, which is asked for upstream; the rest is what the plant says by itself. */
export type Understood = { ok: true; topic: Topic; name: string; data: boolean }
export type Understand = (asked: string) => Understood | Refusal

export const refusal = (asked: string, code: ErrorCode, message: string, nearest: readonly string[] = []): Refusal => ({
  asked,
  ok: false,
  code,
  message,
  ...(nearest.length > 0 ? { nearest: [...nearest] } : {})
})

/** An instrument that nobody lists may still come with a listing that is not loaded yet. */
export function unknownSymbol(desk: Desk, text: string, nearest: readonly string[]): { code: ErrorCode; message: string } {
  const hint = nearest.length > 0 ? `; the nearest are ${nearest.join(', ')}` : ''
  const missing = desk.unlisted()
  if (missing.length === 0) return { code: 'BAD_SYMBOL', message: `no provider lists ${JSON.stringify(text)}${hint}` }
  const message = `no provider lists ${JSON.stringify(text)} so far; the list of ${missing.join(', ')} is not loaded yet${hint}`
  return { code: 'UNAVAILABLE', message }
}

const PLURALS: Partial<Record<Topic['kind'], string>> = {
  trade: 'trades',
  quote: 'quotes',
  ticker: 'tickers',
  book: 'books',
  candle: 'candles',
  mark: 'mark prices',
  band: 'price bands',
  liquidity: 'books, of which liquidity is made'
}

/** What we make of one kind of data is asked for as that data. */
const ASKED: ReadonlySet<string> = new Set([...DATA_KINDS, 'liquidity', 'change'])
const understood = (topic: Topic): Understood => {
  const data = ASKED.has(topic.kind)
  return { ok: true, topic, name: nameOf(topic), data }
}

export function understand(desk: Desk, asked: string): Understood | Refusal {
  const topic = parseTopic(asked)
  if (isTopicError(topic)) return refusal(asked, topic.code, topic.message)
  if (topic.kind === 'provider') {
    const isListed = () => desk.instruments().some((i) => i.providers.some((p) => p.provider === topic.instrument))
    if (desk.last(nameOf(topic)) !== undefined || isListed()) return understood(topic)
    return refusal(asked, 'BAD_PROVIDER', `there is no provider ${JSON.stringify(topic.instrument)}`)
  }
  if (topic.kind === 'replay') return refusal(asked, 'NOT_FOUND', 'it is told at the address of a replay: /v1/replay/<replay>/ws')
  // Of all instruments, or of a sector.
  if (topic.kind === 'breadth') {
    if (desk.carries(topic)) return understood(topic)
    return refusal(
      asked,
      'BAD_SYMBOL',
      `there is no sector ${JSON.stringify(topic.instrument)}; GET /v1/breadth names those there are`
    )
  }
  const whole = isWhole(topic.kind) && topic.instrument === 'all'
  const found = whole ? ({ ok: true, instrument: 'all' } as const) : desk.resolve(topic.instrument)
  if (!found.ok) {
    const { code, message } = unknownSymbol(desk, topic.instrument, found.nearest)
    return refusal(asked, code, message, found.nearest)
  }
  const { instrument } = found
  const { provider } = topic
  if (provider !== undefined && !whole) {
    const carriers = desk.instrument(instrument)?.providers.map((p) => p.provider) ?? []
    if (!carriers.includes(provider)) {
      // It may carry it for all we know.
      if (desk.unlisted().includes(provider))
        return refusal(asked, 'UNAVAILABLE', `the list of ${JSON.stringify(provider)} is not loaded yet`)
      const hint = carriers.length > 0 ? `it comes from ${carriers.join(', ')}` : 'no provider carries it now'
      return refusal(asked, 'BAD_PROVIDER', `${JSON.stringify(provider)} does not carry ${instrument}; ${hint}`, carriers)
    }
  }
  const canonical = { ...topic, instrument }
  if (desk.carries(canonical)) return understood(canonical)
  const missing = desk.unlisted()
  if (provider === undefined && missing.length > 0)
    return refusal(asked, 'UNAVAILABLE', `nobody sends it so far; the list of ${missing.join(', ')} is not loaded yet`)
  const what = topic.interval === undefined ? (PLURALS[topic.kind] ?? topic.kind) : `${topic.interval} candles`
  if (provider !== undefined) return refusal(asked, 'BAD_PROVIDER', `${provider} sends no ${what}`)
  return refusal(asked, 'NOT_FOUND', `no provider of ${instrument} sends ${what}`)
}

/** Listings change seldom, so a topic is looked up once a second however many clients ask for it. */
const KEEP = 1_000
const MAX_KNOWN = 20_000

export function createUnderstanding(desk: Desk, clock: () => number): Understand {
  const known = new Map<string, Understood>()
  let since = clock()
  return (asked) => {
    const now = clock()
    if (now - since >= KEEP || now < since) {
      known.clear()
      since = now
    }
    const found = known.get(asked)
    if (found) return found
    const made = understand(desk, asked)
    if (made.ok && known.size < MAX_KNOWN) known.set(asked, made)
    return made
  }
}
