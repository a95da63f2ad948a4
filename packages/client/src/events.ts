/** Topics over server-sent events: one stream per contract and hundred topics, opened anew, without loss, when they change. */
import {
  encodeCursor,
  encodeSeq,
  isTopicError,
  NEW_TOPIC,
  noticesOf,
  parseTopic,
  type AskedContract,
  type DataFrame,
  type ServerMessage,
  type TopicResult
} from '@tickwire/protocol'
import { listed, MOST, type Carrier, type Ground, type Names, type Subscribe } from './carried.ts'
import { createReader, type Block } from './eventstream.ts'
import { closeFor, refusalOf, type Refusal } from './http.ts'

/** So that what is asked for in one breath makes one stream. */
const GATHER = 20
/** Until the first block; a proxy that keeps a stream back for itself would say nothing for ever. */
const PATIENCE = 5_000
/** Three of the server's signs of life. */
const SILENCE = 45_000

type Request = { id: string | number | undefined; topics: readonly string[]; names: Names }
type Stream = {
  key: string
  contract: AskedContract | undefined
  /** The sequence that was read of each topic; none yet where it is new. */
  marks: Map<string, number | undefined>
  requests: Request[]
  running?: AbortController
  gathering?: () => void
}

/** The topic and what comes with it unasked over a WebSocket. */
const withNotices = (name: string): string[] => {
  const topic = parseTopic(name)
  return isTopicError(topic) ? [name] : [name, ...noticesOf(topic)]
}

export function createEvents(ground: Ground): Carrier {
  const streams = new Set<Stream>()
  let isOver = false

  const streamFor = (contract: AskedContract | undefined, names: readonly string[]): Stream => {
    const key = JSON.stringify(contract ?? {})
    const fits = (stream: Stream): boolean => stream.key === key && new Set([...stream.marks.keys(), ...names]).size <= MOST
    const found = [...streams].find(fits)
    if (found) return found
    const stream: Stream = { key, contract, marks: new Map(), requests: [] }
    streams.add(stream)
    return stream
  }
  const markOf = (name: string): number | undefined =>
    [...streams].map(({ marks }) => marks.get(name)).find((mark) => mark !== undefined)
  const gather = (stream: Stream): void => {
    stream.gathering ??= ground.after(GATHER, () => {
      delete stream.gathering
      if (!isOver) restart(stream)
    })
  }
  const restart = (stream: Stream): void => {
    stream.running?.abort()
    delete stream.running
    if (stream.marks.size === 0) streams.delete(stream)
    else void run(ground, stream, () => restart(stream))
  }
  /** Another contract: it leaves the stream it was in. */
  const leave = (topics: readonly string[], but?: Stream): void => {
    for (const stream of streams)
      if (stream !== but && topics.filter((topic) => stream.marks.delete(topic)).length > 0) gather(stream)
  }

  return {
    subscribe({ id, topics, resume = {}, contract }: Subscribe, names: Names) {
      const good = [...new Set(topics.map((topic) => names.get(topic)).filter((name) => typeof name === 'string'))]
      // Where nothing of it can be had there is nothing to wait for.
      if (good.length === 0) return ground.say(answerTo({ id, topics, names }, new Map()))
      for (let at = 0; at < good.length; at += MOST / 4) {
        const some = good.slice(at, at + MOST / 4)
        const all = [...new Set(some.flatMap(withNotices))]
        const stream = streamFor(contract, all)
        for (const name of all) {
          const { epoch, seq } = resume[name] ?? {}
          stream.marks.set(name, epoch === ground.epoch ? seq : markOf(name))
        }
        leave(some, stream)
        const mine = topics.filter(
          (topic) => some.includes(names.get(topic) as string) || (at === 0 && typeof names.get(topic) !== 'string')
        )
        stream.requests.push({ id, topics: mine, names })
        gather(stream)
      }
    },
    unsubscribe: (topics) => leave(topics),
    stop() {
      isOver = true
      for (const { running, gathering } of streams) {
        running?.abort()
        gathering?.()
      }
    }
  }
}

const answerTo = ({ id, topics, names }: Request, results: ReadonlyMap<string, TopicResult>): ServerMessage => {
  const told = topics.map((asked): TopicResult => {
    const name = names.get(asked) ?? asked
    if (typeof name !== 'string') return name
    const result = results.get(name)
    return result ? { ...result, asked } : { asked, ok: false, code: 'UNAVAILABLE', message: 'the stream does not name it' }
  })
  return id === undefined ? { op: 'subscribed', results: told } : { op: 'subscribed', id, results: told }
}

function addressOf({ epoch }: Ground, { marks, contract = {} }: Stream): string {
  const names = [...marks.keys()]
  const terms = Object.entries(contract).map(([name, value]) => `&${name}=${encodeURIComponent(String(value))}`)
  const path = `/v1/events?topics=${listed(names)}${terms.join('')}`
  const seqs = [...marks.values()]
  if (seqs.every((seq) => seq === undefined)) return path
  const cursor = encodeCursor(
    epoch,
    names,
    seqs.map((seq) => (seq === undefined ? NEW_TOPIC : encodeSeq(seq)))
  )
  return `${path}&lastEventId=${encodeURIComponent(cursor)}`
}

