/** Finnhub's socket: trades of US stocks, crypto and forex, by symbol and without an answer to what is right. https://finnhub.io/docs/api */
import { topicName, type ErrorCode, type Published, type Trade } from '@tickwire/protocol'
import { dialect, type Command, type Desk } from './dialect.ts'
import { keys, NOT_PERMITTED, routes } from './finnhub.rest.ts'
import { infoOf } from './finnhub.symbols.ts'

type Memory = {
  desk: Desk
  /** Instruments by the symbol that was asked for. */
  held: Map<string, string>
  seen: Map<string, number>
  pinged: number
}

const MINUTE = 60_000
const send = (message: object): Command => ({ type: 'send', text: JSON.stringify(message) })
const fault = (msg: string): Command => ({ type: 'send', text: JSON.stringify({ msg, type: 'error' }), bad: true })

/** {"type":"subscribe","symbol":"AAPL"} */
function receive(text: string, memory: Memory): Command[] {
  let message: { type?: unknown; symbol?: unknown } | null
  try {
    message = JSON.parse(text)
  } catch {
    return [fault('Invalid JSON')]
  }
  if (typeof message !== 'object' || message === null) return [fault('Invalid message')]
  const { type, symbol } = message
  // Some clients answer a ping; nobody reads it.
  if (type === 'ping' || type === 'pong') return []
  if (type !== 'subscribe' && type !== 'unsubscribe') return [fault(`Invalid message type ${JSON.stringify(type) ?? ''}`.trim())]
  if (typeof symbol !== 'string') return [fault('Invalid symbol')]
  return type === 'subscribe' ? subscribe(symbol, memory) : unsubscribe(symbol, memory)
}

const topicOf = (instrument: string): string => topicName('trade', instrument)
/** The same instrument may be held by two names. */
const isHeld = ({ held }: Memory, instrument: string): boolean => [...held.values()].includes(instrument)

function subscribe(symbol: string, memory: Memory): Command[] {
  if (memory.held.has(symbol)) return []
  const info = infoOf(memory.desk, symbol)
  if (!info) return [fault(`Invalid symbol ${symbol}`)]
  const known = isHeld(memory, info.instrument)
  memory.held.set(symbol, info.instrument)
  return known ? [] : [{ type: 'subscribe', topics: [topicOf(info.instrument)] }]
}

function unsubscribe(symbol: string, memory: Memory): Command[] {
  const instrument = memory.held.get(symbol)
  memory.held.delete(symbol)
  if (instrument === undefined || isHeld(memory, instrument)) return []
  return [{ type: 'unsubscribe', topics: [topicOf(instrument)] }]
}

/** 1 is a regular trade, 12 an odd lot or what else sets no price, 24 one out of hours; those of other lists mean something else. */
function conditionsOf(e: Trade, symbol: string): readonly string[] | null {
  if (e.provider === 'finnhub' && e.conditions) return e.conditions
  if (symbol.includes(':')) return null
  const late = e.session === 'pre' || e.session === 'post'
  return ['1', ...(late ? ['24'] : []), ...(e.ineligible ? ['12'] : [])]
}

function refusalOf(code: ErrorCode, symbol: string): string {
  if (code === 'TOO_MANY_SYMBOLS') return 'Subscribing to too many symbols'
  return code === 'FORBIDDEN' ? NOT_PERMITTED : `Invalid symbol ${symbol}`
}

const rowOf = (e: Published<Trade>, symbol: string): string =>
  JSON.stringify({ c: conditionsOf(e, symbol), p: e.price, s: symbol, t: Math.floor(e.time), v: e.size })

export const finnhub = dialect<Memory>({
  name: 'finnhub',
  paths: ['/'],
  maxMessage: 16 * 1024,

  keys,

  /** Where the gateway asks for nobody any token will do, only not none; where it does, it has refused the upgrade itself. */
  open({ query, headers = {} }, desk, now) {
    const memory: Memory = { desk, held: new Map(), seen: new Map(), pinged: now }
    const named = [query['token'], ...[...keys.headers, 'authorization', 'x-api-key'].map((name) => headers[name])]
    if (named.some((token) => token !== undefined && token !== '')) return { memory, commands: [] }
    return { memory, commands: [fault('Invalid API key'), { type: 'close', code: 1008, reason: 'Invalid API key' }] }
  },

  receive,

  settled(results, _tag, memory) {
    const out: Command[] = []
    for (const result of results)
      if (result.ok) memory.seen.set(result.topic, result.position.seq)
      else
        for (const [symbol, instrument] of memory.held)
          if (topicOf(instrument) === result.asked) {
            memory.held.delete(symbol)
            out.push(fault(refusalOf(result.code, symbol)))
          }
    return out
  },

  render(event, memory) {
    if (event.type !== 'trade' || event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    const rows = [...memory.held].flatMap(([symbol, instrument]) =>
      instrument === event.instrument ? [rowOf(event, symbol)] : []
    )
    return rows.length === 0 ? undefined : rows.join(',')
  },
  /** Trades due at once leave in one frame, whatever their symbols. */
  frame: (rendered) => `{"data":[${rendered.join(',')}],"type":"trade"}`,

  tickEvery: 1_000,
  tick(memory, now) {
    if (now - memory.pinged < MINUTE) return []
    memory.pinged = now
    return [send({ type: 'ping' })]
  },

  http: routes
})
