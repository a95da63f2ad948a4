/** The life of a client's connection as a pure step: (state, input) → effects. No socket, no timer, no clock. */
import { mayReconnect, PROTOCOL_VERSION } from '@tickwire/protocol'
import type { ClientMessage, ServerMessage } from '@tickwire/protocol'
import { failAsks, flushAsks, forgetAnswers, settle, unwant, want } from './ask.ts'
import { backoffDelay, closeReason } from './backoff.ts'
import { agree, data, digests } from './data.ts'
import type { Connection, Effect, Hello, Input, Phase } from './state.ts'

/** A connection that lived this long was a good one: the next failure starts from a short delay again. */
const STEADY = 5_000

export function step(c: Connection, input: Input): Effect[] {
  if (c.state.phase === 'closed') return input.type === 'want' ? failAsks(c, input.topics, c.state.reason) : []
  switch (input.type) {
    case 'start':
      return dial(c, input.now)
    case 'opened':
      c.via = input.via ?? 'websocket'
      return [{ type: 'send', message: greeting(c) }]
    case 'message':
      c.heard = input.now
      c.pinged = false
      return Array.isArray(input.message) ? data(c, input.message) : control(c, input.message, input.now)
    case 'garbled':
      return [{ type: 'error', report: { code: 'PROTOCOL', message: input.reason, retry: false } }]
    case 'token':
      return [{ type: 'send', message: { op: 'auth', token: input.token } }]
    case 'closed':
      return ended(c, input.code, input.reason, input.now)
    case 'failed':
      return [{ type: 'hangup', code: 1000, reason: 'failed' }, ...wait(c, input.reason, input.now)]
    case 'tick':
      return tick(c, input.now)
    case 'want':
      return want(c, input.topics, input.contract)
    case 'change':
      want(c, input.topics, input.contract)
      return []
    case 'unwant':
      return unwant(c, input.topics)
    case 'flush':
      return c.state.phase === 'open' ? flushAsks(c, input.now) : []
    default:
      return stop(c, input.reason, input.now)
  }
}

function greeting({ settings: { client, encoding } }: Connection): ClientMessage {
  const hello = { op: 'hello', version: PROTOCOL_VERSION, client } as const
  return encoding === 'json' ? hello : { ...hello, encoding }
}

/** When `tick` next has something to do. */
export function due(c: Connection): number {
  const { phase, since, retryAt = since } = c.state
  if (phase === 'closed') return Infinity
  if (phase === 'waiting') return retryAt
  if (phase === 'connecting') return since + c.settings.patience
  const next = c.pinged ? c.heard + silence(c) : c.heard + Math.min(c.settings.heartbeat, silence(c))
  return [...c.asks.values()].reduce((soonest, ask) => Math.min(soonest, ask.retryAt ?? Infinity), next)
}

/** The server pings every `interval`, so three of them missed say the same as a minute of silence. */
const silence = (c: Connection): number => Math.min(c.settings.inactivity, 3 * (c.state.hello?.heartbeat.interval ?? Infinity))

function enter(c: Connection, phase: Phase, reason: string, now: number, retryAt?: number): Effect {
  const { hello } = c.state
  const isOpen = phase === 'open'
  c.state = { phase, since: now, reason, attempt: isOpen ? 0 : c.failures }
  if (isOpen) c.state.via = c.via
  if (retryAt !== undefined) c.state.retryAt = retryAt
  if (hello) c.state.hello = hello
  return { type: 'state', state: c.state }
}

function dial(c: Connection, now: number): Effect[] {
  c.greeted = false
  const reason = c.failures === 0 ? 'Connecting.' : `Connecting again (attempt ${c.failures + 1}).`
  return [enter(c, 'connecting', reason, now), { type: 'dial' }]
}

function tick(c: Connection, now: number): Effect[] {
  // A clock set back must not make the connection deaf: what was heard "in the future" was heard now.
  if (c.heard > now) c.heard = now
  const { phase, since, retryAt = since } = c.state
  if (phase === 'waiting') return now >= retryAt || since > now ? dial(c, now) : []
  if (phase === 'connecting')
    return now - since >= c.settings.patience ? hangup(c, 'The server did not answer in time.', now) : []
  const quiet = now - c.heard
  if (quiet >= silence(c)) return hangup(c, `Nothing was heard from the server for ${Math.round(quiet / 1000)} s.`, now)
  const effects = flushAsks(c, now)
  if (quiet < c.settings.heartbeat || c.pinged) return effects
  c.pinged = true
  return [...effects, { type: 'send', message: { op: 'ping' } }]
}

