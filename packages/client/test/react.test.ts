/** The hooks without a page: what they read and when it changes, and what a server renders. */
import type { Candle } from '@tickwire/protocol'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createStore, type Source } from '../src/react-store.ts'
import { candlesSource, joined, topicSource } from '../src/react-sources.ts'
import { connect } from '../src/index.ts'
import { TickwireProvider, useBook, useCandles, useQuote, useStatus, useTopic } from '../src/react.ts'
import { restOf } from './market.ts'
import { createStand, FAST, until, type Stand } from './stand.ts'

/** A number that is set by hand. */
function counter(key: string) {
  const opened = { times: 0, now: 0 }
  let change: (next: (now: number) => number) => void = () => {}
  const source: Source<number> = {
    key,
    start: () => 0,
    open: (to) => {
      change = to
      opened.times++
      opened.now++
      return () => void opened.now--
    }
  }
  return { source, opened, set: (value: number) => change(() => value) }
}

/** Frames that come when they are told to. */
function frames() {
  const asked: (() => void)[] = []
  vi.stubGlobal('requestAnimationFrame', (act: () => void) => asked.push(act))
  return { asked, draw: () => asked.splice(0).forEach((act) => act()) }
}
afterEach(() => vi.unstubAllGlobals())

describe('the store', () => {
  test('a listener is told once a frame, and what is read stays what it was until then', () => {
    const { asked, draw } = frames()
    const [one, two] = [counter('one'), counter('two')]
    const store = createStore()
    const told: number[] = []
    store.watch(one.source, () => told.push(store.read(one.source) + store.read(two.source)))
    store.watch(two.source, () => {})
    for (let value = 1; value <= 100; value++) {
      one.set(value)
      two.set(value * 1_000)
    }
    expect([asked.length, store.read(one.source), told]).toEqual([1, 0, []])
    draw()
    // Both went on before the first of them told it.
    expect(told).toEqual([100_100])
    expect(asked).toEqual([])
  })

  test('what became what it was again is no news', () => {
    const { draw } = frames()
    const one = counter('one')
    const store = createStore()
    const told = vi.fn()
    store.watch(one.source, told)
    one.set(1)
    one.set(0)
    draw()
    expect(told).not.toHaveBeenCalled()
  })

  test('a source is open once however many watch it, and closed after the last has left', async () => {
    frames()
    const one = counter('one')
    const store = createStore()
    const [first, second] = [store.watch(one.source, () => {}), store.watch(counter('one').source, () => {})]
    expect(one.opened).toEqual({ times: 1, now: 1 })
    first()
    await Promise.resolve()
    expect(one.opened.now).toBe(1)
    second()
    await Promise.resolve()
    expect(one.opened).toEqual({ times: 1, now: 0 })
  })

  test('who leaves and comes back in one turn finds it open', async () => {
    frames()
    const one = counter('one')
    const store = createStore()
    store.watch(one.source, () => {})()
    const leave = store.watch(one.source, () => {})
    await Promise.resolve()
    expect(one.opened).toEqual({ times: 1, now: 1 })
    leave()
    leave()
    await Promise.resolve()
    expect(one.opened.now).toBe(0)
  })

  test('one that left before the frame is not told', async () => {
    const { draw } = frames()
    const one = counter('one')
    const store = createStore()
    const told = vi.fn()
    const leave = store.watch(one.source, told)
    one.set(1)
    leave()
    await Promise.resolve()
    draw()
    expect(told).not.toHaveBeenCalled()
    expect(store.read(one.source)).toBe(0)
  })

  test('without frames it is told all the same', async () => {
    const one = counter('one')
    const store = createStore()
    const told = new Promise<void>((resolve) => store.watch(one.source, resolve))
    one.set(7)
    await told
    expect(store.read(one.source)).toBe(7)
  })
})

const candle = (start: number, revision: number, close = 1): Candle => ({
  type: 'candle',
  provider: 'kraken',
  instrument: 'BTC-USDT',
  time: 1,
  received: 2,
  interval: '1m',
  start,
  open: 1,
  high: 9,
  low: 1,
  close,
  volume: 1,
  closed: false,
  revision
})
const gist = (candles: readonly Candle[]) => candles.map(({ start, revision, close }) => [start, revision, close])