async function run(ground: Ground, stream: Stream, again: () => void): Promise<void> {
  const { http, fail, after, now } = ground
  const mine = new AbortController()
  stream.running = mine
  const isMine = (): boolean => stream.running === mine && !mine.signal.aborted
  let heard = now()
  let begun = false
  const watch = (): void => {
    if (!isMine()) return
    if (!begun) return fail(1006, 'nothing of the stream came through', true)
    if (now() - heard >= SILENCE) return fail(1006, 'the stream fell silent')
    cancel = after(SILENCE / 3, watch)
  }
  let cancel = after(PATIENCE, watch)
  mine.signal.addEventListener('abort', () => cancel())

  // What is asked for from here on is for the next.
  const due = [...stream.requests]
  const response = await http.stream(addressOf(ground, stream), mine.signal)
  if (!isMine()) return
  if (!response?.ok || !response.body) {
    const refusal = response && (await refusalOf(response))
    if (!isMine()) return
    if (!response || !refusal)
      return fail(1006, response ? `a stream was answered with status ${response.status}, and not by the server` : '', true)
    if (refuse(ground, stream, due, response.status, refusal)) return again()
    return fail(closeFor(response.status), refusal.message)
  }
  const hear = createHearing(ground, stream, due)
  const parse = createReader()
  const text = response.body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await text.read()
      if (!isMine()) return
      if (done) break
      heard = now()
      const blocks = parse(value)
      begun ||= blocks.some(({ event }) => event !== '')
      hear(blocks)
    }
  } catch {
    // The network; or we let it go.
  }
  if (isMine()) fail(1006, '', !begun)
}

const OF_WHAT_WAS_ASKED: ReadonlySet<number> = new Set([400, 404, 422])
/** What of it was wrong, such as a contract, is told to those who asked for it; with those who had it before it goes on. */
function refuse(ground: Ground, stream: Stream, due: readonly Request[], status: number, refusal: Refusal): boolean {
  if (refusal.retry || due.length === 0 || !OF_WHAT_WAS_ASKED.has(status)) return false
  stream.requests = stream.requests.filter((request) => !due.includes(request))
  for (const { topics, names } of due) for (const topic of topics) stream.marks.delete(names.get(topic) as string)
  // Nobody wants notices alone.
  if ([...stream.marks.keys()].every(isNotice)) stream.marks.clear()
  for (const { id } of due) ground.say(id === undefined ? { op: 'error', ...refusal } : { op: 'error', id, ...refusal })
  return true
}

function createHearing(ground: Ground, stream: Stream, due: readonly Request[]) {
  const { say, fail, now } = ground
  let frame: DataFrame = []
  const flush = (): void => {
    if (frame.length > 0) say(frame)
    frame = []
  }
  const subscribed = (results: readonly TopicResult[]): void => {
    const byName = new Map(results.flatMap((result) => (result.ok ? [[result.topic, result] as const] : [])))
    stream.requests = stream.requests.filter((request) => !due.includes(request))
    const fresh = new Set(due.flatMap(({ topics, names }) => topics.map((topic) => names.get(topic))))
    for (const [name, { position, recovered }] of byName) {
      // Of those that were read all along nobody would hear that something is missing: all begin anew from where they are.
      if (recovered === false && !fresh.has(name) && stream.marks.get(name) !== undefined && !isNotice(name))
        return fail(1012, 'what was missed is no longer kept')
      if (!recovered) stream.marks.set(name, Math.max(0, position.seq - 1))
    }
    for (const request of due) say(answerTo(request, byName))
  }
  const hear = ({ event, data }: Block): void => {
    if (event === '') return say({ op: 'pong', now: now() })
    const content = JSON.parse(data) as never
    if (event === 'subscribed') subscribed((content as { results: TopicResult[] }).results)
    else if (event === 'closed') fail((content as { code: number }).code, (content as { reason?: string }).reason ?? '')
    else if (event === 'refused') fail(1013, 'refused for now')
    else say(content)
  }
  return (blocks: readonly Block[]): void => {
    for (const block of blocks) {
      if (block.event === '' || CONTROL.has(block.event)) {
        flush()
        hear(block)
        continue
      }
      const item = JSON.parse(block.data) as DataFrame[number]
      stream.marks.set(item.topic, 'op' in item ? item.to : item.seq)
      frame.push(item)
    }
    flush()
  }
}
const CONTROL: ReadonlySet<string> = new Set(['subscribed', 'closed', 'refused', 'contract', 'shutdown'])
const isNotice = (name: string): boolean => name.startsWith('status:') || name.startsWith('gap:')
