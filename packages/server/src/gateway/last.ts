/** REST for those who poll: the last value of each topic, or only of those that went on since they asked, held until one does. */
import { z } from 'zod'
import type { FastifyReply } from 'fastify'
import { chosenIn, failures, fieldsUpTo, known, text, topicsOf } from './asked.ts'
import { narrow } from './contracts.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { RequestError } from './errors.ts'
import { bodyTag, isHeld, tagOf } from './etag.ts'
import type { Polls } from './polls.ts'
import type { App, RestOptions } from './rest.ts'
import * as schemas from './schemas.ts'
import { isNews, markOf, type Chosen } from './told.ts'
import type { Refusal } from './understand.ts'
import type { Visitors } from './visitors.ts'

/** Shorter than proxies wait for an answer, and than a topic stays subscribed after it was read (reader.ts). */
const MOST_WAIT = 30_000
/** Their values travel in the cursor. */
const MOST_FIELDS = 16
const MOST_TOPICS = 100
/** What was told of them travels in the address of the next request. */
const MOST_TOLD = 400

const ofWait = `must be a whole number of milliseconds from 0 to ${MOST_WAIT}`
const ofThreshold = 'must be a percentage from 0 to 1000'

const asked = known({
  topics: topicsOf('trade:BTC-USDT,candle:BTC-USDT:1m'),
  since: text(12_000)
    .optional()
    .describe('the cursor of the answer before: only topics that went on since then are told. It is an SSE event id too'),
  wait: z.coerce
    .number(ofWait)
    .int(ofWait)
    .min(0, ofWait)
    .max(MOST_WAIT, ofWait)
    .default(0)
    .describe(
      'long-poll: how many ms the request may be held until a topic goes on (`since`) or the ETag differs (If-None-Match)'
    ),
  fields: fieldsUpTo(MOST_FIELDS).describe(
    '`lite`, or names joined by commas: only these are sent, and only a difference in one of them is news'
  ),
  threshold: z.coerce
    .number(ofThreshold)
    .min(0, ofThreshold)
    .max(1_000, ofThreshold)
    .default(0)
    .describe('with `since` and `fields`: percent by which a number must have moved since it was told to you')
})
type Asked = z.infer<typeof asked>

const answer = z.object({
  last: z
    .record(
      z.string(),
      z.looseObject({ topic: z.string(), type: z.string(), seq: z.number().int(), published: z.number() }).nullable()
    )
    .describe('by canonical topic; null where none has arrived; with `since` only the topics that went on'),
  errors: z.array(schemas.topicError).describe('the topics that are not known, as they were asked for'),
  cursor: z.string().describe('where you stand now: the next `since`, or the Last-Event-ID of a stream of these topics'),
  reset: z
    .literal(true)
    .optional()
    .describe('`since` was of another life of the server, of other topics or fields, or none: everything is told')
})
type Answer = z.infer<typeof answer>

type LastOptions = RestOptions & { polls: Polls; visitors: Visitors }
/** What one request is about. */
type Question = {
  topics: readonly string[]
  refused: readonly Refusal[]
  chosen: Chosen
  since: string | undefined
  threshold: number
}

function questionOf({ understand }: RestOptions, { topics: text, since, fields, threshold }: Asked): Question {
  const named = text.split(',').filter((topic) => topic !== '')
  if (named.length === 0 || named.length > MOST_TOPICS)
    throw new RequestError('BAD_MESSAGE', `topics: name 1 to ${MOST_TOPICS} topics`)
  if (threshold > 0 && fields === undefined)
    throw new RequestError('BAD_MESSAGE', 'threshold: say of which fields, as in fields=price')
  const chosen = chosenIn(fields)
  const results = named.map((topic) => understand(topic))
  const topics = [...new Set(results.filter((result) => result.ok).map((result) => result.name))]
  const refused = results.filter((result) => !result.ok)
  const [first] = refused
  if (topics.length === 0 && first) throw new RequestError(first.code, first.message, first.nearest)
  if (Array.isArray(chosen) && topics.length * chosen.length > MOST_TOLD)
    throw new RequestError('BAD_MESSAGE', `fields: ${MOST_TOLD} at most, over all topics`)
  return { topics, refused, chosen, since, threshold }
}

