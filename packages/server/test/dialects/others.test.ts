/** What a protocol has no words for, it does not say: over all dialects and all that the plant may tell. */
import { topicName, topicOf, type MarketEvent, type Published } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { dialects, mirrors } from '../../src/dialects/index.ts'
import { connect, createStage, NOW } from './stage.ts'

const stamp = (instrument: string) => ({ provider: 'any', instrument, time: NOW, received: NOW })
const trade = (instrument: string): MarketEvent => ({
  type: 'trade',
  ...stamp(instrument),
  id: '1',
  price: 100,
  size: 1,
  side: 'buy'
})

/** Nobody but our own clients knows these. */
const OURS = (instrument: string): MarketEvent[] => {
  const at = stamp(instrument)
  const span = { kind: 'trade', from: NOW - 1_000, to: NOW } as const
  const liquidity = {
    bid: 1,
    ask: 2,
    mid: 1.5,
    spread: 1,
    spreadBps: 6_667,
    microprice: 1.4,
    imbalance: 0,
    reach: 0,
    depth: []
  } as const
  return [
    { type: 'gap', ...at, ...span, id: 'g1', cause: 'disconnect', action: 'open', lasting: true },
    { type: 'gap', ...at, ...span, id: 'g2', cause: 'sequence', action: 'failover', expected: 5, got: 9, own: true },
    { type: 'gap_filled', ...at, ...span, gap: 'g1', how: 'rest', by: 'any', items: 3 },
    { type: 'gap_filled', ...at, ...span, kind: 'book', gap: 'g3', how: 'snapshot', by: 'any', items: 1, own: true },
    { type: 'arbitration', ...at, kind: 'trade', since: NOW, standbys: [], sentence: 'any leads', sources: [], switches: 0 },
    { type: 'status', ...at, kind: 'trade', leader: 'any', standbys: [], cause: 'first', reason: 'any is the first' },
    { type: 'liquidity', ...at, ...liquidity, support: [], resistance: [] },
    { type: 'change', ...at, price: 100, windows: { '1m': 0.5 }, volume: { last: 1, usual: 2, ratio: 0.5 } },
    { type: 'breadth', ...at, window: '1h', advancing: 1, declining: 2, unchanged: 0, mean: -0.1, median: -0.2 },
    { type: 'position', ...at, account: 'a', quantity: 3 },
    { type: 'account', ...at, account: 'a', values: { cash: 5 } },
    { type: 'order', ...at, account: 'a', id: 'o', state: 'open', side: 'buy', quantity: 1, filled: 0 },
    { type: 'index', ...at, value: 5_000 },
    { type: 'mark', ...at, price: 100, fundingRate: 0.0001 }
  ]
}
/** Of one provider alone: a price that others do not bear out, and one that came late. */
const OFF_ROAD = (instrument: string): [topic: string, event: MarketEvent][] => [
  [topicName('trade', instrument, 'any'), { ...trade(instrument), quarantined: 'too far from the others' } as MarketEvent],
  [topicName('trade', instrument, 'any'), { ...trade(instrument), backfill: true } as MarketEvent],
  [topicName('gap', instrument), OURS(instrument)[0]!]
]

const candle = (instrument: string): MarketEvent => {
  const prices = { open: 100, high: 100, low: 100, close: 100, volume: 1, trades: 1 }
  return { type: 'candle', ...stamp(instrument), interval: '1m', start: NOW, ...prices, closed: false, revision: 0 }
}
const story = (instrument: string): MarketEvent => {
  const words = { id: 'n1', headline: 'up 100 today', url: 'https://news.example/1' }
  return { type: 'news', ...stamp('all'), ...words, instruments: [instrument] }
}

/**
 * What each client asks for: all that its protocol has of one instrument. `knows`: of our own kinds, those that it has words for;
 * `tells`: what it speaks of, where that is no trade.
 */
