/** What becomes of a client's subscribe and unsubscribe. Pure. */
import type { Mode, TopicResult } from '@tickwire/protocol'
import type { Command, Desk } from './dialect.ts'
import { enter, leave, statusTopics, type Memory } from './fiml.memory.ts'
import {
  absentService,
  complaints,
  errorText,
  iso,
  readSubscribe,
  unsubscribeSchema,
  uuidOf,
  type ErrorName,
  type SubscribeRequest
} from './fiml.messages.ts'
import { ALL, sourceTopics, symbolsOf, type Line } from './fiml.subscription.ts'

type Unknown = { symbol: string; message: string; nearest: readonly string[] }
/** What a `subscribe` command carries to its outcome. */
type Asked = { request: SubscribeRequest; lines: Line[]; unknown: Unknown[] }

const ADVICE = 'Market data for information only: no investment advice, no warranty of accuracy or timeliness.'
/** Said with every update where the prices are none of a market today. */
export const SOURCE: Record<Mode, string | null> = {
  live: null,
  demo: 'Simulated prices of the demo, not a market.',
  capture: 'Recorded prices, replayed.',
  replay: 'Recorded prices, replayed.'
}

const FIAT = new Set('USD EUR GBP JPY CHF AUD CAD NZD CNY HKD INR SGD SEK NOK MXN ZAR KRW BRL'.split(' '))
const UNQUOTED = new Set(['equity', 'etf', 'index', 'commodity', 'option', 'future'])

export const send = (text: string): Command => ({ type: 'send', text })
export const fail = (code: ErrorName, message: string, details: object | null, now: number): Command =>
  send(errorText(code, message, details, now))

const list = (symbols: readonly string[]): string => symbols.join(', ')

export const isAbsent = (service: string, message: string, now: number): Command =>
  fail('SERVICE_NOT_AVAILABLE', message, { service }, now)

export function invalid(code: ErrorName, error: Parameters<typeof complaints>[0], now: number): Command[] {
  const errors = complaints(error)
  return [fail(code, errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors }, now)]
}

function refused(unknown: readonly Unknown[], now: number): Command {
  const text = unknown.map(({ symbol, message }) => (symbol === '' ? message : `${symbol}: ${message}`)).join('; ')
  const nearest = Object.fromEntries(unknown.map(({ symbol, nearest }) => [symbol, nearest]))
  const symbols = unknown.flatMap(({ symbol }) => symbol || [])
  return fail('SUBSCRIPTION_ERROR', text, { symbols, nearest }, now)
}

/** A coin alone (`BTC`, asset type crypto) means its pair with the commonest quote that is listed. */
function find(desk: Desk, symbol: string, assetType: string): ReturnType<Desk['resolve']> {
  const found = desk.resolve(symbol)
  if (found.ok || assetType !== 'crypto') return found
  return [`${symbol}-USDT`, `${symbol}-USD`].map((pair) => desk.resolve(pair)).find(({ ok }) => ok) ?? found
}

function assetTypeOf(desk: Desk, instrument: string, asked: string): string {
  const info = desk.instrument(instrument)
  if (info?.quote === undefined) return UNQUOTED.has(asked) ? asked : 'equity'
  return FIAT.has(info.base) && FIAT.has(info.quote) ? 'forex' : 'crypto'
}

const lineOf = (symbol: string, instrument: string, assetType: string): Line => {
  return { symbol, instrument, assetType, pictures: {}, dirty: false, dark: false }
}

function understand(desk: Desk, request: SubscribeRequest): Asked {
  const asked: Asked = { request, lines: [], unknown: [] }
  if (request.symbols === null) asked.lines.push(lineOf('', ALL, request.asset_type))
  for (const symbol of request.symbols ?? []) {
    const found = find(desk, symbol, request.asset_type)
    if (found.ok) asked.lines.push(lineOf(symbol, found.instrument, assetTypeOf(desk, found.instrument, request.asset_type)))
    else {
      const hint = found.nearest.length > 0 ? `; the nearest are ${list(found.nearest)}` : ''
      asked.unknown.push({ symbol, nearest: found.nearest, message: `no provider lists it${hint}` })
    }
  }
  return asked
}

const sourcesOf = ({ stream_type, params }: SubscribeRequest, { instrument }: Line): string[] =>
  sourceTopics(stream_type, instrument, params.interval)

