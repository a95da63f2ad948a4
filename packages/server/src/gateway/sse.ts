/**
 * Server-sent events: `GET /v1/events?topics=a,b`. Every event's id holds the positions of all topics, in the order of
 * the address, so that a browser's own Last-Event-ID brings back exactly what was missed.
 */
import type { ServerResponse } from 'node:http'
import { type CloseCode, type Position, type Published, type TopicResult } from '@tickwire/protocol'
import { dialect, type Request } from '../dialects/dialect.ts'
import { RequestError } from './errors.ts'
import type { Batch, Message } from './frame.ts'
import type { Meters } from './meters.ts'
import type { Quotas } from './quotas.ts'
import type { By } from './credentials.ts'
import { createSession, type Line, type Session, type Shared } from './session.ts'
import type { Visitor } from './visitors.ts'

type Memory = { epoch: string; order: string[]; seqs: Map<string, number>; resume: Record<string, Position> | undefined }

/** `epoch.seq.seq…`, sequences in base 36, one for each topic of the address. */
export const encodeId = (epoch: string, seqs: readonly number[]): string =>
  [encodeURIComponent(epoch).replaceAll('.', '%2E'), ...seqs.map((seq) => seq.toString(36))].join('.')

export function decodeId(id: string, topics: readonly string[]): Record<string, Position> | undefined {
  const [head, ...tail] = id.split('.')
  if (!head || tail.length !== topics.length || !tail.every((seq) => /^[0-9a-z]{1,10}$/.test(seq))) return undefined
  try {
    const epoch = decodeURIComponent(head)
    return Object.fromEntries(topics.map((topic, i) => [topic, { epoch, seq: Number.parseInt(tail[i]!, 36) }]))
  } catch {
    return undefined
  }
}

/** For an id that is none of ours: no position is known, so every topic begins anew and says that it did. */
const nowhere = (topics: readonly string[]): Record<string, Position> =>
  Object.fromEntries(topics.map((topic) => [topic, { epoch: '', seq: 0 }]))

const idOf = ({ epoch, order, seqs }: Memory): string =>
  encodeId(
    epoch,
    order.map((topic) => seqs.get(topic) ?? 0)
  )

const block = (name: string, id: string, data: unknown): string => `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`

/** An SSE stream is a session like any other; this is its protocol. It has memory: the positions. */
const sse = dialect<Memory>({
  name: 'sse',
  paths: [],
  maxMessage: 0,
  open(request, desk) {
    const asked = JSON.parse(request.rest) as string[]
    const resume = request.query.last === undefined ? undefined : (decodeId(request.query.last, asked) ?? nowhere(asked))
    const memory: Memory = { epoch: desk.epoch, order: [], seqs: new Map(), resume }
    return { memory, commands: [{ type: 'subscribe', topics: asked, ...(resume ? { resume } : {}) }] }
  },
  receive: () => [],
  settled(results, _tag, memory) {
    const subscribed = results.filter((result) => result.ok)
    memory.order = subscribed.map((result) => result.topic)
    // Until the first event of a topic is written, its reader stands where it stood, or just before the snapshot.
    for (const { asked, topic, position, recovered } of subscribed)
      memory.seqs.set(topic, recovered ? memory.resume![asked]!.seq : Math.max(0, position.seq - 1))
    return [{ type: 'send', text: `event: subscribed\ndata: ${JSON.stringify({ results })}\n\n` }]
  },
  render(event: Published, memory) {
    memory.seqs.set(event.topic, event.seq)
    return block(event.type, idOf(memory), event)
  },
  lost: (topic, count, from, to) => `event: lost\ndata: ${JSON.stringify({ op: 'lost', topic, count, from, to })}\n\n`,
  shutdown: (retryAfterMs) =>
    `retry: ${retryAfterMs}\nevent: shutdown\ndata: ${JSON.stringify({ op: 'shutdown', retryAfterMs })}\n\n`
})

const KEEP_ALIVE = 15_000

/** An HTTP response as a session sees it. What is written before `start` waits for the headers. */
function createResponseLine(response: ServerResponse, clock: () => number, meters: Meters) {
  let started = false
  let beatAt = clock()
  const early: Message[] = []
  response.on('error', () => {})
  const put = (text: string) => {
    meters.bytes += Buffer.byteLength(text)
    response.write(text)
  }
  return {
    write({ messages }: Batch): void {
      if (response.writableEnded || response.destroyed) return
      beatAt = clock()
      if (started) put(messages.join(''))
      else early.push(...messages)
    },
    start(): void {
      started = true
      put(`retry: 1000\n\n${early.join('')}`)
    },
    backlog: () => response.writableLength,
    waiting: () => 0,
    beat(now: number): void {
      if (now - beatAt < KEEP_ALIVE) return
      beatAt = now
      put(': keep-alive\n\n')
    },
    close(code?: CloseCode, reason?: string): void {
      if (started && code !== undefined) put(`event: closed\ndata: ${JSON.stringify({ code, reason })}\n\n`)
      response.end()
      setTimeout(() => response.destroy(), 1_000).unref()
    }
  }
}

export function createSse(shared: Shared, meters: Meters, newId: () => string, quotas: Quotas) {
  const streams = new Map<string, { session: Session; end: () => void; beat: (now: number) => void }>()
  const { clock, limits } = shared

  /** Throws what is wrong with the first topic that is refused. */
  const startSession = (request: Request, line: Line, by: By): Session => {
    let refused: Extract<TopicResult, { ok: false }> | undefined
    const watched = {
      ...sse,
      settled(results: readonly TopicResult[], tag: unknown, memory: Memory, now: number) {
        refused = results.find((result) => !result.ok)
        return sse.settled!(results, tag, memory, now)
      }
    }
    const session = createSession(shared, watched, request, line, by)
    if (!refused) return session
    session.end()
    by.place?.leave()
    throw new RequestError(refused.code, refused.message, refused.nearest)
  }

  /** Every topic must be right before the stream starts: an EventSource cannot be told afterwards. */
  const open = (
    response: ServerResponse,
    topics: readonly string[],
    lastId: string | undefined,
    headers: Record<string, string>,
    { address, who }: Visitor = { address: '', who: undefined }
  ) => {
    if (topics.length === 0)
      throw new RequestError('BAD_TOPIC', 'topics: name at least one, as in ?topics=trade:BTC-USDT,quote:BTC-USDT')
    if (topics.length > limits.sseTopics)
      throw new RequestError('TOO_MANY_SYMBOLS', `topics: one stream carries up to ${limits.sseTopics}, not ${topics.length}`)
    if (!quotas.hasRoom(address, who?.user))
      throw new RequestError('RATE_LIMITED', 'too many connections of this address or user', undefined, 1)
    const place = quotas.connect(address, who?.user)
    const id = newId()
    const line = createResponseLine(response, clock, meters)
    const query = lastId === undefined ? {} : { last: lastId }
    const request = { path: '/v1/events', query, rest: JSON.stringify([...new Set(topics)]), session: id }
    const session = startSession(request, line, { who, place })
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
    streams.set(id, {
      session,
      end: () => line.close(),
      beat(now) {
        session.checkAuth(now)
        line.beat(now)
      }
    })
  }

  return {
    open,
    streams,
    beat(now: number): void {
      for (const stream of streams.values()) stream.beat(now)
    },
    close(retryAfterMs: number): void {
      for (const { session, end } of streams.values()) {
        session.shutdown(retryAfterMs)
        end()
      }
    }
  }
}
