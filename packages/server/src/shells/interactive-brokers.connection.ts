/** One connection to TWS by its SDK: loaded on use, kept from harming the process, its words and ours as JSON. */
import type { EventName, IBApi } from '@stoqey/ib'
import type { Ending, Hooks } from '../connection/link.ts'
import type { Answer } from '../connection/rest.ts'
import { interactiveBrokers } from '../providers/interactive-brokers.ts'
import { Fields, faultOf, isUnasked, openCutter, unescaped } from './interactive-brokers.bytes.ts'

export type Call = { call: string; args: unknown[] }
type Words = { event: string; args: unknown[] }
export type Live = {
  send: (frame: string) => void
  ask: (call: Call) => Promise<Answer>
  close: () => void
  asking: () => number
}
export type Where = { host: string; port: number; clientId: number }

/** Reading only: nothing that places, changes or cancels an order goes through. */
const ALLOWED =
  /^(?:req(?:CurrentTime|MarketDataType|ContractDetails|MktData|TickByTickData|MktDepth|HistoricalData|HistoricalTicks|RealTimeBars|Positions|AccountSummary)|cancel(?:MktData|TickByTickData|MktDepth|HistoricalData|RealTimeBars|Positions|AccountSummary))$/
/** About the connection itself, or repeating another one. */
const SILENT = new Set(['all', 'received', 'sent', 'result', 'connected', 'disconnected'])
/** Ids of our own questions; those of the adapter begin at 1. */
const OWN_IDS = 1_000_000_000
const OPEN_PATIENCE = 10_000
const ASK_PATIENCE = 30_000
const CLIENT_ID_IN_USE = 326

export const isCall = (value: unknown): value is Call => {
  const { call, args } = (value ?? {}) as Partial<Call>
  return typeof call === 'string' && ALLOWED.test(call) && Array.isArray(args)
}

type Waiting = { words: Words[]; finish: (answer: Answer) => void }
type State = {
  where: Where
  hooks: Hooks
  onTaken: () => void
  api?: IBApi
  opened: boolean
  ended: boolean
  /** What went wrong, until the SDK says that the connection is gone. */
  trouble?: string
  /** Told in this turn of the loop, and before the connection was ready. */
  heard: Words[]
  server?: Words
  waiting: Map<number, Waiting>
  timer?: NodeJS.Timeout
}

let ownId = OWN_IDS

/** The SDK is loaded with the first connection. */
export function open(where: Where, onTaken: () => void, hooks: Hooks): Live {
  const s: State = { where, hooks, onTaken, opened: false, ended: false, heard: [], waiting: new Map() }
  const name = `${where.host}:${where.port}`
  s.timer = setTimeout(
    () =>
      end(s, {
        reason: `${name}: TWS did not say within ${OPEN_PATIENCE} ms that it is ready: does it ask on its screen whether to accept the connection?`
      }),
    OPEN_PATIENCE
  )
  import('@stoqey/ib').then(
    ({ IBApi }) => !s.ended && start(s, new IBApi({ ...where, maxReqPerSec: interactiveBrokers.limits.framesPerSecond })),
    (cause: unknown) => end(s, { reason: `its SDK, @stoqey/ib, cannot be loaded: ${String(cause)}` })
  )
  return {
    send: (frame) => send(s, frame),
    ask: (call) => question(s, call),
    close: () => close(s),
    asking: () => s.waiting.size
  }
}

function start(s: State, api: IBApi): void {
  s.api = api
  // An 'error' that nobody listens to is thrown.
  api.on('error' as EventName.error, () => undefined)
  api.on('all' as EventName.all, (event, args) => listen(s, { event, args }))
  fence(s, api)
  if (s.ended) return
  try {
    api.connect()
  } catch (cause) {
    end(s, { reason: String(cause) })
  }
}

type Inside = {
  controller?: {
    socket?: { onData?: (data: Buffer) => void }
    decoder?: { dataQueue?: unknown; decodeUnicodeEscapedString?: (text: string) => string }
  }
}

/** What the SDK throws while it reads would otherwise end the process, being thrown by the socket, and what it reads for ever block it. */
function fence(s: State, api: IBApi): void {
  const { socket, decoder } = (api as unknown as Inside).controller ?? {}
  const read = socket?.onData?.bind(socket)
  if (!socket || !read || !decoder) return end(s, { reason: 'its SDK, @stoqey/ib, is of a version that is not known here' })
  decoder.dataQueue = new Fields()
  decoder.decodeUnicodeEscapedString = unescaped
  const cut = openCutter()
  socket.onData = (data) => {
    if (s.ended) return
    const { messages, broken } = cut(data)
    for (const message of messages) pass(s, message, read)
    if (broken !== undefined) end(s, { reason: broken })
  }
}

