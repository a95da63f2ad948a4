/** One WebSocket as a session sees it: where its frames go, and how far behind its reader is. */
import type { Socket } from 'node:net'
import type { CloseCode } from '@tickwire/protocol'
import type { WebSocket } from 'ws'
import { framesOf, type Batch, type Message } from './frame.ts'
import type { Meters } from './meters.ts'
import type { Patience } from './patience.ts'

/** Wraps the outgoing messages of each connection: how the street injects its faults. */
export type Wire = (
  connection: { id: string; path: string; terminate: () => void; pause: () => void; resume: () => void },
  send: (message: Message) => void
) => (message: Message) => void

/**
 * A probe goes out after this many bytes, so that a reader's pace is known before the kernel's megabytes are full, but not
 * more often than this: ping and pong cost as much as a write each.
 */
const PROBE_EVERY = 256 * 1024
const PROBE_PAUSE = 500
/** While anything at all is written, one goes out this often, so that what nobody reads is never older than some seconds. */
const PROBE_LATEST = 3_000
/** From a close frame to the end of the socket. */
const CLOSE_WITHIN = 2_000

/** `ws` keeps its socket to itself; frames shared by many clients have to be written to it as they are. */
const socketOf = (ws: WebSocket): Socket => (ws as unknown as { _socket: Socket })._socket

export function createLine(ws: WebSocket, at: { id: string; path: string }, patience: Patience, meters: Meters, wire?: Wire) {
  const socket = socketOf(ws)
  socket.setNoDelay(true)
  let pinged = patience.now()
  let probedAt: number | undefined
  let sinceProbe = 0
  let heard = { at: pinged, bytes: 0 }
  ws.on('pong', () => void (probedAt = undefined))

  const probe = () => {
    pinged = patience.now()
    sinceProbe = 0
    if (probedAt === undefined) heard = { at: pinged, bytes: socket.bytesRead }
    probedAt ??= pinged
    ws.ping()
  }
  /** A pong may stand behind a message that is long under way: each byte of it is a sign of life. */
  const silent = (): number => {
    if (probedAt === undefined) return 0
    const { bytesRead: bytes } = socket
    if (bytes !== heard.bytes) heard = { at: patience.now(), bytes }
    return patience.now() - heard.at
  }
  // All data goes through our own socket.write: two paths to one socket would interleave.
  const put = (bytes: Buffer): boolean => {
    if (ws.readyState !== ws.OPEN) return true
    meters.bytes += bytes.length
    socket.write(bytes)
    const isTaken = socket.writableLength === 0
    sinceProbe += bytes.length
    if (sinceProbe > PROBE_EVERY && probedAt === undefined && patience.now() - pinged >= PROBE_PAUSE) probe()
    return isTaken
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
    unanswered: () => (probedAt === undefined ? 0 : sinceProbe),
    backlog: () => socket.writableLength,
    silent,
    waiting: () => (probedAt === undefined ? 0 : patience.now() - probedAt),
    /** Pings, when the last ping is this old. */
    beat(interval: number): void {
      const pause = sinceProbe > 0 ? Math.min(interval, PROBE_LATEST) : interval
      if (patience.now() - pinged >= pause && ws.readyState === ws.OPEN) probe()
    },
    close(code: CloseCode, reason: string): void {
      if (ws.readyState !== ws.OPEN) return
      ws.close(code, reason)
      setTimeout(() => ws.terminate(), CLOSE_WITHIN).unref()
    }
  }
}
