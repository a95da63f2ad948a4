/** The datafeed for TradingView's charts against a real gateway: what a chart asks for, is told, and when it must ask again. */
import { createHash } from 'node:crypto'
import type { Candle, Gap, GapFilled } from '@tickwire/protocol'
import type { Desk } from '@tickwire/server/dialects/dialect.ts'
import { native } from '@tickwire/server/dialects/native.ts'
import { udf } from '@tickwire/server/dialects/udf.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createDatafeed, type Bar, type DatafeedOptions } from '../src/index.ts'
import { createStand, FAST, until, type Stand } from './stand.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 2, 15)
const BTC = { name: 'BTC-USDT', ticker: 'BTC-USDT' }

const stamp = { provider: 'kraken', instrument: 'BTC-USDT', time: 1, received: 2 }
/** The bar of a minute after START. */
const candle = (minute: number, close: number, more: Partial<Candle> = {}): Candle => {
  const prices = { open: 100, high: 200, low: 50, close, volume: 3 }
  return {
    type: 'candle',
    ...stamp,
    interval: '1m',
    start: START + minute * MINUTE,
    ...prices,
    closed: false,
    revision: 0,
    ...more
  }
}
const gap = (more: Partial<Gap> = {}): Gap => {
  return {
    type: 'gap',
    ...stamp,
    id: 'g1',
    kind: 'trade',
    from: START,
    to: START + 9,
    cause: 'sequence',
    action: 'open',
    ...more
  }
}
const filled: GapFilled = {
  type: 'gap_filled',
  ...stamp,
  kind: 'trade',
  gap: 'g1',
  from: START,
  to: START + 9,
  how: 'rest',
  by: 'kraken',
  items: 4
}

let stand: Stand
afterEach(() => stand.close())

/** A stand whose server knows these candles as the past, and a chart that keeps all it is told. */
async function open(past: readonly Candle[] = [], options: Partial<DatafeedOptions> = {}, keys: readonly string[] = []) {
  const info = { instrument: 'BTC-USDT', base: 'BTC', quote: 'USDT', priceDecimals: 2, providers: [] }
  const history = { past, asked: 0 }
  const desk: Desk = {
    server: 'Tickwire test',
    epoch: 'epoch-1',
    mode: 'demo',
    resolve: (text) => (text === 'BTC-USDT' ? { ok: true, instrument: text } : { ok: false, nearest: [] }),
    instruments: () => [info],
    instrument: () => info,
    last: (topic) => stand.plant.last(topic),
    recent: (topic, count) => stand.plant.recent(topic, count),
    hand: (topic) => stand.plant.last(topic),
    candles: () => {
      history.asked++
      return Promise.resolve(history.past)
    },
    past: (instrument, interval, limit) => desk.candles(instrument, interval, limit).then((candles) => ({ candles })),
    unlisted: () => [],
    carries: () => true,
    connections: () => []
  }
  stand = await createStand({ desk, dialects: [native, udf], ...(keys.length > 0 ? { auth: { keys } } : {}) })
  const client = stand.connect(keys.length > 0 ? { token: 'secret' } : {})
  const resets: string[] = []
  const datafeed = createDatafeed(client, { url: stand.url, onReset: ({ reason }) => void resets.push(reason), ...options })
  const publish = (...events: (Candle | Gap | GapFilled)[]) => {
    for (const event of events)
      stand.plant.publish(event.type === 'candle' ? `candle:BTC-USDT:${event.interval}` : 'gap:BTC-USDT', event, 3)
  }
  return { client, datafeed, resets, publish, history }
}
type Rig = Awaited<ReturnType<typeof open>>

const getBars = ({ datafeed }: Rig, period: object = {}, symbol: object = BTC) =>
  new Promise<{ bars: Bar[]; meta: object }>((resolve, reject) => {
    const span = { from: START / 1_000, to: START / 1_000 + 86_400, countBack: 300, firstDataRequest: true, ...period }
    datafeed.getBars(symbol as typeof BTC, '1', span, (bars, meta) => resolve({ bars, meta }), reject)
  })

