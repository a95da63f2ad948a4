import { afterEach, describe, expect, test } from 'vitest'
import type { Decoded } from '../../src/connection/connection.ts'
import { createPool, type Pool } from '../../src/connection/pool.ts'
import type { Access } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { at, open, shellAt, stopAll, tws, until } from './interactive-brokers.rig.ts'
import { details, type Answerer } from './tws.ts'

afterEach(stopAll)

/** It resolves contracts, sends a quote and a trade, tells the time and has two bars. */
const market: Answerer = ([code, , ...rest], peer) => {
  if (code === '9') details(peer, rest[0]!, rest[2]!, 265_598)
  if (code === '1') {
    const id = rest[0]!
    peer.send(58, 1, id, 1)
    peer.send(1, 6, id, 1, 293.6, 300, 0)
    peer.send(2, 6, id, 0, 300)
    peer.send(1, 6, id, 2, 293.7, 200, 0)
    peer.send(1, 6, id, 4, 293.65, 100, 0)
  }
}

describe('the SDK, connected to a TWS', () => {
  function pooled(wsUrl: string, access: Access = {}) {
    const events: Decoded[] = []
    const rejected: string[] = []
    const shell = shellAt(wsUrl, access)
    const pool: Pool = createPool({
      adapter: adapter as never,
      wsUrl,
      restUrl: '',
      readAccess: () => access,
      clock: Date.now,
      random: () => 0,
      ...shell,
      hooks: {
        onEvent: (event) => void events.push(event),
        onGap: () => undefined,
        onClosed: () => undefined,
        onFilled: () => undefined,
        onUnfilled: () => undefined,
        onRejected: (reason) => void rejected.push(reason),
        onRefused: () => undefined,
        onListing: () => undefined,
        onPhase: () => undefined,
        isOutage: () => false,
        onDefect: (error) => {
          throw error
        },
        onNotice: () => undefined
      }
    })
    const timer = setInterval(() => pool.tick(Date.now()), 20)
    open.push({
      stop() {
        clearInterval(timer)
        pool.stop()
      }
    })
    return { pool, events, rejected, shell }
  }

  test('[S4-14] a wish becomes a resolved contract, a line and a quote', async () => {
    const server = await tws(market)
    const { pool, events } = pooled(at(server.port, 7))
    pool.want([
      { kind: 'quote', symbol: 'AAPL' },
      { kind: 'ticker', symbol: 'AAPL' }
    ])
    await until(() => expect(events.length).toBe(2))
    expect(events).toMatchObject([
      { type: 'quote', symbol: 'AAPL', bid: 293.6, bidSize: 300, ask: 293.7, askSize: 200 },
      { type: 'ticker', last: 293.65 }
    ])
    expect(server.peers.map(({ clientId }) => clientId)).toEqual([7])
    expect(server.asked.map(([code]) => code).slice(0, 3)).toEqual(['59', '9', '1'])
    expect(server.asked[2]!.slice(3, 5)).toEqual(['265598', 'AAPL'])
  })
  test('each kind, as the SDK reads it from the wire', async () => {
    const server = await tws((fields, peer) => {
      const [code, id, third] = fields
      if (code === '9') details(peer, third!, fields[4]!, 265_598)
      if (code === '97') peer.send(99, id!, 2, 1_767_623_400, 293.2, 100, 2, 'ARCA', 'F')
      if (code === '10') {
        peer.send(13, 1, third!, 0, 'ARCA', 0, 1, 293.1, 200, 1)
        peer.send(12, 1, third!, 0, 0, 0, 293.3, 50)
      }
      if (code === '20') {
        peer.send(17, id!, 'a', 'b', 1, '1767623400', 293, 294, 292, 293.5, 1_000, 293.2, 10)
        peer.send(90, id!, 12, '1767623400', 293, 293.9, 294.5, 292, 293.3, 1_100)
      }
      if (code === '61') {
        peer.send(61, 3, 'DU123', 7, 'ES', 'FUT', '20251219', 0, '', 50, '', 'USD', 'ESZ5', 'ES', -2, 300_000)
        peer.send(62, 1)
      }
      if (code === '62') {
        peer.send(63, 1, id === '1' ? third! : id!, 'DU123', 'NetLiquidation', '1000000.50', 'USD')
        peer.send(64, 1, id === '1' ? third! : id!)
      }
    })
    const { pool, events } = pooled(at(server.port), { account: true })
    pool.want([
      { kind: 'trade', symbol: 'AAPL' },
      { kind: 'book', symbol: 'AAPL' },
      { kind: 'candle', symbol: 'AAPL', interval: '1m' },
      { kind: 'position', symbol: '*' },
      { kind: 'account', symbol: '*' }
    ])
    const of = (type: Decoded['type']) => events.filter((event) => event.type === type)
    await until(() => expect(new Set(events.map(({ type }) => type)).size).toBe(5))
    expect(of('trade')).toMatchObject([
      { time: 1_767_623_400_000, price: 293.2, size: 100, venue: 'ARCA', conditions: ['F'], ineligible: true }
    ])
    await until(() => expect(of('book').at(-1)).toMatchObject({ bids: [[293.1, 200]], asks: [[293.3, 50]] }))
    await until(() =>
      expect(of('candle').at(-1)).toMatchObject({ open: 293, high: 294.5, low: 292, close: 293.9, volume: 1_100, trades: 12 })
    )
    expect(of('candle')[0]).toMatchObject({ start: 1_767_623_400_000, close: 293.5, volume: 1_000, trades: 10, closed: false })
    expect(of('position')).toMatchObject([
      { symbol: 'ESZ5', account: 'DU123', quantity: -2, averagePrice: 6_000, currency: 'USD' }
    ])
    expect(of('account')).toMatchObject([{ account: 'DU123', currency: 'USD', values: { NetLiquidation: 1_000_000.5 } }])
  })
  test('trades missed are asked for, and answered by the ticks that are done', async () => {
    const server = await tws(([code, id], peer) => {
      if (code === '96') peer.send(98, id!, 2, 1_767_623_400, 0, 293.2, 100, 'ARCA', '', 1_767_623_401, 0, 293.3, 5, '', '', 1)
    })
    const need = adapter.fill!('AAPL', 1_767_623_399_000, 1_767_623_500_000, {})!
    const answer = await shellAt(at(server.port)).rest!.get(need)
    expect(answer.ok && adapter.decode(answer.body, 1_767_623_500_000, adapter.open({}), need)).toMatchObject([
      { type: 'trade', price: 293.2, venue: 'ARCA' },
      { type: 'trade', price: 293.3, size: 5 }
    ])
  })
  test('an unknown symbol is refused, and the connection stays', async () => {
    const server = await tws(([code, , id], peer) => {
      if (code === '9') peer.send(4, 2, id!, 200, 'No security definition has been found for the request', '')
    })
    const { pool, rejected } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'NOPE' }])
    await until(() => expect(rejected).toEqual(['No security definition has been found for the request (200)']))
    expect(pool.anyLive()).toBe(true)
  })
  test('what a connection lost is asked for again on the next one, with fresh ids', async () => {
    const server = await tws(market)
    const { pool, events } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'AAPL' }])
    await until(() => expect(events.length).toBe(1))
    server.peers[0]!.close()
    await until(() => expect(events.length).toBe(2))
    expect(server.peers.length).toBe(2)
  })
  test('past candles come over the same connection, and the same question at once is asked once', async () => {
    const server = await tws((fields, peer) => {
      market(fields, peer)
      if (fields[0] !== '20') return
      const rows = [
        ['1767623400', 293, 294, 292, 293.5, 1_000, 293.2, 10],
        ['1767623460', 293.5, 293.6, 293.4, 293.5, 500, 293.5, 5]
      ]
      peer.send(17, fields[1]!, 'a', 'b', rows.length, ...rows.flat())
    })
    const { pool, events } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'AAPL' }])
    await until(() => expect(events.length).toBe(1))
    const need = adapter.history!('AAPL', '1m', 2, Date.now(), {})
    const answers = await Promise.all([pool.rest.get(need), pool.rest.get(need)])
    const [answer] = answers
    expect(answer).toMatchObject({ ok: true, status: 200 })
    const candles = answer?.ok ? adapter.decode(answer.body, Date.now(), adapter.open({}), need) : []
    expect(candles).toMatchObject([
      { type: 'candle', start: 1_767_623_400_000, volume: 1_000, trades: 10, closed: true },
      { type: 'candle', start: 1_767_623_460_000, close: 293.5 }
    ])
    expect(server.asked.filter(([code]) => code === '20').length).toBe(1)
    expect(server.peers.length).toBe(1)
  })
})
