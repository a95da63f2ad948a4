/** HTTP calls to one provider: paced, bounded in time and size, coalesced, retried; what goes wrong is a value. */
import type { Frame, Need } from '../providers/adapter.ts'
import { pause } from './pause.ts'
import { openBudget, type Window } from './budget.ts'
import { isPublicHost, mayFollow } from './public.ts'
import { retryAfter } from './retry.ts'

export type Good = {
  ok: true
  body: Frame
  status: number
  headers: Readonly<Record<string, string>>
  unchanged?: boolean
  /** Where it is from now on (301, 308). */
  moved?: string
}
export type Answer = Good | { ok: false; reason: string; status?: number }

export type RestOptions = {
  restUrl: string
  requestsPerSecond: number
  /** Further windows of the budget, all of which hold. */
  windows?: readonly Window[]
  clock: () => number
  random: () => number
  /** Read anew for each call: tokens change. */
  headers?: () => Readonly<Record<string, string>>
  timeout?: number
  maxBytes?: number
  /** Tries per call, the first included. */
  tries?: number
  backoff?: { base: number; cap: number }
  /** Failures in a row after which every call is refused for a while. */
  breakAfter?: number
  breakFor?: number
  /** Whether a host is of the open net; absent: by its addresses. */
  isPublic?: (host: string) => Promise<boolean>
}

/** What is asked: a path is appended to `restUrl`; an address of its own is used as it is. */
export type Call = Pick<Need, 'path' | 'post' | 'headers' | 'bytes' | 'tolerate' | 'roams'>
export type Rest = {
  get: (call: Call) => Promise<Answer>
  /** No call leaves for this long, ms. */
  quiet: (ms: number) => void
  stop: () => void
}
export const answered = (need: Need, { status, headers, moved }: Good): Need => ({
  ...need,
  answered: { status, headers, ...(moved === undefined ? {} : { moved }) }
})
export const failureOf = ({ reason, status }: Extract<Answer, { ok: false }>) => ({
  reason,
  ...(status === undefined ? {} : { status })
})

/** More calls than this waiting for their turn: the newest is refused. */
const WAITING = 1_000
const REDIRECTS = 3
/** What names no secret may go further: feeds move often. */
const ROAMS = 5

type Outcome = Answer & { again?: boolean; wait?: number }

export function createRest(options: RestOptions): Rest {
  const { clock, random, tries = 4, backoff = { base: 500, cap: 30_000 }, breakAfter = 5, breakFor = 30_000 } = options
  const stopping = new AbortController()
  const inFlight = new Map<string, Promise<Answer>>()
  const budget = openBudget([{ count: 1, per: 1_000 / options.requestsPerSecond }, ...(options.windows ?? [])])
  /** The provider asked us to be quiet until then (Retry-After). */
  let quietUntil = 0
  /** The circuit breaker: one call is let through after each pause. */
  let failures = 0
  let openUntil = 0
  const watched = (answer: Answer): Answer => {
    // An answer that refuses us is an answer; silence and 5xx are failures.
    const failed = !answer.ok && (answer.status === undefined || answer.status >= 500)
    failures = failed ? failures + 1 : 0
    if (failures >= breakAfter) openUntil = clock() + breakFor
    return answer
  }

  /** Who asks many hosts is quiet with the one that wished it. */
  const quietHosts = new Map<string, number>()
  const hush = (host: string, wait: number) => {
    if (host === '') {
      quietUntil = Math.max(quietUntil, clock() + wait)
      return
    }
    for (const [other, until] of quietHosts) if (until <= clock()) quietHosts.delete(other)
    quietHosts.set(host, clock() + wait)
  }

  const turn = async (host: string) => {
    const hushed = (quietHosts.get(host) ?? 0) - clock()
    if (hushed > 0) await pause(hushed, stopping.signal)
    const now = clock()
    const at = budget.take(Math.max(now, quietUntil))
    if (at > now) await pause(at - now, stopping.signal)
    // Someone may have been told to wait while this call stood in line.
    if (clock() < quietUntil) await pause(quietUntil - clock(), stopping.signal)
  }

  async function call(what: Call): Promise<Answer> {
    const host = what.roams === true && URL.canParse(what.path) ? new URL(what.path).host : ''
    for (let attempt = 0; ; attempt++) {
      await turn(host)
      if (stopping.signal.aborted) return { ok: false, reason: 'stopped' }
      const { again, wait, ...answer } = await request(options, what, stopping.signal)
      if (wait !== undefined) hush(host, wait)
      if (answer.ok || !again || attempt + 1 >= tries) return answer
      await pause(random() * Math.min(backoff.cap, backoff.base * 2 ** attempt), stopping.signal)
    }
  }

  return {
    get(what) {
      const key = JSON.stringify([what.path, what.post, what.headers])
      const running = inFlight.get(key)
      if (running) return running
      if (clock() < openUntil) return Promise.resolve({ ok: false, reason: `left alone after ${failures} failures in a row` })
      if (inFlight.size >= WAITING) return Promise.resolve({ ok: false, reason: 'too many requests are waiting already' })
      const started = call(what)
        .then(watched)
        .finally(() => inFlight.delete(key))
      inFlight.set(key, started)
      return started
    },
    quiet: (ms) => void (quietUntil = Math.max(quietUntil, clock() + ms)),
    stop: () => stopping.abort()
  }
}