/** A cursor of some fields is none of others. */
const keysOf = ({ topics, chosen }: Question): readonly string[] =>
  chosen === undefined ? topics : topics.map((topic) => `${topic} ${chosen.toString()}`)

function look({ desk }: RestOptions, question: Question): { answer: Answer; isNews: boolean } {
  const { topics, refused, chosen, since, threshold } = question
  const keys = keysOf(question)
  const rows = topics.map((topic) => ({ topic, event: desk.last(topic) }))
  const marks = since === undefined ? undefined : decodeCursor(since, desk.epoch, keys)
  const news = rows.map(({ event }, i) => marks && isNews(marks[i] ?? '', event, chosen, threshold))
  const isKnown = marks !== undefined && news.every((each) => each !== undefined)
  const told = rows.filter((_, i) => !isKnown || news[i])
  // Of whom nothing is told he keeps what he was told, so that small steps add up to a threshold.
  const now = rows.map(({ event }, i) => (isKnown && !news[i] ? (marks[i] ?? '') : markOf(event, chosen)))
  const made: Answer = {
    last: Object.fromEntries(
      told.map(({ topic, event }) => [topic, event ? (narrow(event, chosen) as unknown as Answer['last'][string]) : null])
    ),
    errors: refused.map(({ asked: topic, code, message, nearest = [] }) => ({ topic, code, message, nearest })),
    cursor: encodeCursor(desk.epoch, keys, now)
  }
  if (since !== undefined && !isKnown) made.reset = true
  return { answer: made, isNews: told.length > 0 }
}

/** Of all the topics; under chosen fields the same tag is the same values, whatever was published with them. */
function tagFor({ desk }: RestOptions, question: Question, made: Answer): string {
  const { topics, refused, chosen } = question
  if (refused.length > 0) return bodyTag(JSON.stringify(made))
  const events = topics.map((topic) => desk.last(topic))
  if (chosen === undefined) return tagOf(desk.epoch, topics, events)
  const values = events.map((event) => markOf(event, chosen).replace(/^[^_]*_/, '_'))
  return `W/${bodyTag([...keysOf(question), ...values].join('~'))}`
}

export function mountLast(app: App, options: LastOptions): void {
  const { reader, polls, visitors } = options

  /** Each topic is held upstream. A first value is waited for, but not by those who come for what is new. */
  const hold = async ({ topics, since }: Question): Promise<void> => {
    if (since === undefined) await Promise.all(topics.map((topic) => reader.last(topic)))
    else for (const topic of topics) reader.hold(topic)
  }

  const wait = (question: Question, ms: number, held: string | undefined, reply: FastifyReply): Promise<void> => {
    const isOver = (): boolean => {
      const { answer: made, isNews: found } = look(options, question)
      return question.since === undefined ? held === undefined || !isHeld(held, tagFor(options, question, made)) : found
    }
    if (ms === 0 || isOver()) return Promise.resolve()
    const onGone = (act: () => void) => void reply.raw.once('close', act)
    const visitor = visitors.now() ?? { address: '', who: undefined }
    return polls.hold({ topics: question.topics, wait: ms, visitor, onGone, isNews: isOver })
  }

  app.get(
    '/v1/last',
    {
      schema: {
        tags: ['market'],
        summary: 'The last value of each topic; or what is new since a cursor, held until there is something (long-poll)',
        querystring: asked,
        response: { 200: answer, ...failures }
      }
    },
    async ({ query, headers }, reply) => {
      const question = questionOf(options, query)
      await hold(question)
      await wait(question, query.wait, headers['if-none-match'], reply)
      const { answer: made } = look(options, question)
      // What is new to one client is no answer to another, nor to himself later.
      if (query.since === undefined) void reply.header('etag', tagFor(options, question, made))
      else void reply.header('cache-control', 'no-store')
      return made
    }
  )
}
