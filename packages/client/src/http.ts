/** Questions to the server by HTTP, each with an end: what the roads beside WebSocket are made of. */
import type { ErrorCode } from '@tickwire/protocol'
import type { After } from './socket.ts'

/** `date`: the server's clock, to the second; absent where a page of another origin may not see it. */
export type Answer = { status: number; body: unknown; date: number | undefined }
export type HttpOptions = { base: string; after: After }
export type Http = ReturnType<typeof createHttp>

/** Proxies that swallow a request do not say so. */
const PATIENCE = 8_000

export function createHttp({ base, after }: HttpOptions) {
  let token: string | undefined
  let stranger = ''
  const gone = new AbortController()

  const ask = (path: string, signal: AbortSignal, accept: string): Promise<Response> => {
    const headers: Record<string, string> = { accept }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`
    return fetch(`${base}${path}`, { headers, signal, cache: 'no-store' })
  }

  return {
    authorize(given: string): void {
      token = given
    },
    /** Nothing where no answer of a server of ours came: an error that is not in our words, or a success without these fields. */
    async get(path: string, fields: readonly string[]): Promise<Answer | undefined> {
      stranger = ''
      const late = new AbortController()
      const cancel = after(PATIENCE, () => late.abort())
      try {
        const response = await ask(path, AbortSignal.any([gone.signal, late.signal]), 'application/json')
        const body = jsonIn(await response.text())
        if (response.ok ? hasAll(body, fields) : refusalIn(body))
          return { status: response.status, body, date: dateOf(response.headers) }
        stranger = notOurs(path, response.status)
      } catch {
        // No answer.
      } finally {
        cancel()
      }
      return undefined
    },
    /** Why the last question had no answer, where something else than a server of ours answered it. */
    stranger: (): string => stranger,
    /** An answer that is read as it comes, until the signal. */
    async stream(path: string, signal: AbortSignal): Promise<Response | undefined> {
      try {
        return await ask(path, AbortSignal.any([gone.signal, signal]), 'text/event-stream')
      } catch {
        return undefined
      }
    },
    /** Ends whatever is under way. */
    stop: () => gone.abort()
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const hasAll = (body: unknown, fields: readonly string[]): boolean =>
  typeof body === 'object' && body !== null && fields.every((field) => Object.hasOwn(body, field))
const dateOf = (headers: Headers): number | undefined => Date.parse(headers.get('date') ?? '') || undefined

/** Such as the page on which a network wants its guests to sign in. */
const notOurs = (path: string, status: number): string =>
  `${path.replace(/\?.*/, '')} was answered with status ${status} by something that is no Tickwire server: a proxy or a sign-in page of the network, or another program at this address`

export type Refusal = { code: ErrorCode; message: string; retry: boolean }

/** The error of a server of ours; whatever stands between us and it has words of its own. */
export function refusalIn(body: unknown): Refusal | undefined {
  const { error } = (body ?? {}) as { error?: Partial<Refusal> }
  const { code, message, retry } = error ?? {}
  return typeof code === 'string' && typeof message === 'string' && typeof retry === 'boolean'
    ? { code, message, retry }
    : undefined
}

/** Why a stream was refused, where the server itself says so. */
export async function refusalOf(response: Response): Promise<Refusal | undefined> {
  try {
    return refusalIn(await response.json())
  } catch {
    return undefined
  }
}

/** With which code a WebSocket would have been closed for the reason of this status. */
export function closeFor(status: number): number {
  if (status === 401) return 4003 // expired, or wrong: a new token is fetched once
  if (status === 403) return 4503
  return status === 429 || status === 503 ? 1013 : 1011
}