/** A chart that is subscribed; what it was told and how often it had to throw its bars away. */
async function chart({ datafeed }: Rig, guid = 'chart-1', resolution = '1') {
  const ticks: Bar[] = []
  const voided = { times: 0 }
  const subscription = datafeed.subscribeBars(
    BTC,
    resolution,
    (bar) => ticks.push(bar),
    guid,
    () => voided.times++
  )
  await subscription?.ready
  return { ticks, voided, closes: () => ticks.map(({ close }) => close) }
}

describe('what a chart asks', () => {
  test('onReady gives the configuration of the server', async () => {
    const { datafeed } = await open()
    const configuration = await new Promise((resolve) => datafeed.onReady(resolve))
    expect(configuration).toMatchObject({ supports_search: true, supported_resolutions: expect.arrayContaining(['1', '1D']) })
  })

  const FOREIGN = ['{}', 'null', '<html>', '[]', '7'] as const
  test.each(FOREIGN)('onReady waits for a server that fails, or has %s in its place, until it is there', async (body) => {
    const answers = [
      () => Promise.reject(new TypeError('fetch failed')),
      () => Promise.resolve(new Response('{"s":"error","errmsg":"not ready"}', { status: 503 })),
      () => Promise.resolve(new Response(body)),
      () => Promise.resolve(new Response(body))
    ]
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const get: typeof fetch = (...request) => answers.shift()?.() ?? fetch(...request)
    const { datafeed } = await open([], { fetch: get, backoff: FAST })
    const configuration = await new Promise((resolve) => datafeed.onReady(resolve))
    expect(configuration).toMatchObject({ supports_search: true })
    expect(answers).toEqual([])
    // Each reason once.
    expect(told.mock.calls.map(([line]) => String(line).slice(0, 45))).toEqual(
      Array(3).fill('tickwire: the chart waits for its configurati')
    )
    told.mockRestore()
  })

  test.each(FOREIGN)(
    'a chart is told of an answer with %s that is no history, and finds nothing and no marks in it',
    async (body) => {
      const rig = await open([], { fetch: () => Promise.resolve(new Response(body)) })
      await expect(getBars(rig)).rejects.toMatch(/^history: /)
      const { datafeed } = rig
      const rows = await new Promise((resolve) => datafeed.searchSymbols('btc', '', '', resolve))
      const marks = await new Promise((resolve) => datafeed.getMarks(BTC, 0, 1, resolve, '1'))
      const scale = await new Promise((resolve) => datafeed.getTimescaleMarks(BTC, 0, 1, resolve, '1'))
      expect([rows, marks, scale]).toEqual([[], [], []])
    }
  )

  test('onReady gives up with its client', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { datafeed, client } = await open([], { fetch: () => Promise.reject(new TypeError('fetch failed')) })
    client.close()
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    datafeed.onReady(() => expect.unreachable())
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    expect([vi.getTimerCount(), told.mock.calls]).toEqual([0, []])
    vi.useRealTimers()
    told.mockRestore()
  })

  test('searchSymbols and resolveSymbol find an instrument; one that nobody lists fails with a reason', async () => {
    const { datafeed } = await open()
    const rows = await new Promise((resolve) => datafeed.searchSymbols('btc', '', '', resolve))
    expect(rows).toMatchObject([{ symbol: 'BTC-USDT', type: 'crypto' }])
    const info = await new Promise((resolve, reject) => datafeed.resolveSymbol('BTC-USDT', resolve, reject))
    expect(info).toMatchObject({ ticker: 'BTC-USDT', pricescale: 100 })
    await expect(new Promise((resolve, reject) => datafeed.resolveSymbol('NOBODY', resolve, reject))).rejects.toBe(
      'unknown_symbol'
    )
  })

  test('getBars gives bars in milliseconds', async () => {
    const rig = await open([candle(0, 101), candle(1, 102)])
    const { bars, meta } = await getBars(rig)
    expect(bars[1]).toEqual({ time: START + MINUTE, open: 100, high: 200, low: 50, close: 102, volume: 3 })
    expect([bars.length, meta]).toEqual([2, { noData: false }])
  })

  test('getBars: none in the range, and when the last one before it was', async () => {
    const rig = await open([candle(0, 101)])
    const span = { from: START / 1_000 + 600, to: START / 1_000 + 900, countBack: 0 }
    expect(await getBars(rig, span)).toEqual({ bars: [], meta: { noData: true, nextTime: START / 1_000 } })
  })

  test('getBars: what is wrong is told as a sentence; so is a server that is not there', async () => {
    const rig = await open()
    await expect(getBars(rig, {}, { name: 'NOBODY' })).rejects.toBe('unknown_symbol')
    await stand.close()
    await expect(getBars(rig)).rejects.toMatch(/fetch failed/)
  })

  test('a token goes with each request; without one the server’s refusal is the reason', async () => {
    const keys = [createHash('sha256').update('secret').digest('hex')]
    const rig = await open([candle(0, 101)], { token: () => Promise.resolve('secret') }, keys)
    expect((await getBars(rig)).bars).toHaveLength(1)
    const stranger = createDatafeed(rig.client, { url: stand.url })
    await expect(getBars({ ...rig, datafeed: stranger })).rejects.toBe('a token is required')
  })

  test('the server time and marks come through', async () => {
    const { datafeed, publish } = await open()
    publish(gap())
    const span = [START / 1_000 - 60, START / 1_000 + 60] as const
    const marks = await new Promise((resolve) => datafeed.getMarks(BTC, ...span, resolve, '1'))
    expect(marks).toMatchObject([{ time: START / 1_000, label: 'G' }])
    expect(await new Promise((resolve) => datafeed.getTimescaleMarks(BTC, ...span, resolve, '1'))).toEqual([])
    const seconds = await new Promise<number>((resolve) => datafeed.getServerTime(resolve))
    expect(Math.abs(seconds - Date.now() / 1_000)).toBeLessThan(60)
  })
})

