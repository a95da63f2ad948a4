/** HTTP calls to one provider: paced, bounded in time and size, coalesced, retried; what goes wrong is a value. */
import type { Frame, Need } from '../providers/adapter.ts'
import { overHttp, type Reply, type Transport } from './http.ts'
import { timers as real, type Timers } from '../timers.ts'
import { pause } from './pause.ts'
import type { AddressesOf } from './public.ts'
import { openBudget, type Window } from './budget.ts'
import { retryAfter } from './retry.ts'
import type { Dated } from './skew.ts'

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
  timers?: Timers
  random: () => number
  /** Read anew for each call: tokens change. */
  headers?: () => Readonly<Record<string, string>>
  timeout?: number
  /** Over the network unless named. */
  transport?: Transport
  maxBytes?: number
  /** An answer of the provider told what its clock shows. */
  onDated?: (dated: Dated) => void
  /** Tries per call, the first included. */
  tries?: number
  backoff?: { base: number; cap: number }
  /** Failures in a row after which every call is refused for a while. */
  breakAfter?: number
  breakFor?: number
  /** Of a host that is of the open net; absent: as its name says. */
  addressesOf?: AddressesOf
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

type Outcome = Answer & { again?: boolean; wait?: number }

export function createRest(options: RestOptions): Rest {
  const {
    clock,
    random,
    timers = real,
    tries = 4,
    backoff = { base: 500, cap: 30_000 },
    breakAfter = 5,
    breakFor = 30_000
  } = options
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
    if (hushed > 0) await pause(timers, hushed, stopping.signal)
    for (;;) {
      const now = clock()
      const at = budget.take(Math.max(now, quietUntil))
      if (at > now) await pause(timers, at - now, stopping.signal)
      // Told to wait while this call stood in line, all in the line would leave at once: each takes a new turn.
      if (clock() >= quietUntil || stopping.signal.aborted) return
    }
  }

  /** Hosts that were named by a redirect for good, never by the configuration: their names are not trusted later either. */
  const led = new Set<string>()

  async function call(what: Call): Promise<Answer> {
    const host = what.roams === true ? hostOf(what.path) : ''
    for (let attempt = 0; ; attempt++) {
      await turn(host)
      if (stopping.signal.aborted) return { ok: false, reason: 'stopped' }
      const sent = clock()
      const { again, wait, ...answer } = await request(options, { ...what, isLed: led.has(host) }, stopping.signal)
      if (answer.ok && answer.moved !== undefined && hostOf(answer.moved) !== host) led.add(hostOf(answer.moved))
      if (answer.ok && what.path.startsWith('/')) tellDate(options, answer, sent)
      if (wait !== undefined) hush(host, wait)
      if (answer.ok || !again || attempt + 1 >= tries) return answer
      await pause(timers, random() * Math.min(backoff.cap, backoff.base * 2 ** attempt), stopping.signal)
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

const hostOf = (path: string): string => (URL.canParse(path) ? new URL(path).host : '')

/** The date of an answer is in whole seconds; one that a cache kept is of another time. */
function tellDate({ clock, onDated }: RestOptions, { headers }: Good, sent: number): void {
  const time = headers['age'] === undefined ? Date.parse(headers['date'] ?? '') : Number.NaN
  if (time > 0) onDated?.({ sent, received: clock(), time, resolution: 1_000 })
}

async function request(
  { clock, restUrl, headers, timeout = 10_000, maxBytes = 64 * 1024 * 1024, transport = overHttp, addressesOf }: RestOptions,
  { path, post, headers: own, bytes, tolerate, roams, isLed }: Call & { isLed: boolean },
  stop: AbortSignal
): Promise<Outcome> {
  const sent = { ...headers?.(), ...own }
  const reply = await transport({
    base: restUrl,
    path,
    headers: sent,
    post,
    timeout,
    maxBytes,
    stop,
    roams: roams === true,
    isLed,
    addressesOf
  })
  return reply.ok ? outcomeOf(reply, clock(), bytes === true, tolerate === true) : reply
}

type Got = Extract<Reply, { ok: true }>
function outcomeOf({ status, headers, body, moved }: Got, now: number, bytes: boolean, tolerate: boolean): Outcome {
  if (status === 304) return { ok: true, body: '', status, headers, unchanged: true }
  // Too many requests: be quiet, for all paths of this provider, whoever reads the answer.
  const isBusy = status === 429 || status === 418
  const wait = isBusy || status === 503 ? retryAfter(headers['retry-after'], status, now) : undefined
  const quiet = wait === undefined ? {} : { wait }
  if ((status >= 200 && status <= 299) || (tolerate && status < 500))
    return {
      ok: true,
      body: bytes ? body : body.toString(),
      status,
      headers,
      ...(moved === undefined ? {} : { moved }),
      ...quiet
    }
  const reason = `HTTP ${status}: ${body.toString().slice(0, 200)}`
  return { ok: false, reason, status, again: isBusy || status >= 500, ...quiet }
}
