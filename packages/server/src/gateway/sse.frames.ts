/** An SSE stream as a dialect: a session like any other, which hears nothing and whose every event says where its reader stands. */
import type { AskedContract, Position, Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import { narrow } from './contracts.ts'
import { decodeSeqs, encodeSeq, headOf } from './cursor.ts'

/** What the address and the last id asked for. */
export type Asked = { topics: readonly string[]; resume?: Readonly<Record<string, Position>>; contract?: AskedContract }

/** `marks`: the sequence of each topic as the next id tells it, in the order of the address. */
export type Memory = { epoch: string; asked: Asked; head: string; marks: string[]; places: Map<string, number> }

const block = (name: string, id: string | undefined, data: unknown): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

const idOf = ({ head, marks }: Memory): string => `${head}~${marks.join('~')}`

/** Where the reader stood. An id that is none of ours leaves no position known: each topic begins anew and says that it did. */
export function positionsIn(id: string, epoch: string, topics: readonly string[]): Readonly<Record<string, Position>> {
  const seqs = decodeSeqs(id, epoch, topics)
  if (!seqs) return Object.fromEntries(topics.map((topic) => [topic, { epoch: '', seq: 0 }]))
  return Object.fromEntries(
    topics.flatMap((topic, i) => {
      const seq = seqs[i] ?? null
      return seq === null ? [] : [[topic, { epoch, seq }]]
    })
  )
}

type Asking = { url: string; headers: Readonly<Record<string, string | string[] | undefined>> }
/** A browser's EventSource that comes back: it sends where it stood, and takes nothing but a stream. */
export const isComingBack = ({ url, headers }: Asking): boolean =>
  url.startsWith('/v1/events?') &&
  typeof headers['last-event-id'] === 'string' &&
  String(headers.accept ?? '').includes('text/event-stream')

/** A refusal in a stream: a browser that comes back gives up for good on any status but 200. */
export const refusedBlock = (retryMs: number, error: unknown): string =>
  `retry: ${retryMs}\n${block('refused', undefined, error)}`
export const closedBlock = (code: number, reason: string | undefined): string => block('closed', undefined, { code, reason })

export const sse: Dialect<Memory> = {
  name: 'sse',
  paths: [],
  maxMessage: 0,
  open(request, desk) {
    const asked = JSON.parse(request.rest) as Asked
    const memory: Memory = { epoch: desk.epoch, asked, head: '', marks: [], places: new Map() }
    return { memory, commands: [{ type: 'subscribe', ...asked }] }
  },
  receive: () => [],
  settled(results, _tag, memory) {
    const { places, marks } = memory
    for (const result of results) {
      // One topic under two spellings is one.
      if (!result.ok || places.has(result.topic)) continue
      const { topic, position, recovered } = result
      places.set(topic, marks.length)
      // Until its first event is written the reader stands where it stood, or just before the snapshot.
      marks.push(encodeSeq(recovered ? (memory.asked.resume?.[topic]?.seq ?? 0) : Math.max(0, position.seq - 1)))
    }
    memory.head = headOf(memory.epoch, [...places.keys()])
    return [{ type: 'send', text: block('subscribed', idOf(memory), { results }) }]
  },
  render(event: Published, memory) {
    const place = memory.places.get(event.topic)
    if (place !== undefined) memory.marks[place] = encodeSeq(event.seq)
    return block(event.type, idOf(memory), narrow(event, memory.asked.contract?.fields))
  },
  lost: (topic, count, from, to, _now, reason = 'slow') =>
    block('lost', undefined, { op: 'lost', topic, count, from, to, reason }),
  contracts: true,
  contract: (topics, contract, reason) => block('contract', undefined, { op: 'contract', topics, contract, reason }),
  shutdown: (retryAfterMs) => block('shutdown', undefined, { op: 'shutdown', retryAfterMs, reason: 'the server shuts down' })
}
