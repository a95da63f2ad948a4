/** What is checked before an upgrade: `ws` alone would let in HTTP/1.0, requests without Host, and any page's scripts. */
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Dialect } from '../dialects/dialect.ts'
import { notLetIn, type Admission } from './admission.ts'
import { tokenIn, tokenOf, tokenOffered, type Auth, type Identity } from './auth.ts'
import { codeOf, errorBody } from './errors.ts'
import type { Line, Session, Shared } from './session.ts'

const MAX_URL = 4_096

export type Route = { dialect: Dialect<any>; path: string; query: Record<string, string>; rest: string }

/** A route, and whose plant is heard there; `enter` is told of each session, and answers how it leaves. */
export type Room = { route: Route; shared: Shared; enter?: (seat: Seat) => () => void }
export type Seat = { session: Session; line: Line }

export function findRoute(dialects: readonly Dialect<any>[], url: string): Route | undefined {
  const mark = url.indexOf('?')
  const raw = mark < 0 ? url : url.slice(0, mark)
  let path: string
  try {
    path = decodeURIComponent(raw)
  } catch {
    return undefined
  }
  for (const dialect of dialects)
    for (const pattern of dialect.paths) {
      const open = pattern.endsWith('*')
      const stem = open ? pattern.slice(0, -1) : pattern
      if (open ? !path.startsWith(stem) : path !== stem) continue
      const query = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)))
      return { dialect, path, query, rest: open ? path.slice(stem.length) : '' }
    }
  return undefined
}

/** A message in our words, or a body in those of a dialect. */
export type Fault = readonly [status: number, message: string | object, headers?: string]

export function refuse(socket: Socket, status: number, message: string | object, headers = ''): void {
  const body = JSON.stringify(typeof message === 'string' ? errorBody(codeOf(status), message) : message)
  socket.on('error', () => {})
  // The other end may never close its half.
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

export const retryAfter = (seconds: number): string => `Retry-After: ${seconds}\r\n`

/** Who asks, where a token is wanted; or how he is refused. */
export async function whoIs(
  { headers }: IncomingMessage,
  { dialect, query }: Route,
  auth: Auth,
  address: string,
  clock: () => number
): Promise<{ who?: Identity; fault?: Fault }> {
  if (!auth.required) return {}
  const { keys } = dialect
  const own = keys === undefined || keys.handshake === 'never' ? undefined : tokenIn(keys, headers, query)
  const token = own ?? tokenOf(headers) ?? tokenOffered(headers)
  const { who, wait } = token === undefined ? {} : await auth.try(token, address, clock)
  if (who !== undefined) {
    if (!who.scopes.has('read')) return { fault: [403, 'this token lacks the scope read'] }
    return { who }
  }
  if (wait !== undefined) return { fault: [429, 'too many wrong tokens', retryAfter(wait)] }
  if (token === undefined && keys?.handshake !== 'must') return {}
  return { fault: [401, (keys?.refusal(token !== undefined).body as object | undefined) ?? 'the token is not valid'] }
}

/** What is wrong with the request itself, wherever it goes. */
export function faultOf(request: IncomingMessage, admission: Admission): Fault | undefined {
  const { host, origin, 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
  if (request.httpVersion !== '1.1') return [400, 'a WebSocket upgrade needs HTTP/1.1']
  if (request.method !== 'GET') return [405, 'a WebSocket upgrade is a GET', 'Allow: GET\r\n']
  // With a body still to come what we are handed is no socket, and what follows would be read as frames.
  if (coding !== undefined || Number(length) !== 0) return [400, 'a WebSocket upgrade has no body']
  if (request.headers['sec-websocket-version'] !== '13')
    return [426, 'a WebSocket handshake needs Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 13\r\n']
  if (host === undefined || host === '') return [400, 'the Host header is missing']
  // Two of them are how a request is made to mean one thing here and another at a proxy.
  if (request.headersDistinct.host?.length !== 1) return [400, 'there is more than one Host header']
  if ((request.url ?? '').length > MAX_URL) return [414, `the address is over ${MAX_URL} bytes`]
  const hostFault = admission.hostFault(host)
  if (hostFault) return [403, hostFault]
  if (!admission.allows(origin, host)) return [403, notLetIn(origin)]
  return undefined
}
