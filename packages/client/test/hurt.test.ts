/** A reader that is at fault costs no other reader an event, whatever it throws. */
import { afterEach, expect, test, vi } from 'vitest'
import { createDesk } from '../src/desk.ts'
import { DataStream, type Failure } from '../src/index.ts'
import { createVoice } from '../src/voice.ts'
import { trade } from './drive.ts'
import { createStand, until, type Stand } from './stand.ts'

let stand: Stand | undefined
afterEach(() => stand?.close())
/** What makes no text of itself. */
const nameless = (): unknown => Object.create(null)

test.each([0, -1, 1.5, NaN, Infinity, '5' as unknown as number])(
  '[S4-25] a loop with the limit %s is refused at once, in words',
  async (limit) => {
    stand = await createStand()
    const client = stand.connect()
    const stream = new DataStream({ url: stand.url })
    for (const ask of [() => stream.stream('BTCUSDT', { limit }), () => client.events('trade:BTC-USDT', { limit })]) {
      expect(ask).toThrow(TypeError)
      expect(ask).toThrow(/^limit: /)
    }
    expect(stream.state()).toBeUndefined()
  }
)

test('[S4-27] a reader that throws is told of, and the readers after it have the event', () => {
  const voice = createVoice()
  const failures: Failure[] = []
  voice.on('error', (failure) => failures.push(failure))
  const desk = createDesk(voice)
  const seqs: number[] = []
  const join = (deliver: (event: { seq: number }) => void): void =>
    desk.join({ topics: ['trade:BTC-USDT'], deliver, settled: () => {}, ended: () => {} }, () => {})
  join(() => {
    throw new Error('mine')
  })
  join(({ seq }) => seqs.push(seq))
  const position = { epoch: 'e1', seq: 0 }
  desk.settled(
    'trade:BTC-USDT',
    { asked: 'trade:BTC-USDT', topic: 'trade:BTC-USDT', ok: true, position, upstream: 'live' },
    false
  )
  desk.deliver(trade(1))
  desk.deliver(trade(2))
  expect(seqs).toEqual([1, 2])
  expect(failures).toMatchObject([{ code: 'CALLBACK' }, { code: 'CALLBACK' }])
})

test('[S4-27] a callback that throws what makes no text, or whose promise fails with it, stops nobody', async () => {
  stand = await createStand()
  const client = stand.connect()
  const failures: Failure[] = []
  client.on('error', (failure) => failures.push(failure))
  const seqs: number[] = []
  const readers = [
    client.subscribe('trade:BTC-USDT', () => {
      throw nameless()
    }),
    client.subscribe('trade:BTC-USDT', () => Promise.reject(nameless())),
    client.subscribe('trade:BTC-USDT', ({ seq }) => seqs.push(seq))
  ]
  for (const { ready } of readers) await ready
  for (let price = 1; price <= 20; price++) stand.trade(price)
  await until(() => seqs.length === 20 && failures.length === 40)
  expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['CALLBACK']))
  expect(seqs).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('[S4-27] a listener for errors that throws such a thing itself is printed', () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    const voice = createVoice()
    voice.on('error', () => {
      throw nameless()
    })
    voice.emit('error', { code: 'CALLBACK', message: '', retry: false })
    expect(print).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("a listener of 'error' threw"))
  } finally {
    print.mockRestore()
  }
})

test('[S1-39] a token that cannot be fetched, for whatever is thrown, is tried again', async () => {
  stand = await createStand({ auth: { keys: ['00'.repeat(32)] } })
  const client = stand.connect({ token: () => Promise.reject(nameless()) })
  await until(() => client.state().attempt > 1 && client.state().reason.startsWith('No token: '))
})
