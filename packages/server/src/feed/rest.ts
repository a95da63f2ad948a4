/** HTTP calls to one provider: paced, bounded in time and size, coalesced, retried; what goes wrong is a value. */
export type Answer = { ok: true; body: string } | { ok: false; reason: string; status?: number }

export type RestOptions = {
  restUrl: string
  requestsPerSecond: number
  clock: () => number
  random: () => number
  headers?: Readonly<Record<string, string>>
  timeout?: number
  maxBytes?: number
  /** Tries per call, the first included. */
  tries?: number
  backoff?: { base: number; cap: number }
}

/** A path is appended to `restUrl`; an address of its own is used as it is. */
export type Rest = { get: (path: string) => Promise<Answer>; stop: () => void }

/** More calls than this waiting for their turn: the newest is refused. */
const WAITING = 1_000
const REDIRECTS = 3

type Outcome = Answer & { again?: boolean; wait?: number }

export function createRest(options: RestOptions): Rest {
  const { clock, random, tries = 4, backoff = { base: 500, cap: 30_000 } } = options
  const stopping = new AbortController()
  const inFlight = new Map<string, Promise<Answer>>()
  const spacing = 1_000 / options.requestsPerSecond
  let nextAt = 0
  /** The provider asked us to be quiet until then (Retry-After). */
  let quietUntil = 0

  const turn = async () => {
    const now = clock()
    const at = Math.max(now, nextAt, quietUntil)
    nextAt = at + spacing
    if (at > now) await pause(at - now, stopping.signal)
    // Someone may have been told to wait while this call stood in line.
    if (clock() < quietUntil) await pause(quietUntil - clock(), stopping.signal)
  }

  async function call(path: string): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      await turn()
      if (stopping.signal.aborted) return { ok: false, reason: 'stopped' }
      const { again, wait, ...answer } = await request(options, path, stopping.signal)
      if (wait !== undefined) quietUntil = Math.max(quietUntil, clock() + wait)
      if (answer.ok || !again || attempt + 1 >= tries) return answer
      await pause(random() * Math.min(backoff.cap, backoff.base * 2 ** attempt), stopping.signal)
    }
  }

  return {
    get(path) {
      const running = inFlight.get(path)
      if (running) return running
      if (inFlight.size >= WAITING) return Promise.resolve({ ok: false, reason: 'too many requests are waiting already' })
      const started = call(path).finally(() => inFlight.delete(path))
      inFlight.set(path, started)
      return started
    },
    stop: () => stopping.abort()
  }
}

async function request(options: RestOptions, path: string, stop: AbortSignal): Promise<Outcome> {
  const { restUrl, headers, timeout = 10_000, maxBytes = 64 * 1024 * 1024 } = options
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
  try {
    // Joined as text: an address with a path of its own, as in https://host/0, keeps it.
    let url = new URL(path.startsWith('/') ? restUrl.replace(/\/$/, '') + path : path)
    for (let hops = 0; hops <= REDIRECTS; hops++) {
      const response = await fetch(url, { redirect: 'manual', signal, headers: { 'user-agent': 'tickwire', ...headers } })
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) return await outcome(response, maxBytes)
      await response.body?.cancel()
      const next = new URL(location, url)
      if (next.origin !== url.origin)
        return { ok: false, reason: `redirected to ${next.host}, which is not followed`, status: response.status }
      url = next
    }
    return { ok: false, reason: `more than ${REDIRECTS} redirects` }
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

async function outcome(response: Response, maxBytes: number): Promise<Outcome> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (body === undefined) return { ok: false, reason: `the answer is larger than ${maxBytes} bytes`, status }
  if (response.ok) return { ok: true, body }
  const failure = { ok: false as const, reason: `HTTP ${status}: ${body.slice(0, 200)}`, status }
  const seconds = Number(response.headers.get('retry-after'))
  const wait = seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : undefined
  // 429: too many requests. 418: told so and went on. Both: be quiet, for all paths of this provider.
  if (status === 429 || status === 418) return { ...failure, again: true, wait: wait ?? 5_000 }
  return { ...failure, again: status >= 500, ...(status === 503 && wait !== undefined ? { wait } : {}) }
}

async function readBody(response: Response, maxBytes: number): Promise<string | undefined> {
  if (!response.body) return ''
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.byteLength
    if (size > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** Ends early, without an error, when `signal` aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
