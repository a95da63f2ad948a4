/** `/ws/news` as pure functions: filters, pause and resume, snapshots; and the headlines of REST. */
import { describe, expect, test } from 'vitest'
import type { News } from '@tickwire/protocol'
import type { HttpAnswer } from '../../src/dialects/dialect.ts'
import { createNews } from '../../src/dialects/ziggy.news.ts'
import { headlines } from '../../src/dialects/ziggy.headlines.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { deskOf, type Message } from './fiml.bench.ts'
import { connection, newsOf } from './ziggy.bench.ts'

const open = (options: Parameters<typeof connection>[1] = {}) => connection(createNews(), options)
const ids = (messages: Message[]): string[] => messages.filter(({ type }) => type === 'news_update').map(({ data }) => data.id)

const STORIES: News[] = [
  newsOf('good', 'Apple soars', { instruments: ['AAPL'], sentiment: 0.8, source: 'Benzinga', categories: ['earnings'] }),
  newsOf('bad', 'Tesla sinks', { instruments: ['TSLA'], sentiment: -0.6, source: 'CNBC' }),
  newsOf('flat', 'Markets open', { sentiment: 0.01, source: 'CNBC', summary: 'Nothing of EARNINGS yet.' }),
  newsOf('mute', 'Nobody judged this', { instruments: ['AAPL', 'TSLA'], source: 'Wire' })
]

describe('stories', () => {
  test('[S0-05] [S0-31] are sent as they come, without asking, with all that is known of them', () => {
    const { tell, take, held } = open()
    expect([...held]).toEqual(['news:all'])
    tell(
      newsOf('1', 'Apple soars', {
        time: 1_698_012_345_123,
        instruments: ['AAPL'],
        sentiment: 0.8,
        source: 'Benzinga',
        url: 'https://x.test/a'
      })
    )
    expect(take()).toEqual([
      {
        type: 'news_update',
        data: {
          id: '1',
          title: 'Apple soars',
          summary: null,
          url: 'https://x.test/a',
          source: 'Benzinga',
          author: null,
          published: '2023-10-22T22:05:45.123Z',
          tickers: ['AAPL'],
          image: null,
          categories: [],
          sentiment: 0.8,
          sentiment_label: 'positive',
          updated: null,
          provider: 'wire',
          timestamp: 1_698_012_345.123
        },
        timestamp: 0
      }
    ])
  })

  test('where nobody sends news the client is told once, and it is asked for again with each heartbeat until somebody does', () => {
    let there = false
    const { until, take, tell } = open({ refuse: () => (there ? undefined : 'nobody') })
    expect(take()).toMatchObject([{ type: 'error', code: 'SERVICE_NOT_AVAILABLE', data: { service: 'news' } }])
    until(60_000)
    expect(take().filter(({ type }) => type === 'error')).toEqual([])
    there = true
    until(90_000)
    tell(...STORIES)
    expect(ids(take())).toHaveLength(4)
  })
})

