/** Small venues, one per rule by which a provider's books are kept: a true book, its frames, its snapshots. */
import { crc32 } from 'node:zlib'
import type { Level } from '@tickwire/protocol'
import type { Adapter, Frame, Need } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'

export type Random = () => number
/** mulberry32 */
export function randomOf(seed: number): Random {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Sides = { bids: Level[]; asks: Level[] }
export type Change = { side: 'bids' | 'asks'; price: number; size: number }

/** A market of about sixteen levels a side, in tenths. */
export class Market {
  sides = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  middle = 1_000
  readonly random: Random
  constructor(random: Random) {
    this.random = random
    for (let i = 1; i <= 16; i++) {
      this.sides.bids.set(this.middle - i, this.size())
      this.sides.asks.set(this.middle + i, this.size())
    }
  }
  size = (): number => (1 + Math.floor(this.random() * 900)) / 10

  /** A few levels; now and then the middle moves, and what it moves over is deleted. */
  change(): Change[] {
    const { random, sides } = this
    const changes: Change[] = []
    const put = (side: 'bids' | 'asks', tick: number, size: number): void => {
      if (size === 0 && !sides[side].has(tick)) return
      if (size === 0) sides[side].delete(tick)
      else sides[side].set(tick, size)
      changes.push({ side, price: tick / 10, size })
    }
    if (random() < 0.15) {
      this.middle += random() < 0.5 ? -1 : 1
      put('bids', this.middle, 0)
      put('asks', this.middle, 0)
      put('bids', this.middle + 1, 0)
      put('asks', this.middle - 1, 0)
    }
    for (let i = 1 + Math.floor(random() * 3); i > 0; i--) {
      const side = random() < 0.5 ? 'bids' : 'asks'
      const away = 1 + Math.floor(random() * 17)
      const few = sides[side].size < 12
      put(side, this.middle + (side === 'bids' ? -away : away), !few && random() < 0.45 ? 0 : this.size())
    }
    return changes
  }
  book(): Sides {
    const rows = (side: 'bids' | 'asks', way: number) =>
      [...this.sides[side]].map(([tick, size]): Level => [tick / 10, size]).sort((a, b) => (a[0] - b[0]) * way)
    return { bids: rows('bids', -1), asks: rows('asks', 1) }
  }
}

export type Venue = {
  adapter: Adapter
  symbol: string
  /** Each change of a level has a number of its own. */
  single?: true
  open: (market: Market) => Instance
}
export type Instance = {
  /** A new socket. */
  connect: () => string[]
  receive: (frame: Frame) => string[]
  /** The market has changed: what a subscriber is sent. `time` in epoch ms. */
  told: (changes: readonly Change[], time: number) => string[]
  /** What comes on its own now and then. */
  beat: (time: number) => string[]
  /** Numbers begin anew, below all that were before: within their range nothing could tell an old snapshot from a new one. */
  reset: () => void
  answer: (need: Need, book: Sides, sequence: number) => string | undefined
  /** The number of the state as it is now, where it has one. */
  sequence: () => number | undefined
  subscribed: () => boolean
}

const pick = (changes: readonly Change[], side: 'bids' | 'asks') =>
  changes.filter((c) => c.side === side).map(({ price, size }) => [String(price), String(size)])
const text = (levels: readonly Level[]) => levels.map(([price, size]) => [String(price), String(size)])
const objects = (levels: readonly Level[]) => levels.map(([price, size]) => ({ price, qty: size }))
const iso = (time: number) => new Date(time).toISOString()

function binance(name: 'binance' | 'binance-usdm'): Venue {
  const chained = name !== 'binance'
  return {
    adapter: providers[name]!,
    symbol: 'BTCUSDT',
    open: () => {
      let [last, on] = [1_000_000_000, false]
      return {
        connect: () => ((on = false), []),
        receive(frame) {
          const { method, id } = JSON.parse(frame as string) as { method: string; id: number }
          if (method === 'SUBSCRIBE') on = true
          if (method === 'UNSUBSCRIBE') on = false
          return [JSON.stringify({ result: null, id })]
        },
        told(changes, E) {
          const [pu, U, u] = [last, last + 1, last + 1 + (changes.length % 3)]
          last = u
          const data = {
            e: 'depthUpdate',
            E,
            s: 'BTCUSDT',
            U,
            u,
            ...(chained ? { pu } : {}),
            b: pick(changes, 'bids'),
            a: pick(changes, 'asks')
          }
          return on ? [JSON.stringify({ stream: 'btcusdt@depth@100ms', data })] : []
        },
        beat: () => [],
        reset: () => void (last -= 1_000_000),
        answer: (_, book, lastUpdateId) => JSON.stringify({ lastUpdateId, bids: text(book.bids), asks: text(book.asks) }),
        sequence: () => last,
        subscribed: () => on
      }
    }
  }
}

const coinbase: Venue = {
  adapter: providers['coinbase']!,
  symbol: 'BTC-USD',
  open(market) {
    let [number, on] = [0, false]
    const frame = (type: 'snapshot' | 'update', updates: readonly Change[], time: number) =>
      JSON.stringify({
        channel: 'l2_data',
        timestamp: iso(time),
        sequence_num: number++,
        events: [
          {
            type,
            product_id: 'BTC-USD',
            updates: updates.map(({ side, price, size }) => ({
              side: side === 'bids' ? 'bid' : 'offer',
              event_time: iso(time),
              price_level: String(price),
              new_quantity: String(size)
            }))
          }
        ]
      })
    const all = (): Change[] => {
      const { bids, asks } = market.book()
      return [
        ...bids.map(([price, size]) => ({ side: 'bids' as const, price, size })),
        ...asks.map(([price, size]) => ({ side: 'asks' as const, price, size }))
      ]
    }
    return {
      connect: () => (([number, on] = [0, false]), []),
      receive(sent) {
        const { type, channel } = JSON.parse(sent as string) as { type: string; channel: string }
        if (channel !== 'level2') return []
        on = type === 'subscribe'
        const list = {
          channel: 'subscriptions',
          timestamp: iso(0),
          sequence_num: 0,
          events: [{ subscriptions: on ? { level2: ['BTC-USD'] } : {} }]
        }
        const first = on ? [frame('snapshot', all(), 1)] : []
        return [...first, JSON.stringify({ ...list, sequence_num: number++ })]
      },
      told: (changes, time) => (on ? [frame('update', changes, time)] : []),
      beat: (time) => [JSON.stringify({ channel: 'heartbeats', timestamp: iso(time), sequence_num: number++, events: [] })],
      reset: () => void (number = 0),
      answer: (_, { bids, asks }) => {
        const rows = (levels: readonly Level[]) => levels.map(([price, size]) => ({ price: String(price), size: String(size) }))
        return JSON.stringify({ pricebook: { product_id: 'BTC-USD', bids: rows(bids), asks: rows(asks) } })
      },
      sequence: () => undefined,
      subscribed: () => on
    }
  }
}

const coinbaseExchange: Venue = {
  adapter: providers['coinbase-exchange']!,
  symbol: 'BTC-USD',
  open(market) {
    let on = false
    return {
      connect: () => ((on = false), []),
      receive(sent) {
        const { type, channels } = JSON.parse(sent as string) as { type: string; channels: string[] }
        if (!channels.includes('level2_batch')) return []
        on = type === 'subscribe'
        const { bids, asks } = market.book()
        const list = { type: 'subscriptions', channels: on ? [{ name: 'level2_batch', product_ids: ['BTC-USD'] }] : [] }
        const first = { type: 'snapshot', product_id: 'BTC-USD', bids: text(bids), asks: text(asks) }
        return [JSON.stringify(list), ...(on ? [JSON.stringify(first)] : [])]
      },
      told(changes, time) {
        const rows = changes.map(({ side, price, size }) => [side === 'bids' ? 'buy' : 'sell', String(price), String(size)])
        return on ? [JSON.stringify({ type: 'l2update', product_id: 'BTC-USD', time: iso(time), changes: rows })] : []
      },
      beat: (time) => [
        JSON.stringify({ type: 'heartbeat', sequence: 1, last_trade_id: 1, product_id: 'BTC-USD', time: iso(time) })
      ],
      reset: () => undefined,
      answer: (_, { bids, asks }) => JSON.stringify({ bids: text(bids), asks: text(asks), sequence: 1 }),
      sequence: () => undefined,
      subscribed: () => on
    }
  }
}

const bare = (value: number, decimals: number): string => value.toFixed(decimals).replace('.', '').replace(/^0+/, '')

const kraken: Venue = {
  adapter: providers['kraken']!,
  symbol: 'BTC/USD',
  open(market) {
    let on = false
    const frame = (type: 'snapshot' | 'update', { bids, asks }: Sides, time: number) => {
      const now = market.book()
      const sum = [...now.asks.slice(0, 10), ...now.bids.slice(0, 10)]
        .map(([price, size]) => bare(price, 1) + bare(size, 8))
        .join('')
      const row = { symbol: 'BTC/USD', bids: objects(bids), asks: objects(asks), checksum: crc32(sum), timestamp: iso(time) }
      return JSON.stringify({ channel: 'book', type, data: [row] })
    }
    const pairs = [{ symbol: 'BTC/USD', price_precision: 1, qty_precision: 8, status: 'online' }]
    return {
      connect: () => ((on = false), []),
      receive(sent) {
        const { method, params, req_id } = JSON.parse(sent as string) as {
          method: string
          params?: { channel: string }
          req_id?: number
        }
        if (params?.channel === 'instrument')
          return [JSON.stringify({ channel: 'instrument', type: 'snapshot', data: { pairs } })]
        if (params?.channel !== 'book') return []
        on = method === 'subscribe'
        const ack = { method, result: { channel: 'book', depth: 100, symbol: 'BTC/USD' }, success: true, req_id }
        return [JSON.stringify(ack), ...(on ? [frame('snapshot', market.book(), 1)] : [])]
      },
      told(changes, time) {
        const rows = (side: 'bids' | 'asks') =>
          changes.filter((c) => c.side === side).map(({ price, size }): Level => [price, size])
        return on ? [frame('update', { bids: rows('bids'), asks: rows('asks') }, time)] : []
      },
      beat: () => ['{"channel":"heartbeat"}'],
      reset: () => undefined,
      answer: (_, { bids, asks }) => {
        const rows = (levels: readonly Level[]) => levels.map(([price, size]) => [String(price), String(size), 1])
        return JSON.stringify({ error: [], result: { XXBTZUSD: { bids: rows(bids), asks: rows(asks) } } })
      },
      sequence: () => undefined,
      subscribed: () => on
    }
  }
}

const krakenFutures: Venue = {
  adapter: providers['kraken-futures']!,
  symbol: 'PI_XBTUSD',
  single: true,
  open(market) {
    let [seq, on] = [1_000_000_000, false]
    const common = { product_id: 'PI_XBTUSD' }
    return {
      connect: () => ((on = false), []),
      receive(sent) {
        const { event, feed } = JSON.parse(sent as string) as { event: string; feed: string }
        if (feed !== 'book') return []
        on = event === 'subscribe'
        const { bids, asks } = market.book()
        const ack = JSON.stringify({ event: `${event}d`, feed, product_ids: ['PI_XBTUSD'] })
        const first = {
          feed: 'book_snapshot',
          ...common,
          timestamp: 1_700_000_000_000,
          seq,
          bids: objects(bids),
          asks: objects(asks)
        }
        return [ack, ...(on ? [JSON.stringify(first)] : [])]
      },
      told(changes, timestamp) {
        const frames = changes.map(({ side, price, size }) =>
          JSON.stringify({
            feed: 'book',
            ...common,
            side: side === 'bids' ? 'buy' : 'sell',
            seq: ++seq,
            price,
            qty: size,
            timestamp
          })
        )
        return on ? frames : []
      },
      beat: (time) => [JSON.stringify({ feed: 'heartbeat', time })],
      reset: () => void (seq -= 1_000_000),
      answer: (_, { bids, asks }) => JSON.stringify({ result: 'success', orderBook: { bids, asks } }),
      sequence: () => seq,
      subscribed: () => on
    }
  }
}

const alpaca: Venue = {
  adapter: providers['alpaca']!,
  symbol: 'BTC/USD',
  open(market) {
    let on = false
    const rows = (levels: readonly Level[]) => levels.map(([p, s]) => ({ p, s }))
    const frame = ({ bids, asks }: Sides, time: number, r: boolean) =>
      JSON.stringify([{ T: 'o', S: 'BTC/USD', t: iso(time), b: rows(bids), a: rows(asks), ...(r ? { r } : {}) }])
    return {
      connect: () => ((on = false), ['[{"T":"success","msg":"connected"}]']),
      receive(sent) {
        const { action, orderbooks } = JSON.parse(sent as string) as { action: string; orderbooks?: string[] }
        if (action === 'auth') return ['[{"T":"success","msg":"authenticated"}]']
        if (!orderbooks?.includes('BTC/USD')) return []
        on = action === 'subscribe'
        const list = JSON.stringify([{ T: 'subscription', orderbooks: on ? ['BTC/USD'] : [] }])
        return [list, ...(on ? [frame(market.book(), 1_700_000_000_000, true)] : [])]
      },
      told(changes, time) {
        const only = (side: 'bids' | 'asks') =>
          changes.filter((c) => c.side === side).map(({ price, size }): Level => [price, size])
        return on ? [frame({ bids: only('bids'), asks: only('asks') }, time, false)] : []
      },
      beat: () => [],
      reset: () => undefined,
      answer: (_, { bids, asks }) =>
        JSON.stringify({ orderbooks: { 'BTC/USD': { b: rows(bids), a: rows(asks), t: '2024-03-12T10:38:50.79Z' } } }),
      sequence: () => undefined,
      subscribed: () => on
    }
  }
}

export const VENUES = {
  'U/u on a snapshot': binance('binance'),
  'pu on a snapshot': binance('binance-usdm'),
  'a number of the connection': coinbase,
  'a number of the product': krakenFutures,
  'a checksum of ten levels': kraken,
  'changes without a number': coinbaseExchange,
  'full and changes without a number': alpaca
} satisfies Record<string, Venue>