const hangup = (c: Connection, reason: string, now: number): Effect[] => [
  { type: 'hangup', code: 3008, reason: 'timeout' },
  ...wait(c, reason, now)
]

function wait(c: Connection, reason: string, now: number): Effect[] {
  if (c.state.phase === 'open' && now - c.state.since >= STEADY) c.failures = 0
  c.failures++
  const { attempts } = c.settings
  if (attempts > 0 && c.failures >= attempts) return stop(c, `${reason} Given up after ${attempts} attempts.`, now, false)
  const delay = Math.max(0, c.notBefore - now) + backoffDelay(c.failures, c.settings.backoff, c.random)
  c.notBefore = 0
  forgetAnswers(c)
  return [enter(c, 'waiting', `${reason} Trying again in ${(delay / 1000).toFixed(1)} s.`, now, now + delay)]
}

function ended(c: Connection, code: number, text: string, now: number): Effect[] {
  const reason = closeReason(code, text, c.state.phase === 'open')
  // A clean close by something in between (a proxy that went away) is no verdict of the server. One who has a token was slow, not mute.
  const late = code === 4504 && c.settings.hasToken
  if (c.state.phase === 'open' && now - c.state.since >= STEADY) c.expired = false
  // A new token is fetched once; where that is no better, the next would not be.
  const again = code === 4003 && c.expired
  c.expired = code === 4003
  if (again) return stop(c, `${reason} The new token was no better. Not trying again.`, now, false)
  return mayReconnect(code) || code === 1000 || late ? wait(c, reason, now) : stop(c, `${reason} Not trying again.`, now, false)
}

function stop(c: Connection, reason: string, now: number, hang = true): Effect[] {
  const failed = failAsks(c, [...c.asks.keys()], reason)
  const end: Effect[] = hang ? [{ type: 'hangup', code: 1000, reason: 'done' }] : []
  return [...end, enter(c, 'closed', reason, now), ...failed]
}

function control(c: Connection, message: ServerMessage, now: number): Effect[] {
  switch (message.op) {
    case 'hello':
      return welcome(c, message, now)
    case 'authenticated':
      return c.state.phase === 'connecting' ? open(c, now) : []
    case 'subscribed':
      return settle(c, message.id, message.results)
    case 'ping':
      return [{ type: 'send', message: { op: 'pong' } }]
    case 'lost':
      return data(c, [message])
    case 'contract':
      return agree(c, message)
    case 'digest':
      return digests(c, message.digests)
    case 'error':
      return refused(c, message, now)
    case 'shutdown':
      c.notBefore = now + message.retryAfterMs
      return [{ type: 'shutdown', report: { retryAfterMs: message.retryAfterMs, reason: message.reason } }]
    default:
      return [] // pong, unsubscribed, and what a later version may add
  }
}

function welcome(c: Connection, hello: Hello, now: number): Effect[] {
  // A new epoch counts every topic from 1 again.
  if (c.state.hello && c.state.hello.epoch !== hello.epoch) c.notices.clear()
  c.state = { ...c.state, hello }
  if (c.state.phase !== 'connecting' || c.greeted) return []
  c.greeted = true
  if (hello.version !== PROTOCOL_VERSION)
    return stop(c, `The server speaks protocol version ${hello.version}, this client version ${PROTOCOL_VERSION}.`, now)
  if (hello.auth === 'none') return open(c, now)
  if (!c.settings.hasToken) return stop(c, 'The server needs a token: connect({ url, token }).', now)
  return [{ type: 'authenticate' }]
}

function open(c: Connection, now: number): Effect[] {
  const { server, mode } = c.state.hello!
  const opened = enter(c, 'open', `Connected to ${server} (${mode}).`, now)
  return [opened, ...flushAsks(c, now)]
}

function refused(c: Connection, message: Extract<ServerMessage, { op: 'error' }>, now: number): Effect[] {
  const { code, message: text, retry, id } = message
  const report: Effect = { type: 'error', report: { code, message: text, retry } }
  const request = c.requests.get(id as number)
  if (!request) return [report]
  c.requests.delete(id as number)
  if (!retry) {
    // Told with each topic; alone where there is none any more.
    const failed = failAsks(c, request.asked, text, code)
    return failed.length > 0 ? failed : [report]
  }
  for (const asked of request.asked) {
    const ask = c.asks.get(asked)
    if (ask) Object.assign(ask, { phase: 'new', retryAt: now + backoffDelay(++ask.attempt, c.settings.backoff, c.random) })
  }
  return [report]
}