export function subscribe(message: unknown, memory: Memory, maxSubscriptions: number, now: number): Command[] {
  const service = absentService(message)
  if (service !== undefined) return [isAbsent(service, `the ${service} service is not part of this server yet`, now)]
  const parsed = readSubscribe(message)
  if (!parsed.success) return invalid('SUBSCRIPTION_ERROR', parsed.error, now)
  // All that is said from here on, this answer too.
  memory.format = parsed.data.format ?? memory.format
  if (parsed.data.stream_type === 'news' && !memory.desk.carries({ kind: 'news', instrument: ALL }))
    return [isAbsent('news', 'no provider of news is configured', now)]
  const active = memory.subscriptions.size
  if (active >= maxSubscriptions) {
    const text = `this connection holds ${active} subscriptions, the most it may; those stay`
    return [fail('SUBSCRIPTION_ERROR', text, { limit: maxSubscriptions, active_subscriptions: active }, now)]
  }
  const asked = understand(memory.desk, parsed.data)
  if (asked.lines.length === 0) return [refused(asked.unknown, now)]
  const topics = asked.lines.flatMap((line) => {
    const sources = sourcesOf(asked.request, line)
    return [...sources, ...statusTopics(sources)]
  })
  return [{ type: 'subscribe', topics: [...new Set(topics)], tag: asked }]
}

/** A symbol is subscribed when all its sources are; what the session refused is told in its words. */
export function settled(results: readonly TopicResult[], tag: unknown, memory: Memory, patience: number, now: number): Command[] {
  if (tag === undefined) return []
  const { request, lines, unknown } = tag as Asked
  const outcome = new Map(results.map((result) => [result.asked, result]))
  const held: Line[] = []
  for (const line of lines) {
    const refusal = sourcesOf(request, line)
      .map((topic) => outcome.get(topic))
      .find((result) => result?.ok === false)
    if (refusal?.ok === false) unknown.push({ symbol: line.symbol, message: refusal.message, nearest: refusal.nearest ?? [] })
    else held.push(line)
  }
  const commands: Command[] = []
  if (held.length > 0) {
    const id = uuidOf(`${memory.session}:${++memory.made}`)
    const { stream_type, interval_ms } = request
    // Stories may be far between.
    const until = stream_type === 'news' ? Infinity : now + patience
    enter(memory, { id, stream: stream_type, request, lines: held, queue: [], due: -Infinity, patience: until })
    const disclaimer = [SOURCE[memory.desk.mode], ADVICE].filter(Boolean).join(' ')
    const symbols = request.symbols && symbolsOf(held)
    const ack = { type: 'subscription_ack', stream_type, symbols, subscription_id: id, interval_ms }
    commands.push(send(JSON.stringify({ ...ack, timestamp: iso(now), disclaimer })))
  }
  const leftovers = [...outcome.keys()].filter((topic) => outcome.get(topic)!.ok && !memory.routes.has(topic))
  if (leftovers.length > 0) commands.push({ type: 'unsubscribe', topics: leftovers })
  if (unknown.length > 0) commands.push(refused(unknown, now))
  return commands
}

export function unsubscribe(message: unknown, memory: Memory, now: number): Command[] {
  const parsed = unsubscribeSchema.safeParse(message)
  if (!parsed.success) return invalid('UNSUBSCRIBE_ERROR', parsed.error, now)
  const { stream_type, symbols } = parsed.data
  const held = [...memory.subscriptions.values()].filter(({ stream }) => stream === stream_type).flatMap(({ lines }) => lines)
  const gone = new Set(held.filter(({ symbol }) => symbols?.includes(symbol) ?? true))
  const freed = symbolsOf(gone)
  const missing = symbols?.filter((symbol) => !freed.includes(symbol)) ?? []
  const commands: Command[] = []
  if (gone.size > 0) {
    commands.push({ type: 'unsubscribe', topics: leave(memory, gone) })
    const ack = { type: 'unsubscribe_ack', stream_type, symbols: symbols && freed, timestamp: iso(now) }
    commands.push(send(JSON.stringify(ack)))
  }
  if (missing.length > 0 || gone.size === 0) {
    const text = `no ${stream_type} subscription here${missing.length > 0 ? ` holds ${list(missing)}` : ''}`
    commands.push(fail('UNSUBSCRIBE_ERROR', text, { stream_type, symbols: missing, held: symbolsOf(held) }, now))
  }
  return commands
}
