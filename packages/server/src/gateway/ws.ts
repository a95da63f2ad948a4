/** The WebSocket server: lets in, runs a session on each connection, and keeps their hearts beating. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { CLOSES, type CloseCode } from '@tickwire/protocol'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { Dialect, Request, Terms } from '../dialects/dialect.ts'
import type { Admission } from './admission.ts'
import type { AddressOf } from './address.ts'
import { subprotocol, type Identity } from './auth.ts'
import { refuseHandshake } from './broken.ts'
import { faultOf, refuse, retryAfter, whoIs, type Fault, type Room } from './door.ts'
import type { Rooms } from './halls.ts'
import { createBucket } from './limits.ts'
import { createLine, type Wire } from './line.ts'
import { countAnswer, type Meters } from './meters.ts'
import { takable } from './offers.ts'
import type { Quotas } from './quotas.ts'
import { createSession, type Session, type Shared } from './session.ts'
import { failFast } from './utf8.ts'
import type { Visitor } from './visitors.ts'

export type { Message } from './frame.ts'
export type { Wire } from './line.ts'

export type WsOptions = {
  shared: Shared
  rooms: Rooms
  meters: Meters
  newId: () => string
  admission: Admission
  addressOf: AddressOf
  quotas: Quotas
  wire: Wire | undefined
  /** Frames are compressed for those who ask for it. */
  compression: boolean
}

type Connection = { session: Session; beat: (now: number) => void; terminate: () => void }

/** Pings of a client that are answered, and the bytes of answers that it may leave unread. */
const PINGS = { perSecond: 200, burst: 2_000 }
const MAX_UNREAD = 1024 * 1024

const ignore = () => {}
const LEAVING: Fault = [503, 'the server shuts down', 'Retry-After: 5\r\n']
const NOWHERE: Fault = [404, 'no WebSocket is served at this address']

/**
 * What is compressed for many looks at nothing that one was sent before. What comes in is inflated by `ws`, and its memory for that
 * (40 kB) is given back after each message.
 */
const DEFLATE = { serverNoContextTakeover: true, clientNoContextTakeover: true, zlibInflateOptions: { chunkSize: 4 * 1024 } }
const PERMESSAGE = 'permessage-deflate'
function giveBack(ws: WebSocket): void {
  const { _extensions: extensions } = ws as unknown as { _extensions: Record<string, { cleanup: () => void }> }
  extensions[PERMESSAGE]?.cleanup()
}

/** One server per size limit, because `ws` fixes it per server. */
function createServers(compression: boolean, meters: Meters) {
  const servers = new Map<number, WebSocketServer>()
  return (maxPayload: number): WebSocketServer => {
    let server = servers.get(maxPayload)
    if (!server) {
      const options: ServerOptions & { maxPendingAutoPongs: number } = {
        noServer: true,
        perMessageDeflate: compression && DEFLATE,
        clientTracking: false,
        maxPayload,
        handleProtocols: subprotocol,
        // `ws` would drop the connection without a word; we close with a code (see PINGS).
        maxPendingAutoPongs: 0
      }
      server = new WebSocketServer(options)
      server.on('wsClientError', refuseHandshake(meters))
      servers.set(maxPayload, server)
    }
    return server
  }
}

