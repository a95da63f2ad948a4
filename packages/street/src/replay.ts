/**
 * A recorded session as a dialect: to each client that subscribes it plays the frames as they were recorded, unchanged, at
 * their own pace or a multiple of it. At its end it hangs up, and a client that connects again hears it from the start:
 * sequence numbers begin anew there, so nothing else would be an honest loop.
 */
import type { Dialect, Desk, HttpAnswer, HttpRequest } from '@tickwire/server/dialects/dialect.ts'
import type { Recording } from './recording.ts'
import type { RecordingPlan } from './venues.ts'

type Memory = {
  inner: unknown
  /** When the last subscription before the start came; the recording starts once no more follow. */
  askedAt?: number
  startedAt?: number
  next: number
}
/** Subscriptions of one client come at no more than five a second. */
const SETTLED = 400
const TICK = 10

/** `dialect` is the provider's, for what is not in the recording. Speed 1 is as recorded. */
export function replayDialect(plan: RecordingPlan, recording: Recording, dialect: Dialect<any>, speed: number): Dialect<Memory> {
  const { controls, restate = (frame) => frame } = plan
  const { frames, offsets } = recording
  // Where the recording holds the answers to its subscriptions, ours would be one too many.
  const speaks = controls === 'dialect'

  /** What was not asked that day is answered by the dialect, which knows of nothing: no candles rather than an error. */
  const recorded = [...new Set(recording.answers.map(({ path }) => path))].map((path) => ({
    route: `GET ${path}`,
    answer: (request: HttpRequest, _desk: Desk) => answer(recording, path, request)
  }))

  return {
    name: `${plan.provider} replay`,
    paths: dialect.paths,
    maxMessage: dialect.maxMessage,
    tickEvery: TICK,

    open(request, desk, now) {
      const { memory: inner, commands } = dialect.open({ ...request, query: {}, rest: '' }, desk, now)
      return { memory: { inner, next: 0 }, commands: speaks ? commands : [] }
    },

    receive(frame, memory, now) {
      if (memory.startedAt === undefined && /"subscribe"/i.test(frame)) memory.askedAt = now
      return speaks ? dialect.receive(restate(frame), memory.inner, now) : []
    },

    settled: (results, tag, memory, now) => dialect.settled?.(results, tag, memory.inner, now) ?? [],
    render: () => undefined,

    tick(memory, now) {
      if (memory.askedAt === undefined || now - memory.askedAt < SETTLED) return []
      memory.startedAt ??= now
      if (memory.next >= frames.length)
        return [{ type: 'close', code: 1001, reason: 'the recording is over; connect again to hear it anew' }]
      const due = (now - memory.startedAt) * speed
      const from = memory.next
      while (memory.next < frames.length && offsets[memory.next]! <= due) memory.next++
      return frames.slice(from, memory.next).map((text) => ({ type: 'send', text }))
    },

    http: [...recorded, ...(dialect.http ?? []).filter(({ route }) => !recorded.some((one) => one.route === route))]
  }
}

/** The recorded answer whose symbol is the one asked for; other parameters (limits) need not be those of that day. */
function answer({ answers }: Recording, path: string, { query }: HttpRequest): HttpAnswer {
  const found = answers.find(
    (one) => one.path === path && (one.query['symbol'] === undefined || one.query['symbol'] === query['symbol'])
  )
  return found ? { status: 200, body: found.body } : { status: 404, body: { message: 'not in the recording' } }
}
