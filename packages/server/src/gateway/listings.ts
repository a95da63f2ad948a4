/** REST on what there is: instruments, those that are watched, providers, and news. */
import { z } from 'zod'
import { topicName } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from '../dialects/dialect.ts'
import { failures, limit, ofInstrument, resolved, text } from './asked.ts'
import { RequestError } from './errors.ts'
import type { App, RestOptions } from './rest.ts'
import * as schemas from './schemas.ts'

const MAX_LIST = 1_000

/** Ids and symbols that begin with the text first, then those that hold it. */
function search(all: readonly InstrumentInfo[], text: string): InstrumentInfo[] {
  const wanted = text.toLowerCase()
  const rank = (info: InstrumentInfo): number => {
    const names = [info.instrument, info.name ?? '', ...info.providers.map((p) => p.symbol)].map((name) => name.toLowerCase())
    if (names.some((name) => name.startsWith(wanted))) return 0
    return names.some((name) => name.includes(wanted)) ? 1 : 2
  }
  return all
    .map((info) => ({ info, rank: rank(info) }))
    .filter((found) => found.rank < 2)
    .sort((a, b) => a.rank - b.rank || a.info.instrument.localeCompare(b.info.instrument))
    .map(({ info }) => info)
}

export function mountListings(app: App, { desk, sources }: RestOptions): void {
  app.get(
    '/v1/instruments',
    {
      schema: {
        tags: ['instruments'],
        summary: 'What is listed, or what matches q',
        querystring: z.object({ q: text(100).optional(), limit: limit(10_000, MAX_LIST) }),
        response: { 200: z.object({ total: z.number(), instruments: z.array(schemas.instrument) }), ...failures }
      }
    },
    ({ query }) => {
      const all = desk.instruments()
      const found = query.q ? search(all, query.q) : all
      return { total: found.length, instruments: found.slice(0, query.limit) as z.infer<typeof schemas.instrument>[] }
    }
  )
  app.get(
    '/v1/instruments/:instrument',
    {
      schema: {
        tags: ['instruments'],
        summary: 'One instrument, and what each provider calls it',
        params: ofInstrument,
        response: { 200: schemas.instrument, ...failures }
      }
    },
    ({ params }) => {
      const id = resolved(desk, params.instrument)
      const info = desk.instrument(id)
      if (!info) throw new RequestError('BAD_SYMBOL', `no provider lists ${id}`)
      return info as z.infer<typeof schemas.instrument>
    }
  )
  app.get(
    '/v1/watched',
    {
      schema: {
        tags: ['instruments'],
        summary: "What is collected whether or not anyone asks for it, in the operator's order",
        response: { 200: z.object({ instruments: z.array(z.string()) }), ...failures }
      }
    },
    () => ({ instruments: [...sources.watched()] })
  )
  app.get(
    '/v1/providers',
    {
      schema: {
        tags: ['providers'],
        summary: 'Every provider and how it is',
        response: { 200: z.object({ providers: z.array(schemas.provider) }), ...failures }
      }
    },
    () => ({ providers: sources.providers().map((each) => ({ ...each, rate: Math.round(each.rate * 10) / 10 })) })
  )
  mountNews(app, desk)
}

/** Those that came since somebody first listened: nobody is asked for them anew. */
function mountNews(app: App, desk: Desk): void {
  app.get(
    '/v1/news',
    {
      schema: {
        tags: ['market'],
        summary: 'The last stories, oldest first, of all or of one instrument, as far as anybody has subscribed to news',
        querystring: z.object({ instrument: text(100).optional(), limit: limit(1_000, 100) }),
        response: { 200: z.object({ news: z.array(schemas.event) }), ...failures }
      }
    },
    ({ query }) => {
      const about = query.instrument === undefined ? 'all' : resolved(desk, query.instrument)
      return { news: desk.recent(topicName('news', about), query.limit) as unknown as z.infer<typeof schemas.event>[] }
    }
  )
}