describe('filters', () => {
  test.each([
    [{ symbols: ['AAPL'] }, ['good', 'mute']],
    [{ symbols: ['aapl', 'TSLA'] }, ['good', 'bad', 'mute']],
    [{ sentiment: 'positive' }, ['good']],
    [{ sentiment: ['negative', 'neutral'] }, ['bad', 'flat']],
    [{ sources: ['cnbc'] }, ['bad', 'flat']],
    [{ sources: ['wire'] }, ['good', 'bad', 'flat', 'mute']],
    [{ categories: ['Earnings'] }, ['good']],
    [{ keywords: ['earnings', 'sinks'] }, ['bad', 'flat']],
    [{ symbols: ['TSLA'], sentiment: 'negative', sources: ['CNBC'] }, ['bad']],
    [{ symbols: [] }, ['good', 'bad', 'flat', 'mute']],
    [{}, ['good', 'bad', 'flat', 'mute']]
  ])('[S0-06] [S0-08] %j lets through %j', (filters, passing) => {
    const { send, tell, take } = open()
    send({ action: 'set_filters', filters })
    tell(...STORIES)
    expect(ids(take())).toEqual(passing)
  })

  test('[S0-06] [S0-07] are set anew while connected, and are those of their own connection', () => {
    const one = open()
    const other = open()
    one.send({ action: 'set_filters', filters: { sentiment: 'positive' } })
    one.send({ action: 'set_filters', filters: { sources: ['CNBC'] } })
    expect(one.take().at(-1)).toEqual({ type: 'filters_set', filters: { sources: ['CNBC'] }, status: 'streaming', timestamp: 0 })
    for (const { tell } of [one, other]) tell(...STORIES)
    expect(ids(one.take())).toEqual(['bad', 'flat'])
    expect(ids(other.take())).toHaveLength(4)
  })

  test('[S0-08] symbols are added with subscribe and taken away with unsubscribe; without the last the stream pauses', () => {
    const { send, tell, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    send({ action: 'subscribe', symbols: ['TSLA'] })
    send({ action: 'unsubscribe', symbols: ['AAPL'] })
    tell(...STORIES)
    expect(ids(take())).toEqual(['bad', 'mute'])
    send({ action: 'unsubscribe', symbols: ['TSLA'] })
    tell(...STORIES)
    expect(ids(take())).toEqual([])
    send({ action: 'subscribe' })
    tell(...STORIES)
    expect(ids(take())).toHaveLength(4)
  })

  test('[S0-08] the last symbol that is taken away stands in no answer any more, and set_filters lets the stream flow again', () => {
    const { send, tell, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    take()
    send({ action: 'unsubscribe', symbols: ['AAPL'] })
    expect(take()).toMatchObject([{ type: 'subscription_ack', symbols: ['AAPL'], status: 'unsubscribed', filters: {} }])
    send({ action: 'set_filters', filters: {} })
    expect(take()).toMatchObject([{ type: 'filters_set', status: 'streaming' }])
    tell(...STORIES)
    expect(ids(take())).toHaveLength(4)
    send({ action: 'pause' })
    send({ action: 'set_filters', filters: {} })
    expect(take().at(-1), 'a pause that was asked for lasts until resume').toMatchObject({ status: 'paused' })
  })

  test.each([
    [{ mood: 'good' }, 'a filter is one of symbols, sentiment'],
    [{ sentiment: 'happy' }, 'one of positive, neutral, negative'],
    [{ sources: 'CNBC' }, 'a list of strings'],
    [{ symbols: [7] }, 'a symbol is a string'],
    [{ keywords: Array.from({ length: 101 }, () => 'x') }, 'at most 100'],
    ['all', 'an object']
  ])('%j is refused, says what would be right, and leaves the filters as they were', (filters, hint) => {
    const { send, tell, take } = open()
    send({ action: 'set_filters', filters: { sentiment: 'positive' } })
    take()
    send({ action: 'set_filters', filters })
    expect(take()).toMatchObject([{ type: 'error', code: 'INVALID_MESSAGE', message: expect.stringContaining(hint) }])
    tell(...STORIES)
    expect(ids(take())).toEqual(['good'])
  })

  test('a symbol that nobody lists is told with the nearest, and the others filter', () => {
    const { send, tell, take } = open()
    send({ action: 'set_filters', filters: { symbols: ['TSLA', 'APPL'] } })
    expect(take()).toMatchObject([
      { type: 'filters_set', filters: { symbols: ['TSLA'] } },
      { type: 'error', code: 'UNKNOWN_SYMBOL', data: { symbols: ['APPL'] } }
    ])
    tell(...STORIES)
    expect(ids(take())).toEqual(['bad', 'mute'])
  })
})

describe('the feed', () => {
  test('[S0-07] pauses and resumes while connected, and says how many stories passed meanwhile', () => {
    const { send, tell, take } = open()
    send({ action: 'set_filters', filters: { symbols: ['AAPL'] } })
    send({ action: 'pause' })
    take()
    tell(...STORIES)
    expect(take()).toEqual([])
    send({ action: 'resume' })
    expect(take()).toMatchObject([{ type: 'feed_resumed', missed: 2, filters: { symbols: ['AAPL'] } }])
    tell(newsOf('next', 'Apple again', { instruments: ['AAPL'] }))
    expect(ids(take())).toEqual(['next'])
  })

  test('get_snapshot answers with the last stories that pass the filters, each as it was last told', () => {
    const { send, tell, take } = open()
    tell(...STORIES, newsOf('good', 'Apple soars further', { instruments: ['AAPL'], sentiment: 0.9, updated: 2_000 }))
    send({ action: 'set_filters', filters: { symbols: ['AAPL'] } })
    take()
    send({ action: 'get_snapshot' })
    const [{ type, data }] = take()
    expect(type).toBe('news_snapshot')
    expect(data.items.map(({ id, title }: Message) => [id, title])).toEqual([
      ['good', 'Apple soars further'],
      ['mute', 'Nobody judged this']
    ])
  })
})

describe('GET /news/headlines', () => {
  const DAY = 86_400_000
  const now = 10 * DAY
  const ask = (query: Record<string, string>, carries = true): HttpAnswer & { body: Message } => {
    const plant = createPlant({ epoch: 'e' })
    STORIES.forEach((each, i) => plant.publish('news:all', { ...each, time: now - i * 2 * DAY, url: 'https://x.test/a' }, now))
    return headlines({ method: 'GET', path: '/news/headlines', query }, { ...deskOf(plant), carries: () => carries }, now)
  }
  const found = (query: Record<string, string>) => ask(query).body.items.map(({ id }: Message) => id)

  test('[S1-53] tells the last stories, newest first, with score and label', () => {
    const { status, body } = ask({})
    expect(status).toBe(200)
    expect(body).toMatchObject({ asof: now / 1_000, count: 4 })
    expect(body.items[0]).toEqual({
      id: 'good',
      source: 'Benzinga',
      site: 'x.test',
      title: 'Apple soars',
      url: 'https://x.test/a',
      published: '1970-01-11T00:00:00.000Z',
      date: '1970-01-11',
      summary: null,
      tickers: ['AAPL'],
      symbols: ['AAPL'],
      favicon: null,
      source_id: 'wire',
      score: 0.8,
      label: 'positive'
    })
  })

  test('[S1-53] symbols, q, sources, lookback_days and limit narrow it down', () => {
    expect(found({ symbol: 'aapl' })).toEqual(['good', 'mute'])
    expect(found({ symbols: 'AAPL,TSLA' })).toEqual(['good', 'bad', 'mute'])
    expect(found({ q: 'sinks' })).toEqual(['bad'])
    expect(found({ sources: 'CNBC' })).toEqual(['bad', 'flat'])
    expect(found({ lookback_days: '3' })).toEqual(['good', 'bad'])
    expect(found({ limit: '1' })).toEqual(['good'])
  })

  test.each([
    [{ limit: '0' }, 'limit: a whole number from 1 to 200'],
    [{ limit: '201' }, 'limit: a whole number from 1 to 200'],
    [{ limit: 'all' }, 'limit: a whole number from 1 to 200'],
    [{ lookback_days: '1.5' }, 'lookback_days: a whole number from 1 to 30']
  ])('what is out of bounds is refused by its name: %o', (query, message) => {
    expect(ask(query)).toMatchObject({ status: 400, body: { error: { code: 'INVALID_MESSAGE', message } } })
  })

  test('an unknown symbol is 404 with its name, and no provider of news is 503', () => {
    expect(ask({ symbol: 'APPL' })).toMatchObject({ status: 404, body: { error: { code: 'UNKNOWN_SYMBOL' } } })
    expect(ask({}, false)).toMatchObject({ status: 503, body: { error: { code: 'SERVICE_NOT_AVAILABLE', service: 'news' } } })
  })
})
