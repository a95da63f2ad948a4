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

/** What each client asks for: all that its protocol has of one instrument. */
const ASKED: Record<string, { instrument: string; messages: unknown[] }> = {
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
  }
} // prettier-ignore
const PATHS: Record<string, string> = { alpaca: '/v2/iex', massive: '/stocks' }
const all = { ...mirrors, ...Object.fromEntries(dialects.map((each) => [each.name, each])) }
const foreign = Object.keys(all).filter((name) => name !== 'native')

function join(name: string) {
  const stage = createStage()
  const dialect = all[name]!
  const path = dialect.paths.find((each) => each.startsWith(PATHS[name] ?? '')) ?? dialect.paths[0]
  const client = connect(stage, dialect, path, { token: 'k' })
  for (const message of ASKED[name]!.messages) client.send(message)
  client.take()
  return { ...stage, client, instrument: ASKED[name]!.instrument }
}

test('every dialect that there is, is asked here', () => {
  expect(foreign.toSorted()).toEqual(Object.keys(ASKED).toSorted())
})

describe.each(foreign)('%s', (name) => {
  test('says nothing of what its protocol has no words for, on whatever topic it comes', () => {
    const { plant, client, instrument } = join(name)
    expect(client.topics().length).toBeGreaterThan(0)
    for (const event of OURS(instrument)) {
      plant.publish(topicOf(event), { ...event }, NOW)
      for (const topic of client.topics()) if (!topic.startsWith(event.type)) plant.publish(topic, { ...event }, NOW)
    }
    for (const [topic, event] of OFF_ROAD(instrument)) plant.publish(topic, { ...event }, NOW)
    // What dialects say on their own time is no word of these either.
    client.pass(50)
    const said = client.take().filter((text) => !/heartbeat|"type":"ping"/.test(text))
    expect(said).toEqual([])
    expect(client.closed()).toBeUndefined()
  })

  test('still tells the trade after it', () => {
    const { publish, client, instrument } = join(name)
    for (const event of OURS(instrument)) publish(event)
    publish(trade(instrument))
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