export function serveWebSockets(http: Server, options: WsOptions) {
  const { shared, rooms, meters, newId, admission, addressOf, quotas, wire, compression } = options
  const { limits, clock, auth, patience } = shared
  const connections = new Map<string, Connection>()
  const serverFor = createServers(compression, meters)
  let closing = false
  /** Whose tokens are looked at: each has its place already, so that of many who knock at once no more come in than there is room for. */
  let knocking = 0
  const refusing =
    (socket: Socket) =>
    (...fault: Fault) => {
      meters.refused++
      countAnswer(meters, fault[0])
      refuse(socket, ...fault)
    }

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const no = refusing(socket)
    if (closing) return no(...LEAVING)
    const fault = faultOf(request, admission)
    if (fault) return no(...fault)
    const room = rooms.find(request.url ?? '/')
    if (!room) return no(...NOWHERE)
    if (connections.size + knocking >= limits.connections) return no(503, 'too many connections', 'Retry-After: 5\r\n')
    const address = addressOf(request.socket.remoteAddress, request.headers['x-forwarded-for'])
    knocking++
    // Nobody else listens while the token is looked at, and an error that nobody hears ends the process.
    socket.on('error', ignore)
    void whoIs(request, room.route, auth, address, clock).then(({ who, fault: stranger }) => {
      knocking--
      if (socket.destroyed) return
      if (stranger) no(...stranger)
      else letIn(request, socket, head, { address, who })
    })
  }

  /** All else is looked at anew: others came meanwhile, and what is heard here may have ended. */
  const letIn = (request: IncomingMessage, socket: Socket, head: Buffer, visitor: Visitor) => {
    const no = refusing(socket)
    if (closing) return no(...LEAVING)
    const room = rooms.find(request.url ?? '/')
    if (!room) return no(...NOWHERE)
    if (!quotas.hasRoom(visitor.address, visitor.who?.user))
      return no(429, 'too many connections of this address or user', retryAfter(1))
    const { route } = room
    const maxPayload = Math.min(limits.message, route.dialect.maxMessage)
    const offers = takable(request.headers['sec-websocket-extensions'])
    if (offers === undefined) delete request.headers['sec-websocket-extensions']
    else request.headers['sec-websocket-extensions'] = offers
    serverFor(maxPayload).handleUpgrade(request, socket, head, (ws) => accept(ws, room, request, maxPayload, visitor))
  }

  const termsOf = (who: Identity | undefined, message: number): Terms => {
    const { interval, deadline } = limits.heartbeat
    return {
      auth: auth.required && who === undefined ? 'required' : 'none',
      heartbeat: { interval, timeout: interval + deadline },
      limits: { message, topics: limits.topics }
    }
  }

  const accept = (ws: WebSocket, room: Room, { headers }: IncomingMessage, maxPayload: number, { address, who }: Visitor) => {
    // Not before: a handshake may still fail, and nobody would give the place back.
    const place = quotas.connect(address, who?.user)
    const { dialect, path, query, rest } = room.route
    const id = newId()
    meters.opened++
    room.shared.fanout.expect()
    ws.on('error', ignore)
    failFast(ws)
    const line = createLine(ws, { id, path }, patience, meters, wire)
    const request: Request = { path, query, rest, headers, session: id, terms: termsOf(who, maxPayload) }
    const session = createSession(room.shared, dialect, request, line, { who, place })
    const leave = room.enter?.({ session, line })
    connections.set(id, { session, terminate: () => ws.terminate(), beat: (now) => beat(session, line, now) })
    const calm = createBucket(PINGS, clock())
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      const text = isBinary ? dialect.codec?.decode(data, session.spoken().memory) : data.toString()
      if (text === undefined) session.close(1003, session.spoken().encoding === 'json' ? 'text messages only' : 'not MessagePack')
      else session.receive(text)
      if (line.deflate) giveBack(ws)
    })
    ws.on('ping', () => {
      if (!calm(clock()) || line.backlog() > MAX_UNREAD) session.close(1008, 'too many pings')
    })
    ws.on('close', () => {
      session.end()
      leave?.()
      place.leave()
      connections.delete(id)
    })
  }

  const beat = (session: Session, line: ReturnType<typeof createLine>, now: number) => {
    session.checkAuth(now)
    if (line.silent() >= limits.heartbeat.deadline) session.close(4002, CLOSES[4002].name)
    else line.beat(limits.heartbeat.interval)
  }

  http.on('upgrade', upgrade)

  return {
    connections,
    beat(now: number): void {
      for (const connection of connections.values()) connection.beat(now)
    },
    tick(dialect: Dialect<any>, now: number): void {
      // Those who are told where they stand are written first, all at once.
      if (dialect.shared) rooms.flush()
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
