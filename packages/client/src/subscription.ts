/** One reader of some topics: a callback, or a loop with `for await`. */
import { ERRORS, type AskedContract, type Published, type TopicResult } from '@tickwire/protocol'
import { createBuffer } from './buffer.ts'
import type { Lost } from './state.ts'

/** What the client knows of a reader. */
export type Reader = {
  topics: readonly string[]
  contract?: AskedContract | undefined
  deliver: (event: Published) => void
  settled: (result: TopicResult) => void
  /** The client was closed (no error), or the server let it go for good. */
  ended: (error?: Error) => void
}

export type Subscription = {
  /** A result per topic, when the server has answered for all of them. Never rejects. */
  ready: Promise<TopicResult[]>
  close: () => void
  [Symbol.dispose]: () => void
}

export type SubscribeOptions = {
  signal?: AbortSignal
  /**
   * How its events are to come: conflated, sampled, with few fields. The results say what is in force. Where readers of one
   * client differ about a topic, all of them are given what the most demanding one asked for.
   */
  contract?: AskedContract
  /** Called for each topic's result, also again after each reconnection. */
  onResult?: (result: TopicResult) => void
}
export type EventsOptions = { signal?: AbortSignal; limit?: number; contract?: AskedContract }

/** Most events that wait for a loop, unless it names another number. */
const USUAL_LIMIT = 1_000

/** A loop that may keep nothing could be given nothing. */
export function checkLimit({ limit = USUAL_LIMIT }: { limit?: number }): void {
  if (Number.isSafeInteger(limit) && limit > 0) return
  throw new TypeError(`limit: it takes a whole number of events from 1, not ${typeof limit === 'number' ? limit : typeof limit}`)
}

/** Else each event would be an error of its own, far from where it was made. */
export function checkCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError(`callback: it takes a function, not ${typeof callback}`)
}

/** A topic, or every topic, that the server refused for good. */
export class Refused extends Error {
  readonly code: string
  readonly nearest: readonly string[]
  constructor(result: Extract<TopicResult, { ok: false }>) {
    const { asked, code, message, nearest = [] } = result
    // The server's sentence mostly has them.
    const isTold = nearest.every((name) => message.includes(name))
    super(`${asked}: ${code}: ${message}${isTold ? '' : `; the nearest are ${nearest.join(', ')}`}`)
    this.name = 'Refused'
    this.code = code
    this.nearest = nearest
  }
}

/** Gathers the first result of each topic. */
export function createResults(topics: readonly string[]) {
  const results = new Map<string, TopicResult>()
  let resolve: (results: TopicResult[]) => void
  const ready = new Promise<TopicResult[]>((done) => (resolve = done))
  const all = (): TopicResult[] => topics.map((topic) => results.get(topic)!)
  return {
    ready,
    add(result: TopicResult): TopicResult[] | undefined {
      results.set(result.asked, result)
      if (results.size < topics.length) return undefined
      resolve(all())
      return all()
    },
    /** Answers for what was never answered. */
    finish(message: string): void {
      for (const asked of topics) if (!results.has(asked)) results.set(asked, { asked, ok: false, code: 'UNAVAILABLE', message })
      resolve(all())
    }
  }
}

export type Host = {
  join: (reader: Reader) => void
  leave: (reader: Reader) => void
  lost: (report: Lost) => void
}

/** What a loop awaits: the next event, or the end. */
function createTurns(take: () => Published | undefined) {
  type Turn = { resolve: (result: IteratorResult<Published>) => void; reject: (error: Error) => void }
  const waiting: Turn[] = []
  let done = false
  let failure: Error | undefined

  const end = (turn: Turn): void => {
    if (failure) turn.reject(failure)
    else turn.resolve({ done: true, value: undefined })
    failure = undefined // told once; after that the loop is simply over
  }
  return {
    /** Hands the event to the loop, if it is there. */
    give: (event: Published): boolean => {
      const turn = waiting.shift()
      turn?.resolve({ done: false, value: event })
      return turn !== undefined
    },
    next: (): Promise<IteratorResult<Published>> => {
      const value = take()
      if (value) return Promise.resolve({ done: false, value })
      return new Promise((resolve, reject) => {
        const turn = { resolve, reject }
        if (done) end(turn)
        else waiting.push(turn)
      })
    },
    /** True the first time. */
    finish: (error?: Error): boolean => {
      if (done) return false
      done = true
      failure = error
      for (const turn of waiting.splice(0)) end(turn)
      return true
    }
  }
}

const passing = (result: TopicResult): boolean => result.ok || (ERRORS[result.code]?.retry ?? false)

/** A loop's own subscription: opened by the loop, closed by `break`, an error in the loop, the signal, or the client. */
export function iterate(
  host: Host,
  topics: readonly string[],
  { signal, limit = USUAL_LIMIT, contract }: EventsOptions
): AsyncIterator<Published> {
  const buffer = createBuffer(limit)
  const results = createResults(topics)
  // What had arrived before the end is still given, except to a loop that was told to stop.
  const turns = createTurns(() => (signal?.aborted ? undefined : buffer.take()))

  const finish = (error?: Error): void => {
    if (!turns.finish(error)) return
    signal?.removeEventListener('abort', abort)
    host.leave(reader)
  }
  const abort = (): void => finish()
  const reader: Reader = {
    topics,
    contract,
    deliver: (event) => {
      if (!turns.give(event)) buffer.push(event)
    },
    settled: (result) => {
      const [first, ...others] = results.add(result) ?? []
      if (first && !first.ok && ![first, ...others].some(passing)) finish(new Refused(first))
    },
    ended: finish
  }
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) finish()
  else host.join(reader)

  return {
    next: () => {
      for (const report of buffer.lost()) host.lost(report)
      return turns.next()
    },
    return: () => {
      finish()
      return Promise.resolve({ done: true, value: undefined })
    }
  }
}
