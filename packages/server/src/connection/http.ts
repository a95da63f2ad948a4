/** One HTTP exchange: bounded in time and size, redirected within its host unless it may roam; what goes wrong is a value. */
import { isPublicHost, mayFollow } from './public.ts'

export type Request = {
  /** An address, or a path that is appended to `base`. */
  path: string
  base: string
  headers: Readonly<Record<string, string>>
  post?: unknown
  timeout: number
  maxBytes: number
  stop: AbortSignal
  /** Redirects to other public hosts are followed. */
  roams: boolean
  /** Whether a host is of the open net; absent: by its addresses. */
  isPublic?: ((host: string) => Promise<boolean>) | undefined
}
/** `again`: it may go better another time. */
export type Reply =
  | {
      ok: true
      status: number
      headers: Readonly<Record<string, string>>
      body: Buffer
      /** Where it is from now on (301, 308). */ moved?: string
    }
  | { ok: false; reason: string; status?: number; again?: true }
export type Transport = (request: Request) => Promise<Reply>

const REDIRECTS = 3
/** What names no secret may go further: feeds move often. */
const ROAMS = 5

export const overHttp: Transport = async (request) => {
  const { base, path, timeout, stop } = request
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
  try {
    // Joined as text: an address with a path of its own, as in https://host/0, keeps it.
    return await exchange(new URL(path.startsWith('/') ? base.replace(/\/$/, '') + path : path), request, signal)
  } catch (error) {
    if (stop.aborted) return { ok: false, reason: 'stopped' }
    const { cause, message } = error as Error
    const reason = signal.aborted ? `no answer within ${timeout} ms` : cause instanceof Error ? cause.message : message
    return { ok: false, reason: reason || 'request failed', again: true }
  }
}

async function exchange(first: URL, request: Request, signal: AbortSignal): Promise<Reply> {
  const { headers, post, maxBytes, roams, isPublic = isPublicHost } = request
  const most = roams ? ROAMS : REDIRECTS
  let url = first
  let moved: string | undefined
  let forGood = true
  for (let hops = 0; hops <= most; hops++) {
    const json = post === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: { 'user-agent': 'tickwire', ...json, ...headers },
      ...(post === undefined ? {} : { method: 'POST', body: JSON.stringify(post) })
    })
    const { status } = response
    const location = response.headers.get('location')
    if (status < 300 || status > 399 || location === null) return await read(response, maxBytes, moved)
    await response.body?.cancel()
    const next = new URL(location, url)
    if (next.origin !== url.origin && !(roams && (await mayFollow(url, next, isPublic))))
      return { ok: false, reason: `redirected to ${next.host}, which is not followed`, status }
    url = next
    forGood &&= status === 301 || status === 308
    if (forGood) moved = url.href
  }
  return { ok: false, reason: `more than ${most} redirects` }
}

async function read(response: Response, maxBytes: number, moved: string | undefined): Promise<Reply> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (body === undefined) return { ok: false, reason: `the answer is larger than ${maxBytes} bytes`, status }
  const headers = Object.fromEntries(response.headers)
  return { ok: true, status, headers, body, ...(moved === undefined ? {} : { moved }) }
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
