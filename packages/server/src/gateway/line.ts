/** One WebSocket as a session sees it: where its frames go, and how far behind its reader is. */
import type { Socket } from 'node:net'
import type { CloseCode } from '@tickwire/protocol'
import type { WebSocket } from 'ws'
import { createFlow } from './flow.ts'
import { framesOf, type Batch, type Message } from './frame.ts'
import type { Meters } from './meters.ts'
import type { Patience } from './patience.ts'

/** Wraps the outgoing messages of each connection: how the street injects its faults. */
export type Wire = (
  connection: { id: string; path: string; terminate: () => void; pause: () => void; resume: () => void },
  send: (message: Message) => void
) => (message: Message) => void

/** While anything at all is written, a probe goes out this often, so that what nobody reads is never older than some seconds. */
const PROBE_LATEST = 3_000
/** Where more than this is under way, this often. */
const BUSY = { bytes: 16 * 1024, every: 1_000 }
/** A probe that is due waits so long for something to be written: with it it costs next to nothing, alone as much as a write. */
const COMPANY = 250
/** From a close frame to the end of the socket. */
const CLOSE_WITHIN = 2_000

/** `ws` keeps its socket to itself; frames shared by many clients have to be written to it as they are. */
const socketOf = (ws: WebSocket): Socket => (ws as unknown as { _socket: Socket })._socket

export function createLine(ws: WebSocket, at: { id: string; path: string }, patience: Patience, meters: Meters, wire?: Wire) {
  const socket = socketOf(ws)
  socket.setNoDelay(true)
  const flow = createFlow(patience.now())
  let heard = { at: patience.now(), bytes: 0 }
  let wroteAt = -Infinity
  let isProbeDue = false
  // An answer has the words of its question; one that has not answers whatever was asked.
  ws.on('pong', (data: Buffer) => flow.answered(/^\d+$/.test(data.toString()) ? Number(data) : Infinity, patience.now()))

  const probe = () => {
    const now = patience.now()
    if (flow.waiting(now) === 0) heard = { at: now, bytes: socket.bytesRead }
    isProbeDue = false
    ws.ping(String(flow.probed(now)))
  }
  /** A pong may stand behind a message that is long under way: each byte of it is a sign of life. */
  const silent = (): number => {
    const now = patience.now()
    if (flow.waiting(now) === 0) return 0
    const { bytesRead: bytes } = socket
    if (bytes !== heard.bytes) heard = { at: now, bytes }
    return now - heard.at
  }
  // All data goes through our own socket.write: two paths to one socket would interleave.
  const put = (bytes: Buffer): boolean => {
    if (ws.readyState !== ws.OPEN) return true
    meters.bytes += bytes.length
    const now = patience.now()
    flow.wrote(bytes.length, now)
    wroteAt = now
    if (isProbeDue || flow.isDue(now)) {
      // Both are one call to the kernel.
      socket.cork()
      socket.write(bytes)
      probe()
      socket.uncork()
    } else socket.write(bytes)
    return socket.writableLength === 0
  }
  const controls = { ...at, terminate: () => ws.terminate(), pause: () => ws.pause(), resume: () => ws.resume() }
  const wired = wire?.(controls, (message) => put(framesOf([message])))

  return {
    write(batch: Batch): boolean {
      if (!wired) return put(batch.bytes())
      for (const message of batch.messages) wired(message)
      return true
    },
    /** As agreed in the handshake. */
    deflate: wire === undefined && ws.extensions.includes('permessage-deflate'),
    room: flow.room,
    isFull: () => flow.isFull(patience.now()),
    unanswered: flow.unanswered,
    backlog: () => socket.writableLength,
    silent,
    waiting: () => flow.waiting(patience.now()),
    /** Pings, when the last ping is this old. */
    beat(interval: number): void {
      const bytes = flow.unprobed()
      const latest = bytes > BUSY.bytes ? BUSY.every : bytes > 0 ? PROBE_LATEST : interval
      const now = patience.now()
      if (now - flow.probedAt() < Math.min(interval, latest) || ws.readyState !== ws.OPEN) return
      if (isProbeDue || now - wroteAt > COMPANY) probe()
      else isProbeDue = true
    },
    /** What its peer sends waits on the way. */
    hold: (held: boolean) => (held ? ws.pause() : ws.resume()),
    close(code: CloseCode, reason: string): void {
      if (ws.readyState !== ws.OPEN) return
      ws.close(code, reason)
      setTimeout(() => ws.terminate(), CLOSE_WITHIN).unref()
    }
  }
}