describe('live bars', () => {
  test('a bar that forms is told as it changes, then the next one', async () => {
    const rig = await open()
    const { ticks, closes } = await chart(rig)
    for (const each of [candle(0, 101), candle(0, 102), candle(0, 102, { closed: true }), candle(1, 103)]) {
      rig.publish(each)
      await until(() => ticks.at(-1)?.close === each.close)
    }
    expect(ticks.map(({ time }) => (time - START) / MINUTE)).toEqual([0, 0, 1])
    expect(closes()).toEqual([101, 102, 103])
  })

  test('a bar older than what history gave is never told: a chart does not take it', async () => {
    const rig = await open([candle(0, 101), candle(1, 102)])
    rig.publish(candle(0, 99))
    await getBars(rig)
    const { ticks, closes, voided } = await chart(rig)
    rig.publish(candle(1, 103))
    await until(() => ticks.length > 0)
    expect([closes(), voided.times]).toEqual([[103], 0])
  })

  test('a daily bar is named by 00:00 UTC of its day', async () => {
    const rig = await open()
    const { ticks } = await chart(rig, 'chart-1', '1D')
    rig.publish(candle(0, 101, { interval: '1d' }))
    await until(() => ticks.length > 0)
    expect(ticks[0]?.time).toBe(Date.UTC(2026, 0, 2))
  })

  test('unsubscribeBars lets go upstream; a listener id that is used again replaces the one before', async () => {
    const rig = await open()
    const first = await chart(rig)
    const second = await chart(rig)
    rig.publish(candle(0, 101))
    await until(() => second.ticks.length > 0)
    expect(first.ticks).toEqual([])
    rig.datafeed.unsubscribeBars('chart-1')
    rig.datafeed.unsubscribeBars('nobody')
    await until(() => stand.demanded.length === 0)
  })

  test('a resolution that there is not is not subscribed', async () => {
    const rig = await open()
    expect(
      rig.datafeed.subscribeBars(
        BTC,
        '7',
        () => {},
        'x',
        () => {}
      )
    ).toBeUndefined()
  })
})