function pass(s: State, message: Buffer, read: (message: Buffer) => void): void {
  if (s.ended || isUnasked(message)) return
  const fault = faultOf(message)
  if (fault !== undefined) return end(s, { reason: fault })
  try {
    read(message)
  } catch (cause) {
    end(s, { reason: `the SDK could not read what TWS sent: ${String(cause)}` })
  }
}

function listen(s: State, words: Words): void {
  const { event, args } = words
  if (s.ended) return
  if (event === 'disconnected') return end(s, { reason: s.trouble ?? 'TWS closed the connection' })
  if (SILENT.has(event)) return
  const code = args[1]
  if ((event === 'error' || event === 'info') && code === CLIENT_ID_IN_USE) {
    s.onTaken()
    return end(s, { reason: `client id ${s.where.clientId} is in use at this TWS; the next one is tried` })
  }
  if (event === 'error' && code === 502) s.trouble = unreachable(s.where, args[0])
  if (event === 'server') s.server = words
  const waiting = s.waiting.get((event === 'error' ? args[2] : args[0]) as number)
  if (waiting) return collect(waiting, words)
  if (s.heard.push(words) === 1 && s.opened) queueMicrotask(() => flush(s))
  if (event === 'nextValidId' && !s.opened) ready(s)
}

/** Requests sent before this event may be lost. */
function ready(s: State): void {
  s.opened = true
  clearTimeout(s.timer)
  s.hooks.onOpen()
  queueMicrotask(() => flush(s))
}

/** What was told in one turn is one frame, so that a price and its size stay together. */
function flush(s: State): void {
  const words = s.heard.splice(0)
  if (s.ended || words.length === 0) return
  s.hooks.onFrame(written(words.length === 1 ? words[0] : words))
}

const written = (words: unknown): string =>
  JSON.stringify(words, (_key, value: unknown) => {
    if (value instanceof Error) return value.message
    if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) < Number.MAX_VALUE ? value : null
    return typeof value === 'bigint' ? String(value) : value
  })

function unreachable({ host, port }: Where, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  return (
    `${host}:${port} is not reached (${said}): is TWS or the Gateway running, is its API switched on (Configure, API, Settings), ` +
    'and is this its port: 7496 or 7497 for TWS, 4001 or 4002 for the Gateway?'
  )
}

function send(s: State, frame: string): void {
  if (s.ended || !s.opened) return
  const calls = JSON.parse(frame) as Call | Call[]
  for (const one of Array.isArray(calls) ? calls : [calls]) perform(s, one)
}

function perform(s: State, one: Call): void {
  const method = isCall(one) ? (s.api as unknown as Record<string, unknown>)[one.call] : undefined
  if (typeof method !== 'function')
    return listen(s, { event: 'error', args: ['no call that the SDK may be asked', 320, one?.args?.[0] ?? -1] })
  try {
    method.apply(s.api, one.args)
  } catch (cause) {
    // The SDK's queue stands still after that.
    end(s, { reason: `the SDK failed at ${one.call}: ${String(cause)}` })
  }
}

/** A question with an id of its own, and all that is told under it. */
function question(s: State, { call, args }: Call): Promise<Answer> {
  if (s.ended) return Promise.resolve({ ok: false, reason: 'the connection to TWS is closed' })
  const id = ownId++
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish({ ok: false, reason: `no answer within ${ASK_PATIENCE} ms` }), ASK_PATIENCE)
    const finish = (answer: Answer) => {
      clearTimeout(timer)
      s.waiting.delete(id)
      resolve(answer)
    }
    s.waiting.set(id, { words: s.server ? [s.server] : [], finish })
    perform(s, { call, args: [id, ...args.slice(1)] })
  })
}

/** The data, then an end: an event `...End`, a last row `finished-...`, ticks that say they are done, or an error that is none of the warnings. */
function collect({ words, finish }: Waiting, one: Words): void {
  words.push(one)
  const { event, args } = one
  const [, second, third] = args
  const code = Number(second)
  const failed = event === 'error' && !(code >= 2_100 && code < 3_000) && code < 10_000
  const finished = event === 'historicalData' && String(second).startsWith('finished')
  const done = event.startsWith('historicalTicks') && third === true
  if (failed || finished || done || event.endsWith('End')) finish({ ok: true, body: written(words), status: 200, headers: {} })
}

function end(s: State, ending: Ending): void {
  if (s.ended) return
  close(s)
  s.hooks.onClose(ending)
}

function close(s: State): void {
  s.ended = true
  clearTimeout(s.timer)
  for (const { finish } of s.waiting.values()) finish({ ok: false, reason: 'the connection to TWS was closed' })
  try {
    s.api?.disconnect()
  } catch {
    // It is gone already.
  }
}
