/** An HTTP response as a session sees it: where its events go, and how far behind its reader is. */
import type { ServerResponse } from 'node:http'
import type { CloseCode } from '@tickwire/protocol'
import { createFlow, LEAST } from './flow.ts'
import type { Batch, Message } from './frame.ts'
import type { Kernel } from './kernel.ts'
import type { Meters } from './meters.ts'
import type { Patience } from './patience.ts'
import { closedBlock } from './sse.frames.ts'

const KEEP_ALIVE = 15_000
/** From the last words to the end of the socket. */
const CLOSE_WITHIN = 1_000
/** Readers that lost the same server come back at times of their own. */
const RETRY = { least: 1_000, spread: 2_000 }
const retryFrom = (least: number): number => Math.round(least + Math.random() * RETRY.spread)
/** Half of what a WebSocket is sent: what its peer's own kernel has taken is not known to be read. */
const AHEAD = 1_000

export type ResponseLine = ReturnType<typeof createResponseLine>

/** What is written before `start` waits for the headers. */
export function createResponseLine(
  response: ServerResponse,
  patience: Patience,
  clock: () => number,
  meters: Meters,
  kernel: Kernel
) {
  const flow = createFlow(patience.now(), AHEAD)
  let started = false
  let beatAt = clock()
  let probedAt: number | undefined
  /** The kernel's name of the socket, where it tells of it. */
  let name: string | undefined
  const early: Message[] = []
  const isOver = () => response.writableEnded || response.destroyed
  response.on('error', () => {})
  const put = (text: string) => {
    if (isOver()) return
    const bytes = Buffer.byteLength(text)
    meters.bytes += bytes
    flow.wrote(bytes, patience.now())
    // There is no ping: what the socket has not taken is known by the age of the oldest write that it has not.
    if (probedAt === undefined) {
      probedAt = patience.now()
      response.write(text, () => (probedAt = undefined))
    } else response.write(text)
  }
  return {
    write({ messages }: Batch): void {
      if (isOver()) return
      beatAt = clock()
      if (started) put(messages.join(''))
      else early.push(...messages)
    },
    start(): void {
      started = true
      put(`retry: ${retryFrom(RETRY.least)}\n\n${early.join('')}`)
      if (response.socket) void kernel.nameOf(response.socket).then((found) => (name = found))
    },
    backlog: () => response.writableLength,
    waiting(): number {
      const now = patience.now()
      const untaken = probedAt === undefined ? 0 : now - probedAt
      return name === undefined ? untaken : Math.max(untaken, flow.stalled(now))
    },
    room: (): number => (name === undefined ? Infinity : flow.room()),
    isFull: (): boolean => name !== undefined && flow.isFull(patience.now()),
    /** Whether it is worth asking the kernel. */
    isInDoubt: (): boolean => name !== undefined && flow.owes() > LEAST,
    /** By what the kernel holds of each socket. */
    look(held: ReadonlyMap<string, number>): void {
      const own = name === undefined ? undefined : held.get(name)
      if (own !== undefined) flow.passed(flow.written() - own - response.writableLength, patience.now())
    },
    beat(now: number): void {
      if (now - beatAt < KEEP_ALIVE) return
      beatAt = now
      put(': keep-alive\n\n')
    },
    retry: (least: number) => put(`retry: ${retryFrom(least)}\n\n`),
    close(code?: CloseCode, reason?: string): void {
      if (started && code !== undefined) put(closedBlock(code, reason))
      response.end()
      setTimeout(() => response.destroy(), CLOSE_WITHIN).unref()
    }
  }
}
