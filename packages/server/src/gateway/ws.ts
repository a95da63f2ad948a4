/** The WebSocket door: what is checked before an upgrade, and the life of a connection after it. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { CLOSES, type CloseCode } from '@tickwire/protocol'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { Dialect, Request } from '../dialects/dialect.ts'
import { tokenOf } from './auth.ts'
import { textFrames } from './frame.ts'
import { createBucket } from './limits.ts'
import type { Meters } from './meters.ts'
import { createSession, type Line, type Session, type Shared } from './session.ts'

/** Wraps the outgoing text of each connection: how the street injects its faults. */
export type Wire = (
  connection: { id: string; path: string; terminate: () => void; pause: () => void; resume: () => void },
  send: (text: string) => void
) => (text: string) => void

export type WsOptions = {
  shared: Shared
  dialects: readonly Dialect<any>[]
  meters: Meters
  newId: () => string
  /** Foreign pages that may connect; same origin, loopback and programs (no Origin) always may. */
  origins: readonly string[]
  wire: Wire | undefined
}

type Connection = { session: Session; beat: (now: number) => void; terminate: () => void }

/** A probe goes out after this many bytes, so that a reader's pace is known before the kernel's megabytes are full. */
const PROBE_EVERY = 256 * 1024
/** From a close frame to the end of the socket. */
const CLOSE_WITHIN = 2_000
const MAX_URL = 4_096
/** Pings of a client that are answered, and the bytes of answers that it may leave unread. */
const PINGS = { perSecond: 200, burst: 2_000 }
const MAX_UNREAD = 1024 * 1024

export type Route = { dialect: Dialect<any>; path: string; query: Record<string, string>; rest: string }

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

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

export function originAllowed(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  const url = URL.parse(origin)
  return url !== null && url.origin === origin && (url.host === host || isLoopback(url.hostname))
}

const STATUS = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  414: 'URI Too Long',
  503: 'Service Unavailable'
}

