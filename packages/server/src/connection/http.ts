/** One HTTP exchange: bounded in time and size, redirected within its host unless it may roam; what goes wrong is a value. */
import { Readable } from 'node:stream'
import { getFrom, type Answered } from './pinned.ts'
import { publicAddresses, wayTo, type AddressesOf } from './public.ts'

export type Request = {
  /** An address, or a path that is appended to `base`. */
  path: string
  base: string
  headers: Readonly<Record<string, string>>
  post?: unknown
  timeout: number
  maxBytes: number
  stop: AbortSignal
  /** Redirects to other public hosts are followed, where nothing is posted. */
  roams: boolean
  /** The host is of a redirect before, not of the configuration: it must still be of the open net. */
  isLed?: boolean
  /** Of a host that is of the open net; absent: as its name says. */
  addressesOf?: AddressesOf | undefined
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
  const { headers, post, maxBytes, roams, isLed = false, addressesOf = publicAddresses } = request
  const most = roams ? ROAMS : REDIRECTS
  let url = first
  let moved: string | undefined
  let forGood = true
  /** Those that were looked at are those that are connected to. */
  let addresses = isLed ? await addressesOf(first.hostname) : undefined
  if (addresses?.length === 0) return { ok: false, reason: `${first.host} is not of the open net` }
  for (let hops = 0; hops <= most; hops++) {
    const response = await ask(url, { headers, post, addresses, signal })
    const { status } = response
    const location = response.headers.get('location')
    if (status < 300 || status > 399 || location === null) return await read(response, maxBytes, moved)
    await leave(response)
    const next = new URL(location, url)
    if (next.origin !== url.origin) {
      const way = roams && post === undefined ? await wayTo(url, next, addressesOf) : undefined
      if (way === undefined) return { ok: false, reason: `redirected to ${next.host}, which is not followed`, status }
      if (way !== 'as before') addresses = way
    }
    url = next
    forGood &&= status === 301 || status === 308
    if (forGood) moved = url.href
  }
  return { ok: false, reason: `more than ${most} redirects` }
}

type Asked = Pick<Request, 'headers' | 'post'> & { addresses: readonly string[] | undefined; signal: AbortSignal }

function ask(url: URL, { headers, post, addresses, signal }: Asked): Promise<Answered> {
  const json = post === undefined ? {} : { 'content-type': 'application/json' }
  const sent = { 'user-agent': 'tickwire', ...json, ...headers }
  if (addresses) return getFrom(url, { headers: sent, addresses, signal })
  const body = post === undefined ? {} : { method: 'POST', body: JSON.stringify(post) }
  return fetch(url, { redirect: 'manual', signal, headers: sent, ...body })
}

async function leave({ body }: Answered): Promise<void> {
  if (body instanceof Readable) body.destroy()
  else await body?.cancel()
}

async function read(response: Answered, maxBytes: number, moved: string | undefined): Promise<Reply> {
  const { status } = response
  const body = await readBody(response, maxBytes)
  if (body === undefined) return { ok: false, reason: `the answer is larger than ${maxBytes} bytes`, status }
  const headers = Object.fromEntries(response.headers)
  return { ok: true, status, headers, body, ...(moved === undefined ? {} : { moved }) }
}

async function readBody(response: Answered, maxBytes: number): Promise<Buffer | undefined> {
  if (!response.body) return Buffer.alloc(0)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    size += part.byteLength
    if (size > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
