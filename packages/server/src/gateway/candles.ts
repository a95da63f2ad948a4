/** REST: candles of an instrument, the last ones or those of a span, in pages. */
import { INTERVALS, type Candle, type Interval } from '@tickwire/protocol'
import { z } from 'zod'
import { CANDLES } from '../history/csv.ts'
import { iso } from '../history/page.ts'
import { failures, interval, limit, ofInstrument, resolved } from './asked.ts'
import { RequestError } from './errors.ts'
import type { App, RestOptions } from './rest.ts'
import * as schemas from './schemas.ts'
import { ofSpan, orCsv, sendCsv, timeOf } from './span.ts'

const answer = z.object({
  instrument: z.string(),
  interval: z.enum(INTERVALS),
  candles: z.array(schemas.candle),
  missing: z.string().optional().describe('what of the past that was asked for is not here, and why; absent: nothing'),
  cursor: z.string().optional().describe('of a span: for the page after this one; absent: it is over')
})
type Answer = { candles: readonly Candle[]; missing?: string; cursor?: string }

const asked = z.object({
  interval: interval.default('1m'),
  limit: limit(1_500, 300),
  session: z.enum(['regular', 'extended', 'all']).default('all'),
  ...ofSpan
})
type Asked = z.infer<typeof asked>

const isRegular = ({ session }: Candle): boolean => session === undefined || session === 'regular'
const chosen = (all: readonly Candle[], session: Asked['session']): readonly Candle[] =>
  session === 'all' ? all : all.filter((candle) => isRegular(candle) === (session === 'regular'))

async function lastOnes({ sources }: RestOptions, instrument: string, query: Asked): Promise<Answer> {
  const { limit: count, session } = query
  // Regular hours are two fifths of the longest trading day, so that enough are left of what is asked.
  const { candles: all, why } = await sources.candles(instrument, query.interval, session === 'all' ? count : count * 3)
  const candles = chosen(all, session)
  const told = { candles: candles.slice(-count) }
  if (why === undefined || candles.length >= count) return told
  return { ...told, missing: candles.length > 0 ? `the past before these: ${why}` : `no candle is known: ${why}` }
}

/** Where a page begins and the span ends, as a text. */
const placeOf = (instrument: string, of: Interval, from: number, to: number | undefined): string =>
  Buffer.from(JSON.stringify([instrument, of, from, to])).toString('base64url')
function readPlace(text: string, instrument: string, of: Interval): { from: number; to: number | undefined } {
  try {
    const [whose, what, from, to] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (
      whose === instrument &&
      what === of &&
      typeof from === 'number' &&
      (to === null || to === undefined || typeof to === 'number')
    )
      return { from, to: to ?? undefined }
  } catch {}
  throw new RequestError('BAD_MESSAGE', 'cursor: it is not of an answer to the same question')
}

async function ofASpan({ sources }: RestOptions, instrument: string, query: Asked): Promise<Answer> {
  const { history } = sources
  if (!history) throw new RequestError('NOT_FOUND', 'this server has no past candles')
  const named = { from: timeOf('from', query.from), to: timeOf('to', query.to) }
  const { from, to } = query.cursor === undefined ? named : readPlace(query.cursor, instrument, query.interval)
  if (from === undefined) throw new RequestError('BAD_MESSAGE', 'from: it goes with to')
  if (to !== undefined && to <= from)
    throw new RequestError('BAD_MESSAGE', `from: it is ${iso(from)}, which is not before to, ${iso(to)}`)
  const page = await history.candles({ instrument, interval: query.interval, from, to: to ?? Infinity, limit: query.limit })
  const told: Answer = { candles: chosen(page.candles, query.session) }
  if (page.missing !== undefined) told.missing = page.missing
  if (page.next !== undefined) told.cursor = placeOf(instrument, query.interval, page.next, to)
  return told
}

const isCsv = ({ format }: Asked): boolean => format === 'csv'
const isSpan = ({ from, to, cursor }: Asked): boolean => from !== undefined || to !== undefined || cursor !== undefined

const schemaOf = (summary: string) => ({ tags: ['market'], summary, response: { 200: orCsv(answer), ...failures } })

export function mountCandles(app: App, options: RestOptions): void {
  const read = async (text: string, query: Asked) => {
    const instrument = resolved(options.desk, text)
    const told = await (isSpan(query) ? ofASpan : lastOnes)(options, instrument, query)
    return { instrument, interval: query.interval, ...told }
  }
  type Told = Awaited<ReturnType<typeof read>>
  const aboutOf = ({ cursor, missing }: Told) => ({ 'x-cursor': cursor, 'x-missing': missing && encodeURI(missing) })
  app.get(
    '/v1/candles/:instrument',
    {
      schema: {
        ...schemaOf('Candles, oldest first: the last ones, which may still be forming, or those of a span in pages'),
        params: ofInstrument,
        querystring: asked
      }
    },
    async ({ params, query }, reply) => {
      const told = await read(params.instrument, query)
      if (isCsv(query)) return sendCsv(reply, CANDLES, told.candles, aboutOf(told))
      return told
    }
  )
  app.get(
    '/v1/candles',
    { schema: { ...schemaOf('As /v1/candles/{instrument}'), querystring: asked.extend(ofInstrument.shape) } },
    async ({ query }, reply) => {
      const told = await read(query.instrument, query)
      if (isCsv(query)) return sendCsv(reply, CANDLES, told.candles, aboutOf(told))
      return told
    }
  )
}