function refuse(socket: Socket, status: keyof typeof STATUS, message: string, headers = ''): void {
  const body = JSON.stringify({
    error: { code: STATUS[status].toUpperCase().replaceAll(' ', '_'), message, retry: status === 503 }
  })
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** `ws` keeps its socket to itself; frames shared by many clients have to be written to it as they are. */
const socketOf = (ws: WebSocket): Socket => (ws as unknown as { _socket: Socket })._socket

export function serveWebSockets(http: Server, options: WsOptions) {
  const { shared, dialects, meters, newId, origins, wire } = options
  const { limits, clock, auth, patience } = shared
  const connections = new Map<string, Connection>()
  /** One per size limit, because `ws` fixes it per server. */
  const servers = new Map<number, WebSocketServer>()
  let closing = false

  const serverFor = (maxPayload: number): WebSocketServer => {
    let server = servers.get(maxPayload)
    if (!server) {
      const options: ServerOptions & { maxPendingAutoPongs: number } = {
        noServer: true,
        perMessageDeflate: false,
        clientTracking: false,
        maxPayload,
        // None of the offered subprotocols is ours, so none is named in the answer.
        handleProtocols: () => false,
        // `ws` would drop the connection without a word; we close with a code (see PINGS).
        maxPendingAutoPongs: 0
      }
      server = new WebSocketServer(options)
      servers.set(maxPayload, server)
    }
    return server
  }

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const url = request.url ?? '/'
    const host = request.headers.host
    const no = (status: keyof typeof STATUS, message: string, headers?: string) => {
      meters.refused++
      refuse(socket, status, message, headers)
    }
    if (closing) return no(503, 'the server shuts down', 'Retry-After: 5\r\n')
    if (request.httpVersion !== '1.1') return no(400, 'a WebSocket upgrade needs HTTP/1.1')
    if (request.method !== 'GET') return no(405, 'a WebSocket upgrade is a GET', 'Allow: GET\r\n')
    if (host === undefined || host === '') return no(400, 'the Host header is missing')
    if (url.length > MAX_URL) return no(414, `the address is over ${MAX_URL} bytes`)
    if (!originAllowed(request.headers.origin, host, origins)) return no(403, 'this origin is not allowed')
    const route = findRoute(dialects, url)
    if (!route) return no(404, 'no WebSocket is served at this address')
    if (connections.size >= limits.connections) return no(503, 'too many connections', 'Retry-After: 5\r\n')
    const token = tokenOf(request.headers)
    const user = token === undefined || !auth.required ? undefined : auth.check(token)
    if (token !== undefined && auth.required && user === undefined) return no(401, 'the token is not valid')
    const maxPayload = Math.min(limits.message, route.dialect.maxMessage)
    serverFor(maxPayload).handleUpgrade(request, socket, head, (ws) => accept(ws, route, maxPayload, user))
  }

  const accept = (ws: WebSocket, route: Route, maxPayload: number, user: string | undefined) => {
    const id = newId()
    const socket = socketOf(ws)
    socket.setNoDelay(true)
    meters.opened++
    let pinged = patience.now()
    let probedAt: number | undefined
    let sinceProbe = 0

    const probe = () => {
      pinged = patience.now()
      sinceProbe = 0
      probedAt ??= pinged
      ws.ping()
    }
    const put = (bytes: Buffer) => {
      meters.bytes += bytes.length
      socket.write(bytes)
      sinceProbe += bytes.length
      if (sinceProbe > PROBE_EVERY && probedAt === undefined) probe()
    }
    // Through our own socket.write, like all data: two paths to one socket would interleave.
    const direct = (text: string) => {
      if (ws.readyState === ws.OPEN) put(textFrames([text]))
    }
    const wired = wire?.(
      { id, path: route.path, terminate: () => ws.terminate(), pause: () => ws.pause(), resume: () => ws.resume() },
      direct
    )
    const line: Line = {
      write(batch) {
        if (ws.readyState !== ws.OPEN) return
        if (wired) for (const text of batch.messages) wired(text)
        else put(batch.bytes())
      },
      backlog: () => socket.writableLength,
      waiting: () => (probedAt === undefined ? 0 : patience.now() - probedAt),
      close(code, reason) {
        if (ws.readyState !== ws.OPEN) return
        ws.close(code, reason)
        setTimeout(() => ws.terminate(), CLOSE_WITHIN).unref()
      }
    }
    const terms: Request['terms'] = {
      auth: auth.required && user === undefined ? 'required' : 'none',
      heartbeat: { interval: limits.heartbeat.interval, timeout: limits.heartbeat.interval + limits.heartbeat.deadline },
      limits: { message: maxPayload, topics: limits.topics }
    }
    const { dialect, path, query, rest } = route
    const session = createSession(shared, dialect, { path, query, rest, session: id, terms }, line, user)
    connections.set(id, {
      session,
      terminate: () => ws.terminate(),
      beat(now) {
        session.checkAuth(now)
        const { interval, deadline } = limits.heartbeat
        if (line.waiting() >= deadline) session.close(4002, CLOSES[4002].name)
        else if (patience.now() - pinged >= interval && ws.readyState === ws.OPEN) probe()
      }
    })
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) session.close(1003, 'text messages only')
      else session.receive(data.toString())
    })
    const calm = createBucket(PINGS, clock())
    ws.on('ping', () => {
      if (!calm(clock()) || socket.writableLength > MAX_UNREAD) session.close(1008, 'too many pings')
    })
    ws.on('pong', () => void (probedAt = undefined))
    ws.on('error', () => {})
    ws.on('close', () => {
      session.end()
      connections.delete(id)
    })
  }

  http.on('upgrade', upgrade)

  return {
    connections,
    beat(now: number): void {
      for (const connection of connections.values()) connection.beat(now)
    },
    tick(dialect: Dialect<any>, now: number): void {
      for (const { session } of connections.values()) if (session.dialect === dialect) session.tick(now)
    },
    /** No newcomers; everyone is told, and closed. Resolves when all are gone, or were cut after `within`. */
    async close(retryAfterMs: number, code: CloseCode, within: number): Promise<void> {
      closing = true
      for (const { session } of connections.values()) session.shutdown(retryAfterMs)
      for (const { session } of connections.values()) session.close(code, CLOSES[code].name)
      const deadline = performance.now() + within
      while (connections.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
      for (const { terminate } of connections.values()) terminate()
    }
  }
}
