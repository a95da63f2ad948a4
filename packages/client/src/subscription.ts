/** One reader of some topics: a callback, or a loop with `for await`. */
import type { Published, TopicResult } from '@tickwire/protocol'
import { createBuffer } from './buffer.ts'
import type { Lost } from './state.ts'

/** What the client knows of a reader. */
export type Reader = {
  topics: readonly string[]
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
  /** Called for each topic's result, also again after each reconnection. */
  onResult?: (result: TopicResult) => void
}
export type EventsOptions = { signal?: AbortSignal; limit?: number }

/** A topic, or every topic, that the server refused for good. */
export class Refused extends Error {
  readonly code: string
  readonly nearest: readonly string[]
  constructor(result: Extract<TopicResult, { ok: false }>) {
    const hint = result.nearest?.length ? ` Nearest: ${result.nearest.join(', ')}.` : ''
    super(`${result.asked}: ${result.code}: ${result.message}${hint}`)
    this.name = 'Refused'
    this.code = result.code
    this.nearest = result.nearest ?? []
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

type Turn = { resolve: (result: IteratorResult<Published>) => void; reject: (error: Error) => void }

/** A loop's own subscription: opened by the loop, closed by `break`, an error in the loop, the signal, or the client. */
export function iterate(
  host: Host,
  topics: readonly string[],
  { signal, limit = 1_000 }: EventsOptions
): AsyncIterator<Published> {
  const buffer = createBuffer(limit)
  const turns: Turn[] = []
  const results = createResults(topics)
  let done = false
  let failure: Error | undefined

  const finish = (error?: Error): void => {
    if (done) return
    done = true
    failure = error
    signal?.removeEventListener('abort', abort)
    host.leave(reader)
    for (const turn of turns.splice(0)) settle(turn)
  }
  const abort = (): void => finish()
  const settle = (turn: Turn): void => {
    if (failure) turn.reject(failure)
    else turn.resolve({ done: true, value: undefined })
    failure = undefined // told once; after that the loop is simply over
  }
  const reader: Reader = {
    topics,
    deliver: (event) => {
      const turn = turns.shift()
      if (turn) turn.resolve({ done: false, value: event })
      else buffer.push(event)
    },
    settled: (result) => {
      const all = results.add(result)
      if (all?.every((each) => !each.ok && each.code !== 'UNAVAILABLE' && each.code !== 'RATE_LIMITED'))
        finish(new Refused(all[0] as Extract<TopicResult, { ok: false }>))
    },
    ended: finish
  }
  if (signal?.aborted) done = true
  else {
    signal?.addEventListener('abort', abort)
    host.join(reader)
  }

  return {
    next: () => {
      for (const report of buffer.lost()) host.lost(report)
      // What had arrived before the end is still given.
      const event = signal?.aborted ? undefined : buffer.take()
      if (event) return Promise.resolve({ done: false, value: event })
      return new Promise((resolve, reject) => {
        const turn = { resolve, reject }
        if (done) settle(turn)
        else turns.push(turn)
      })
    },
    return: () => {
      finish()
      return Promise.resolve({ done: true, value: undefined })
    }
  }
}