type Asked = { instrument: string; messages: unknown[]; knows?: readonly string[]; tells?: (instrument: string) => MarketEvent }
const ASKED: Record<string, Asked> = {
  binance: {
    instrument: 'BTC-USDT',
    messages: [{ method: 'SUBSCRIBE', params: ['trade', 'aggTrade', 'bookTicker', 'ticker', 'miniTicker', 'kline_1m', 'depth@100ms'].map((s) => `btcusdt@${s}`), id: 1 }]
  },
  coinbase: {
    instrument: 'BTC-USDT',
    messages: ['market_trades', 'ticker', 'level2', 'candles', 'status'].map((channel) => ({ type: 'subscribe', product_ids: ['BTC-USDT'], channel }))
  },
  kraken: {
    instrument: 'BTC-USDT',
    messages: ['trade', 'ticker', 'book', 'ohlc'].map((channel) => ({ method: 'subscribe', params: { channel, symbol: ['BTC/USDT'] } }))
  },
  alpaca: {
    instrument: 'AAPL',
    messages: [
      { action: 'auth', key: 'k', secret: 's' },
      { action: 'subscribe', trades: ['AAPL'], quotes: ['AAPL'], bars: ['AAPL'], statuses: ['AAPL'], lulds: ['AAPL'] }
    ]
  },
  massive: {
    instrument: 'AAPL',
    messages: [{ action: 'auth', params: 'k' }, { action: 'subscribe', params: 'T.AAPL,Q.AAPL,A.AAPL,AM.AAPL,LULD.AAPL' }]
  },
  finnhub: { instrument: 'AAPL', messages: [{ type: 'subscribe', symbol: 'AAPL' }] },
  fiml: {
    instrument: 'AAPL',
    messages: ['price', 'quote', 'trades', 'ohlcv'].map((stream_type) => ({ type: 'subscribe', stream_type, symbols: ['AAPL'] }))
  },
  datastream: {
    instrument: 'AAPL',
    messages: ['SymbolUpdate', 'DepthUpdate', 'IndexUpdate'].map((data_type) => ({ action: 'subscribe', symbols: ['AAPL'], data_type })),
    knows: ['index']
  },
  market_data: { instrument: 'AAPL', messages: [{ action: 'subscribe', symbols: ['AAPL'] }] },
  news_feed: { instrument: 'AAPL', messages: [{ action: 'subscribe', symbols: ['AAPL'] }], tells: story },
  charts: { instrument: 'AAPL', messages: [{ action: 'subscribe', symbols: ['AAPL'], timeframes: ['1m', '5m'] }], tells: candle }
} // prettier-ignore
const PATHS: Record<string, string> = { alpaca: '/v2/iex', massive: '/stocks' }
const all = { ...mirrors, ...Object.fromEntries(dialects.map((each) => [each.name, each])) }
const foreign = Object.keys(all).filter((name) => name !== 'native')
/** Spoken by REST alone: nobody can ask them to be told anything. */
const mute = foreign.filter((name) => all[name]!.paths.length === 0)
/** The services behind these are not there yet: whatever is asked, they hold no topic. When one comes, it is asked above. */
const SERVICES: Record<string, string[]> = {
  alerts: ['subscribe', 'list', 'create', 'get_snapshot', 'set_filters', 'unsubscribe'],
  trading_signals: ['subscribe', 'get_snapshot', 'force_update', 'set_filters', 'unsubscribe'],
  portfolio: ['subscribe', 'get_snapshot', 'force_update', 'set_filters', 'unsubscribe']
}

function open(name: string, messages: readonly unknown[]) {
  const stage = createStage()
  const dialect = all[name]!
  const path = dialect.paths.find((each) => each.startsWith(PATHS[name] ?? '')) ?? dialect.paths[0]
  const client = connect(stage, dialect, path, { token: 'k' })
  for (const message of messages) client.send(message)
  return { ...stage, client }
}

async function join(name: string) {
  const { instrument, messages, knows = [], tells = trade } = ASKED[name]!
  const joined = open(name, messages)
  // The past of a chart comes between two messages, and is told at the next beat.
  await new Promise((resolve) => setImmediate(resolve))
  joined.client.pass(1_000)
  joined.client.take()
  return { ...joined, instrument, unknown: OURS(instrument).filter(({ type }) => !knows.includes(type)), told: tells(instrument) }
}

test('every dialect that there is, is asked here, but for those that nobody can ask', () => {
  expect(foreign.toSorted()).toEqual([...Object.keys(ASKED), ...mute, ...Object.keys(SERVICES)].toSorted())
})

test.each(mute)('%s has no socket, and says nothing to one', (name) => {
  const { receive, render, http = [] } = all[name]!
  expect(receive('{"action":"subscribe"}', undefined, NOW)).toEqual([])
  expect(render({ ...trade('AAPL'), topic: 'trade:AAPL', seq: 1, published: NOW }, undefined, NOW)).toBe(undefined)
  expect(http.length).toBeGreaterThan(0)
})

test.each(Object.keys(SERVICES))('%s has no service yet: each request is told so, and none holds a topic', (name) => {
  const { client } = open(name, [])
  expect(client.taken()).toMatchObject([{ type: 'service_status', data: { available: false } }])
  for (const action of SERVICES[name]!) {
    client.send({ action, symbols: ['AAPL'] })
    expect(client.taken(), action).toMatchObject([{ type: 'error', code: 'SERVICE_NOT_AVAILABLE' }])
  }
  expect(client.topics()).toEqual([])
})

describe.each(Object.keys(ASKED))('%s', (name) => {
  test('says nothing of what its protocol has no words for, on whatever topic it comes', async () => {
    const { plant, client, instrument, unknown } = await join(name)
    expect(client.topics().length).toBeGreaterThan(0)
    for (const event of unknown) {
      plant.publish(topicOf(event), { ...event }, NOW)
      for (const topic of client.topics()) if (!topic.startsWith(event.type)) plant.publish(topic, { ...event }, NOW)
    }
    for (const [topic, event] of OFF_ROAD(instrument)) plant.publish(topic, { ...event }, NOW)
    // What dialects say on their own time is no word of these either.
    client.pass(1_000)
    const said = client.take().filter((text) => !/heartbeat|"type":"ping"/.test(text))
    expect(said).toEqual([])
    expect(client.closed()).toBeUndefined()
  })

  test('still tells what it speaks of after it', async () => {
    const { publish, client, unknown, told } = await join(name)
    for (const event of unknown) publish(event)
    publish(told)
    for (let i = 0; i < 20; i++) client.pass(100)
    expect(client.take().join()).toMatch(/100(\.0+)?\b/)
  })
})

test('native says all of it, as it is', () => {
  const { plant, desk } = createStage()
  const native = all['native']!
  const { memory } = native.open({ path: native.paths[0]!, query: {}, rest: '', session: 's' }, desk, NOW)
  const events = [...OURS('AAPL').map((event) => [topicOf(event), event] as const), ...OFF_ROAD('AAPL')]
  for (const [topic, event] of events) {
    const published: Published = plant.publish(topic, { ...event }, NOW)
    expect(JSON.parse(native.render(published, memory, NOW)!)).toMatchObject(JSON.parse(JSON.stringify({ ...event, topic })))
  }
})
