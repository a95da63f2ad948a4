/**
 * Server-sent events: `GET /v1/events?topics=a,b`. Every event's id holds the positions of all topics, in the order of
 * the address, so that a browser's own Last-Event-ID brings back exactly what was missed.
 */
import type { ServerResponse } from 'node:http'
import type { AskedContract, TopicResult } from '@tickwire/protocol'
import type { Request } from '../dialects/dialect.ts'
import type { By } from './credentials.ts'
import { RequestError } from './errors.ts'
import { kernel as linux, type Kernel } from './kernel.ts'
import type { Meters } from './meters.ts'
import type { Quotas } from './quotas.ts'
import { createSession, type Line, type Session, type Shared } from './session.ts'
import { positionsIn, sse, type Asked, type Memory } from './sse.frames.ts'
import { createResponseLine, type ResponseLine } from './sse.line.ts'
import type { Visitor } from './visitors.ts'

/** Where its reader stood, and how its topics are to be delivered. */
export type Wanted = { lastId: string | undefined; contract: AskedContract | undefined }
type Stream = { session: Session; line: ResponseLine }

export function createSse(shared: Shared, meters: Meters, newId: () => string, quotas: Quotas, kernel: Kernel = linux) {
  const streams = new Map<string, Stream>()
  const { clock, limits, patience, plant, understand } = shared

  /** Throws what is wrong with the first topic that is refused. */
  const startSession = (request: Request, line: Line, by: By): Session => {
    let refused: Extract<TopicResult, { ok: false }> | undefined
    const watched = {
      ...sse,
      settled(results: readonly TopicResult[], tag: unknown, memory: Memory, now: number) {
        refused = results.find((result) => !result.ok)
        return sse.settled?.(results, tag, memory, now) ?? []
      }
    }
    const session = createSession(shared, watched, request, line, by)
    if (!refused) return session
    session.end()
    by.place?.leave()
    throw new RequestError(refused.code, refused.message, refused.nearest)
  }

  const admit = (topics: readonly string[], { address, who }: Visitor): void => {
    if (topics.length === 0)
      throw new RequestError('BAD_TOPIC', 'topics: name at least one, as in ?topics=trade:BTC-USDT,quote:BTC-USDT')
    if (topics.length > limits.sseTopics)
      throw new RequestError('TOO_MANY_SYMBOLS', `topics: one stream carries up to ${limits.sseTopics}, not ${topics.length}`)
    if (streams.size >= limits.connections) throw new RequestError('UNAVAILABLE', 'too many connections', undefined, 5)
    if (!quotas.hasRoom(address, who?.user))
      throw new RequestError('RATE_LIMITED', 'too many connections of this address or user', undefined, 1)
  }

  /** A position is of a topic, however the address spells it. */
  const askedBy = (topics: readonly string[], { lastId, contract }: Wanted): Asked => {
    const asked: Asked = contract ? { topics, contract } : { topics }
    if (lastId === undefined) return asked
    const names = topics.map((topic) => understand(topic)).map((found, i) => (found.ok ? found.name : (topics[i] ?? '')))
    return { ...asked, resume: positionsIn(lastId, plant.epoch, [...new Set(names)]) }
  }

  /** Every topic must be right before the stream starts: an EventSource cannot be told afterwards. */
  const open = (
    response: ServerResponse,
    named: readonly string[],
    wanted: Wanted,
    headers: Record<string, string>,
    visitor: Visitor = { address: '', who: undefined }
  ) => {
    const topics = [...new Set(named)]
    admit(topics, visitor)
    const place = quotas.connect(visitor.address, visitor.who?.user)
    const id = newId()
    const line = createResponseLine(response, patience, clock, meters, kernel)
    const request = { path: '/v1/events', query: {}, rest: JSON.stringify(askedBy(topics, wanted)), session: id }
    const session = startSession(request, line, { who: visitor.who, place })
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no'
    })
    meters.opened++
    line.start()
    response.on('close', () => {
      session.end()
      place.leave()
      streams.delete(id)
    })
    streams.set(id, { session, line })
  }

  /** What is written and not read lies in the kernel, which is asked while there is a stream of which that may be much. */
  let isLooking = false
  const look = async () => {
    if (isLooking || ![...streams.values()].some(({ line }) => line.isInDoubt())) return
    isLooking = true
    const held = await kernel.held()
    isLooking = false
    if (held) for (const { line } of streams.values()) line.look(held)
  }

  return {
    open,
    streams,
    beat(now: number): void {
      for (const { session, line } of streams.values()) {
        session.checkAuth(now)
        line.beat(now)
      }
      void look()
    },
    close(retryAfterMs: number): void {
      for (const { session, line } of streams.values()) {
        session.shutdown(retryAfterMs)
        line.retry(retryAfterMs)
        session.end()
        line.close()
      }
    }
  }
}
