/** The shell that hosts services over a real plant. */
import type { Candle, Published, Trade } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { createPlant } from '../../src/plant/plant.ts'
import { createCandles } from '../../src/services/candles.ts'
import { hostServices, type HostOptions } from '../../src/services/run.ts'
import { service, type Input, type Service } from '../../src/services/service.ts'

const MINUTE = 60_000
const trade = (time: number, price: number, instrument = 'BTC-USDT'): Trade => {
  const stamp = { provider: 'alpha', instrument, time, received: time }
  return { type: 'trade', ...stamp, price, size: 1, side: 'buy' }
}

function bench(services: readonly Service<any>[], options: Partial<HostOptions> = {}) {
  const plant = createPlant({ epoch: 'e' })
  const clock = { now: 0 }
  const logged: object[] = []
  const log = { error: (fields: object) => void logged.push(fields) }
  const host = hostServices({ plant, services, clock: () => clock.now, log, every: 0, ...options })
  const seen = (topic: string) => plant.recent(topic, 1_000) as readonly Published<Candle>[]
  return { plant, clock, host, logged, seen, say: (event: Trade) => plant.publish(`trade:${event.instrument}`, event, clock.now) }
}
/** A service that only writes down what it is given. */
const recorder = (reads: Service['reads'] = ['trade']) => {
  const inputs: Input[] = []
  return {
    inputs,
    service: service<null>({ name: 'recorder', reads, open: () => null, fold: (_, input) => (inputs.push(input), []) })
  }
}

test('trades of a watched instrument come out as candles, closed by the clock minus the allowed lateness', () => {
  const { clock, host, seen, say } = bench([createCandles()])
  host.watch('BTC-USDT')
  say(trade(10, 5))
  clock.now = MINUTE + 499
  host.tick()
  expect(seen('candle:BTC-USDT:1m').at(-1)).toMatchObject({ closed: false, close: 5 })
  clock.now = MINUTE + 500
  host.tick()
  expect(seen('candle:BTC-USDT:1m').filter(({ closed }) => closed)).toMatchObject([
    { start: 0, close: 5, trades: 1, published: MINUTE + 500 }
  ])
})

test('by event time the watermark follows the newest event, however old the recording and whatever the clock says', () => {
  const { clock, host, seen, say } = bench([createCandles()], { time: 'event' })
  host.watch('BTC-USDT')
  clock.now = 1e12
  host.tick()
  say(trade(10, 5))
  say(trade(MINUTE + 499, 6))
  host.tick()
  expect(seen('candle:BTC-USDT:1m').some(({ closed }) => closed)).toBe(false)
  say(trade(MINUTE + 500, 6))
  host.tick()
  expect(seen('candle:BTC-USDT:1m').find(({ closed }) => closed)).toMatchObject({ start: 0, close: 5 })
})

test('a service that throws is logged once per message, counted, and keeps neither others nor its own next input from working', () => {
  const picky = service<null>({
    name: 'picky',
    reads: ['trade'],
    open: () => null,
    fold(_, input) {
      if (input.type === 'trade' && input.price < 0) throw new Error('no price is negative')
      return input.type === 'trade' ? [{ topic: 'trade:ECHO', event: { ...input } }] : []
    }
  })
  const { inputs, service: witness } = recorder()
  const { host, logged, seen, say } = bench([picky, witness])
  host.watch('BTC-USDT')
  for (const price of [-1, -2, 3]) say(trade(1, price))
  expect(logged).toMatchObject([{ service: 'picky', instrument: 'BTC-USDT', input: 'trade' }])
  expect(inputs).toHaveLength(3)
  expect(seen('trade:ECHO')).toMatchObject([{ price: 3 }])
  expect(host.stats()).toEqual([
    { service: 'picky', inputs: 3, outputs: 1, errors: 2 },
    { service: 'recorder', inputs: 3, outputs: 0, errors: 0 }
  ])
})

test('an instrument is served until all who watch it have let go, and is forgotten then', () => {
  const { plant, clock, host, seen, say } = bench([createCandles()])
  const [first, second] = [host.watch('BTC-USDT'), host.watch('BTC-USDT')]
  expect(plant.listeners('trade:BTC-USDT')).toBe(1)
  first()
  first()
  expect(plant.listeners('trade:BTC-USDT')).toBe(1)
  say(trade(10, 5))
  second()
  expect(plant.listeners('trade:BTC-USDT')).toBe(0)
  clock.now = 5 * MINUTE
  host.watch('BTC-USDT')
  host.tick()
  expect(seen('candle:BTC-USDT:1m')).toEqual([])
})

test('joining late, a service is told the state that holds but no event of the past', () => {
  const { inputs, service: witness } = recorder(['trade', 'quote'])
  const { plant, host, say } = bench([witness])
  say(trade(1, 5))
  plant.publish('quote:BTC-USDT', { ...trade(1, 5), type: 'quote', bid: 1, bidSize: 1, ask: 2, askSize: 1 } as never, 0)
  host.watch('BTC-USDT')
  expect(inputs.map(({ type }) => type)).toEqual(['quote'])
})

test('a service that reads candles is given those of every interval', () => {
  const { inputs, service: witness } = recorder(['candle'])
  const { clock, host, say } = bench([createCandles(), witness])
  host.watch('BTC-USDT')
  say(trade(1, 5))
  clock.now = 1_000
  host.tick()
  expect(inputs.filter(({ type }) => type === 'candle')).toHaveLength(12)
})

test('the timer tells the watermark by itself, and stops with the host', async () => {
  const { inputs, service: witness } = recorder()
  const { plant, host } = bench([witness], { every: 5 })
  host.watch('BTC-USDT')
  await expect.poll(() => inputs.length).toBeGreaterThan(1)
  host.stop()
  expect(plant.listeners('trade:BTC-USDT')).toBe(0)
})
