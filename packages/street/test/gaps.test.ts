/** The only provider is cut off for three seconds: the gap is told and filled, and the trades are the venue's own tape. */
import { parseTopic, type Gap, type GapFilled, type Topic, type Trade } from '@tickwire/protocol'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { test } from 'vitest'
import { street as createStreet, until } from './client.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** What the venue itself says was traded, by its own REST. */
const TAPES: Record<string, { instrument: string; path: string; rows: (body: never) => { id: string; size: number }[] }> = {
  binance: {
    instrument: 'BTC-USDT',
    path: '/api/v3/aggTrades?symbol=BTCUSDT&limit=1000',
    rows: (body: { a: number; q: string }[]) => body.map(({ a, q }) => ({ id: String(a), size: Number(q) }))
  },
  coinbase: {
    instrument: 'BTC-USD',
    path: '/market/products/BTC-USD/ticker?limit=1000',
    rows: ({ trades }: { trades: { trade_id: string; size: string }[] }) =>
      trades.map((t) => ({ id: t.trade_id, size: Number(t.size) })).toReversed()
  },
  kraken: {
    instrument: 'BTC-USD',
    path: '/public/Trades?pair=XBTUSD&since=0',
    rows: ({ result }: { result: Record<string, unknown[][]> }) =>
      Object.values(result)[0]!.map((row) => ({ id: String(row[6]), size: Number(row[1]) }))
  },
  alpaca: {
    instrument: 'AAPL',
    path: '/v2/stocks/trades?symbols=AAPL&limit=10000',
    rows: ({ trades }: { trades: Record<string, { i: number; s: number }[]> }) =>
      trades['AAPL']!.map(({ i, s }) => ({ id: String(i), size: s }))
  },
  massive: {
    instrument: 'AAPL',
    path: '/v3/trades/AAPL?order=asc&limit=50000',
    rows: ({ results }: { results: { id: string; size: number }[] }) => results.map(({ id, size }) => ({ id, size }))
  }
}

/** Where ids are of a day and an exchange, these stand before it. */
const bare = (id: string): string => id.split('-').at(-1)!

// At once: most of it is waiting for the break to end and for the next trade.
test.concurrent.for(Object.keys(TAPES))(
  'of %s, alone and cut off for three seconds, no trade is missing: gap, then gap_filled',
  { timeout: 60_000 },
  async (name, { expect, onTestFinished }) => {
    const { instrument, path, rows } = TAPES[name]!
    const street = createStreet({ providers: [name] })
    onTestFinished(() => street.stop())
    const address = (await street.start())[name]!
    const plant = createPlant({ epoch: 'test' })
    const feed = createFeed({
      providers: [{ adapter: adapters[name]!, ...address, readAccess: () => ({ key: 'k', secret: 's' }) }],
      plant,
      instruments: createInstruments(),
      clock: Date.now,
      random: Math.random,
      log: quiet,
      simulated: true,
      // Some allow few attempts a minute: those that fail within the break must leave one for after it.
      settings: { backoff: { base: 500, cap: 2_000 } }
    })
    onTestFinished(() => feed.stop())
    await feed.start()
    const trades: Trade[] = []
    const gaps: Gap[] = []
    const filled: GapFilled[] = []
    plant.subscribe(`trade:${instrument}`, (event) => event.type === 'trade' && trades.push(event))
    plant.subscribe(`gap:${instrument}`, (event) => {
      if (event.type === 'gap') gaps.push(event)
      else if (event.type === 'gap_filled') filled.push(event)
    })
    feed.want(parseTopic(`trade:${instrument}`) as Topic)
    await until(() => trades.filter(({ backfill }) => !backfill).length > 3)
    street.fault(name, 'drop', 3_000)
    await until(() => trades.some(({ backfill, time }) => !backfill && time >= (filled[0]?.to ?? Infinity)))
    const [word] = filled
    // Some tell their last trades on subscribing, and by the numbers that is enough.
    expect(word!.how).toBe(['coinbase', 'kraken'].includes(name) ? 'provider' : 'rest')
    expect(word).toMatchObject({ by: name, kind: 'trade', gap: gaps[0]!.id })
    expect(word!.items).toBe(trades.filter(({ backfill, time }) => backfill && time >= word!.from && time <= word!.to).length)
    expect(word!.items).toBeGreaterThan(0)
    expect(feed.gaps(instrument).at(-1)).toMatchObject({ state: 'filled' })
    // Nothing missing, nothing twice, against what the venue itself says.
    const heard = new Set(trades.map(({ id }) => bare(id!)))
    expect(heard.size).toBe(trades.length)
    const live = trades.filter(({ backfill }) => !backfill).map(({ id }) => bare(id!))
    const tape = rows((await (await fetch(address.restUrl + path)).json()) as never).map(({ id }) => id)
    const [first, last] = [live[0]!, live.at(-1)!]
    const between = tape.slice(tape.indexOf(first), tape.indexOf(last) + 1)
    expect(between.length).toBeGreaterThan(word!.items)
    expect(between.filter((id) => !heard.has(id))).toEqual([])
  }
)