describe('candles', () => {
  test('are in the order of their time, the highest revision of each, the newest of them', () => {
    const known = [candle(1, 0), candle(2, 2), candle(3, 0)]
    expect(gist(joined(known, [candle(3, 0, 5)], 9))).toEqual([
      [1, 0, 1],
      [2, 2, 1],
      [3, 0, 5]
    ])
    expect(gist(joined(known, [candle(2, 1, 5), candle(1, 1, 6)], 9))).toEqual([
      [1, 1, 6],
      [2, 2, 1],
      [3, 0, 1]
    ])
    expect(gist(joined(known, [candle(4, 0, 7)], 2))).toEqual([
      [3, 0, 1],
      [4, 0, 7]
    ])
    expect(known).toHaveLength(3)
  })
})

describe('against a server', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await createStand()
  })
  afterEach(() => stand.close())

  test('a topic has its newest event and the answer to it; a refusal is an answer', async () => {
    const client = stand.connect()
    client.on('error', () => {})
    const store = createStore()
    const [quote, nothing] = [topicSource(client, 'quote:btcusdt', undefined), topicSource(client, 'quote:NOPE', undefined)]
    for (const source of [quote, nothing]) store.watch(source, () => {})
    stand.quote(5)
    stand.quote(6)
    await until(() => store.read(quote).event?.seq === 2)
    expect(store.read(quote)).toMatchObject({ event: { bid: 6 }, result: { ok: true, topic: 'quote:BTC-USDT' } })
    expect(store.read(quote)).toBe(store.read(quote))
    await until(() => store.read(nothing).result !== undefined)
    expect(store.read(nothing)).toMatchObject({ event: undefined, result: { ok: false, nearest: ['BTC-USDT'] } })
  })

  test('candles begin with the past and go on with the stream; after a restart the past is asked for again', async () => {
    let asked = 0
    const rest = restOf(() => (++asked === 1 ? [candle(1, 0), candle(2, 0)] : [candle(2, 1), candle(3, 0)]))
    await stand.close()
    stand = await createStand({ rest })
    const client = stand.connect()
    const store = createStore()
    const past = { url: stand.url }
    const source = candlesSource(client, { instrument: 'BTC-USDT', interval: '1m', limit: 3, past })
    store.watch(source, () => {})
    stand.plant.publish('candle:BTC-USDT:1m', candle(2, 0, 8), 1)
    await until(() => store.read(source).length === 2 && store.read(source)[1]?.close === 8)
    expect(asked).toBe(1)
    await stand.die()
    stand = await createStand({ rest, epoch: 'epoch-2', port: stand.port })
    await until(() => asked === 2 && store.read(source).length === 3)
    expect(gist(store.read(source))).toEqual([
      [1, 0, 1],
      [2, 1, 1],
      [3, 0, 1]
    ])
    client.close()
  })

  test('a past that could not be had is asked for when the server is there', async () => {
    const { port } = stand
    await stand.close()
    const client = connect({ url: stand.url, backoff: FAST })
    client.on('error', () => {})
    const store = createStore()
    const source = candlesSource(client, { instrument: 'BTC-USDT', interval: '1m', limit: 3, past: { url: stand.url } })
    store.watch(source, () => {})
    await until(() => client.state().attempt > 1)
    stand = await createStand({ port, rest: restOf(() => [candle(1, 0)]) })
    await until(() => store.read(source).length === 1)
    client.close()
  })
})

describe('on a server', () => {
  function Page() {
    const { event, result } = useTopic('trade:BTC-USDT')
    const told = [event, result, useQuote('BTC-USDT'), useBook('BTC-USDT'), useCandles('BTC-USDT', '1m').length]
    return createElement('p', {}, JSON.stringify(told), useStatus().reason)
  }

  test('a page is rendered without a client, and tells of nothing yet', () => {
    const html = renderToString(createElement(TickwireProvider, { client: undefined }, createElement(Page)))
    expect(html).toBe('<p>[null,null,null,null,0]<!-- -->Not started.</p>')
  })

  test('a page that forgot the provider is told what to do', () => {
    expect(() => renderToString(createElement(Page))).toThrow('wrap the page in <TickwireProvider client={…}>')
  })
})
