/** One WebSocket to a provider: it hands on what it hears, and once closed it never speaks again. */
import { WebSocket, type RawData } from 'ws'
import type { Frame } from '../providers/adapter.ts'
import { retryAfter } from './retry.ts'

/** `denied`: the credentials were not accepted. `wait`: the provider asked us to stay away for so long, ms. */
export type Ending = { reason: string; wait?: number; denied?: true }
export type Hooks = {
  onOpen: () => void
  onFrame: (frame: Frame) => void
  /** A ping of ours was answered. */
  onPong?: () => void
  /** Called once, also when the connection never opened; not after `close`. */
  onClose: (ending: Ending) => void
}
export type Link = { send: (frame: Frame) => void; ping?: () => void; close: () => void }
/** Where to, with which headers, and whether frames are wanted as bytes. */
export type Target = { url: string; headers?: Readonly<Record<string, string>>; binary?: boolean }

/** Order book snapshots of busy instruments are several MB; a frame beyond this is none of theirs. */
const MAX_FRAME = 64 * 1024 * 1024
/** A peer that does not answer our close frame within this time is cut off. */
const CLOSE_PATIENCE = 1_000

export type Dial = (target: Target, hooks: Hooks) => Link

/** A provider without a socket is reached at once: its data comes by REST (poll.ts). */
export const openNothing: Dial = (_target, hooks) => {
  let ended = false
  queueMicrotask(() => !ended && hooks.onOpen())
  return { send: () => undefined, close: () => void (ended = true) }
}

export const openLink: Dial = ({ url, headers = {}, binary = false }, hooks) => {
  let ended = false
  let error: Ending | undefined
  const end = (ending: Ending) => {
    if (ended) return
    ended = true
    hooks.onClose(ending)
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, { handshakeTimeout: 10_000, perMessageDeflate: false, maxPayload: MAX_FRAME, headers })
  } catch (cause) {
    queueMicrotask(() => end({ reason: `${url}: ${(cause as Error).message}` }))
    return { send: () => undefined, close: () => void (ended = true) }
  }
  socket.on('open', () => !ended && hooks.onOpen())
  socket.on('message', (data: RawData) => !ended && hooks.onFrame(binary ? bytesOf(data) : bytesOf(data).toString()))
  socket.on('pong', () => !ended && hooks.onPong?.())
  socket.on('unexpected-response', (request, response) => {
    // Whoever listens to this event must end the request himself; no 'close' follows.
    request.destroy()
    end(refusal(response.statusCode ?? 0, response.headers['retry-after']))
  })
  // 'close' always follows an error and carries the outcome.
  socket.on('error', (cause) => (error ??= { reason: cause.message || 'connection failed' }))
  socket.on('close', (code, text) => end(error ?? { reason: `closed ${code}${text.length > 0 ? ` ${text.toString()}` : ''}` }))
  return {
    send: (frame) => socket.readyState === WebSocket.OPEN && socket.send(frame),
    ping: () => socket.readyState === WebSocket.OPEN && socket.ping(),
    close() {
      ended = true
      if (socket.readyState === WebSocket.OPEN) {
        socket.close(1000)
        setTimeout(() => socket.terminate(), CLOSE_PATIENCE).unref()
      } else socket.terminate()
    }
  }
}

const bytesOf = (data: RawData): Buffer =>
  Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)

function refusal(status: number, header: string | undefined): Ending {
  const reason = `handshake refused with HTTP ${status}`
  if (status === 401 || status === 403 || status === 451) return { reason, denied: true }
  const wait = retryAfter(header, status, Date.now())
  return wait === undefined ? { reason } : { reason, wait }
}
