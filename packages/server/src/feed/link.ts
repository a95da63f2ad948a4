/** One WebSocket to a provider: it hands on what it hears, and once closed it never speaks again. */
import { WebSocket, type RawData } from 'ws'

export type Ending = { reason: string; wait?: number }
export type Hooks = {
  onOpen: () => void
  onFrame: (frame: string) => void
  /** Called once, also when the connection never opened; not after `close`. */
  onClose: (ending: Ending) => void
}
export type Link = { send: (frame: string) => void; close: () => void }

/** Order book snapshots of busy instruments are several MB; a frame beyond this is none of theirs. */
const MAX_FRAME = 64 * 1024 * 1024
/** Credentials that were refused will be refused again: wait long. */
const DENIED_WAIT = 300_000
/** A peer that does not answer our close frame within this time is cut off. */
const CLOSE_PATIENCE = 1_000

export type Dial = (url: string, hooks: Hooks) => Link

export const openLink: Dial = (url, hooks) => {
  let ended = false
  let error: Ending | undefined
  const end = (ending: Ending) => {
    if (ended) return
    ended = true
    hooks.onClose(ending)
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, { handshakeTimeout: 10_000, perMessageDeflate: false, maxPayload: MAX_FRAME })
  } catch (cause) {
    queueMicrotask(() => end({ reason: `${url}: ${(cause as Error).message}` }))
    return { send: () => undefined, close: () => void (ended = true) }
  }
  socket.on('open', () => !ended && hooks.onOpen())
  socket.on('message', (data: RawData) => !ended && hooks.onFrame(textOf(data)))
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
    close() {
      ended = true
      if (socket.readyState === WebSocket.OPEN) {
        socket.close(1000)
        setTimeout(() => socket.terminate(), CLOSE_PATIENCE).unref()
      } else socket.terminate()
    }
  }
}

const textOf = (data: RawData): string =>
  Buffer.isBuffer(data) ? data.toString() : Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data).toString()

function refusal(status: number, retryAfter: string | undefined): Ending {
  const reason = `handshake refused with HTTP ${status}`
  if (status === 401 || status === 403 || status === 451) return { reason, wait: DENIED_WAIT }
  const seconds = Number(retryAfter)
  return seconds > 0 ? { reason, wait: Math.min(seconds, 3_600) * 1_000 } : { reason }
}