async function request(
  options: RestOptions,
  { path, post, headers: own, bytes, tolerate, roams }: Call,
  stop: AbortSignal
): Promise<Outcome> {
  const { restUrl, headers, timeout = 10_000, maxBytes = 64 * 1024 * 1024, isPublic = isPublicHost } = options
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
  try {
    // Joined as text: an address with a path of its own, as in https://host/0, keeps it.
    let url = new URL(path.startsWith('/') ? restUrl.replace(/\/$/, '') + path : path)
    let moved: string | undefined
    let forGood = true
    const most = roams === true ? ROAMS : REDIRECTS
    for (let hops = 0; hops <= most; hops++) {
      const json = post === undefined ? {} : { 'content-type': 'application/json' }
      const response = await fetch(url, {
        redirect: 'manual',
        signal,
        headers: { 'user-agent': 'tickwire', ...json, ...headers?.(), ...own },
        ...(post === undefined ? {} : { method: 'POST', body: JSON.stringify(post) })
      })
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) {
        const found = await outcome(response, options.clock(), maxBytes, bytes, tolerate)
        return found.ok && moved !== undefined ? { ...found, moved } : found
      }
      await response.body?.cancel()
      const next = new URL(location, url)
      if (next.origin !== url.origin && !(roams === true && (await mayFollow(url, next, isPublic))))
        return { ok: false, reason: `redirected to ${next.host}, which is not followed`, status: response.status }
      url = next
      forGood &&= response.status === 301 || response.status === 308
      if (forGood) moved = url.href
    }
    return { ok: false, reason: `more than ${most} redirects` }
  } catch (error) {
    if (stop.aborted) return { ok: false, reason: 'stopped' }
    const cause = (error as Error).cause
    const reason = signal.aborted
      ? `no answer within ${timeout} ms`
      : cause instanceof Error
        ? cause.message
        : (error as Error).message
    return { ok: false, reason: reason || 'request failed', again: true }
  }
}

async function outcome(response: Response, now: number, maxBytes: number, bytes = false, tolerate = false): Promise<Outcome> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (body === undefined) return { ok: false, reason: `the answer is larger than ${maxBytes} bytes`, status }
  const headers = Object.fromEntries(response.headers)
  if (status === 304) return { ok: true, body: '', status, headers, unchanged: true }
  if (response.ok || (tolerate && status < 500)) return { ok: true, body: bytes ? body : body.toString(), status, headers }
  const failure = { ok: false as const, reason: `HTTP ${status}: ${body.toString().slice(0, 200)}`, status }
  const wait = retryAfter(response.headers.get('retry-after'), status, now)
  // Too many requests: be quiet, for all paths of this provider.
  if (status === 429 || status === 418) return { ...failure, again: true, ...(wait === undefined ? {} : { wait }) }
  return { ...failure, again: status >= 500, ...(status === 503 && wait !== undefined ? { wait } : {}) }
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  if (!response.body) return Buffer.alloc(0)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.byteLength
    if (size > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
