/** Questions to the server by HTTP, each with an end: what the roads beside WebSocket are made of. */
import type { After } from './socket.ts'

export type Answer = { status: number; body: unknown }
export type HttpOptions = { base: string; after: After }
export type Http = ReturnType<typeof createHttp>

/** Proxies that swallow a request do not say so. */
const PATIENCE = 8_000

export function createHttp({ base, after }: HttpOptions) {
  let token: string | undefined
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
    /** Nothing where no answer of a server of ours came. */
    async get(path: string): Promise<Answer | undefined> {
      const late = new AbortController()
      const cancel = after(PATIENCE, () => late.abort())
      try {
        const response = await ask(path, AbortSignal.any([gone.signal, late.signal]), 'application/json')
        const text = await response.text()
        const answer = { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
        return response.ok || refusalIn(answer.body) ? answer : undefined
      } catch {
        return undefined
      } finally {
        cancel()
      }
    },
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

export type Refusal = { code: string; message: string }

/** The error of a server of ours; whatever stands between us and it has words of its own. */
export function refusalIn(body: unknown): Refusal | undefined {
  const { error } = (body ?? {}) as { error?: Partial<Refusal & { retry: boolean }> }
  const { code, message, retry } = error ?? {}
  return typeof code === 'string' && typeof message === 'string' && typeof retry === 'boolean' ? { code, message } : undefined
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