describe('a chart’s cache is void', () => {
  test('after a gap, and again when it is filled; told twice, a gap is one', async () => {
    const rig = await open()
    const { voided } = await chart(rig)
    rig.publish(gap({ lasting: true }))
    await until(() => voided.times === 1)
    rig.publish(gap(), filled)
    await until(() => voided.times === 2)
    expect(rig.resets).toEqual(['data is missing', 'missing data was filled in'])
  })

  test('not for what another provider than the leader lost, nor for books', async () => {
    const rig = await open()
    const { ticks, voided } = await chart(rig)
    rig.publish(gap({ own: true }), gap({ id: 'g2', kind: 'book' }), candle(0, 101))
    await until(() => ticks.length > 0)
    expect(voided.times).toBe(0)
  })

  test('after a revision of a bar that is not the newest; of the newest it is told as a tick', async () => {
    const rig = await open([candle(0, 101), candle(1, 102)])
    await getBars(rig)
    const { ticks, voided, closes } = await chart(rig)
    rig.publish(candle(1, 105, { closed: true, revision: 1 }))
    await until(() => ticks.length === 1)
    expect(voided.times).toBe(0)
    rig.publish(candle(0, 90, { closed: true, revision: 1 }))
    await until(() => voided.times === 1)
    expect(closes()).toEqual([105])
    expect(rig.resets).toEqual(['a bar was revised'])
  })

  test('once for one revision: a chart that subscribes again, and begins with it, is not reset for ever', async () => {
    const rig = await open([candle(0, 101), candle(1, 102)])
    await getBars(rig)
    const first = await chart(rig)
    rig.publish(candle(0, 90, { closed: true, revision: 1 }))
    await until(() => first.voided.times === 1)
    await getBars(rig)
    const second = await chart(rig, 'chart-2')
    rig.publish(candle(1, 103))
    await until(() => second.ticks.length === 1)
    expect(second.voided.times).toBe(0)
  })

  test('a bar that closes otherwise than it was told, after the next one began, is a revision too', async () => {
    const rig = await open()
    const { ticks, voided } = await chart(rig)
    rig.publish(candle(0, 101))
    await until(() => ticks.length === 1)
    rig.publish(candle(1, 102))
    await until(() => ticks.length === 2)
    rig.publish(candle(0, 101, { closed: true }), candle(1, 103))
    await until(() => ticks.length === 3)
    expect(voided.times).toBe(0)
    rig.publish(candle(0, 99, { closed: true }))
    await until(() => voided.times === 1)
  })

  test('many reasons in one frame are one reset', async () => {
    const rig = await open([candle(0, 1), candle(1, 2), candle(2, 3)])
    await getBars(rig)
    const { voided, ticks } = await chart(rig)
    rig.publish(candle(0, 9, { closed: true, revision: 1 }), candle(1, 9, { closed: true, revision: 1 }), candle(2, 9))
    await until(() => ticks.length === 1)
    await until(() => voided.times > 0)
    expect(voided.times).toBe(1)
  })

  test('of every chart of the symbol', async () => {
    const rig = await open()
    const [one, two] = [await chart(rig, 'one'), await chart(rig, 'two', '5')]
    rig.publish(gap())
    await until(() => one.voided.times === 1 && two.voided.times === 1)
  })

  test('when the server was started anew and cannot go on where the stream stood', async () => {
    const rig = await open()
    const { voided, ticks } = await chart(rig)
    rig.publish(candle(0, 101))
    await until(() => ticks.length === 1)
    const { port } = stand
    await stand.die()
    const old = stand
    stand = await createStand({ port, epoch: 'epoch-2' })
    await until(() => voided.times === 1)
    await old.close()
  })

  test('not after a connection was cut and the stream went on exactly where it stood', async () => {
    const rig = await open()
    const { voided, ticks } = await chart(rig)
    rig.publish(candle(0, 101))
    await until(() => ticks.length === 1)
    const resumed: string[] = []
    rig.client.on('resumed', ({ topic }) => resumed.push(topic))
    stand.cut()
    await until(() => resumed.includes('candle:BTC-USDT:1m'))
    rig.publish(candle(0, 102))
    await until(() => ticks.length === 2)
    expect(voided.times).toBe(0)
  })

  test('a page whose reset throws is reported, and the next reset comes all the same', async () => {
    const rig = await open([], {
      onReset: () => {
        throw new Error('no chart')
      }
    })
    const { voided } = await chart(rig)
    rig.publish(gap())
    await until(() => voided.times === 1)
    rig.publish(filled)
    await until(() => voided.times === 2)
  })

  test('no chart is reset after it has left', async () => {
    const rig = await open()
    const [one, two] = [await chart(rig, 'one'), await chart(rig, 'two')]
    rig.datafeed.unsubscribeBars('one')
    rig.publish(gap())
    await until(() => two.voided.times === 1)
    expect(one.voided.times).toBe(0)
  })
})
