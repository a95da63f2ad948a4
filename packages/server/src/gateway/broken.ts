/** What is refused below the routes, by Node's reader of HTTP or by `ws`: in the one shape that all errors have. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { refuse, type Fault } from './door.ts'
import { errorBody } from './errors.ts'
import { countAnswer, type Meters } from './meters.ts'

const FAULTS: Readonly<Record<string, Fault>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come whole in time'],
  HPE_HEADER_OVERFLOW: [431, 'the headers are over 16384 bytes'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are over the limit']
}

/** Bytes that are no request, or only a part of one. */
export const refuseBytes =
  (meters: Meters) =>
  (error: { code?: string }, socket: Socket): void => {
    // An answer that was begun, or a peer that is gone, can be told nothing more.
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const fault = FAULTS[error.code ?? ''] ?? ([400, 'what came is not HTTP/1.1'] as const)
    countAnswer(meters, fault[0])
    refuse(socket, ...fault)
  }

/** `Expect` asks for nothing that we know but to go on, which Node says by itself. */
export const refuseExpectation =
  (meters: Meters) =>
  ({ headers: { expect } }: IncomingMessage, response: ServerResponse): void => {
    const body = errorBody('BAD_MESSAGE', `Expect: ${JSON.stringify(expect?.slice(0, 60))} is not known here; leave it out`)
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', connection: 'close', 'content-length': Buffer.byteLength(text) }
    countAnswer(meters, 417)
    response.writeHead(417, headers).end(text)
  }

/** A handshake with a key, a version or offers that are none; `ws` says what is wrong. */
export const refuseHandshake =
  (meters: Meters) =>
  (error: Error, socket: Socket): void => {
    const version = error.message.includes('Sec-WebSocket-Version') ? 'Sec-WebSocket-Version: 13\r\n' : ''
    meters.refused++
    countAnswer(meters, 400)
    refuse(socket, 400, error.message, version)
  }

/** Whoever offers another protocol than WebSocket is answered by HTTP, as RFC 9110 (7.8) lets a server do. */
export const isWebSocket = ({ headers }: IncomingMessage): boolean =>
  (headers.upgrade ?? '').split(',').some((each) => each.trim().toLowerCase() === 'websocket')
