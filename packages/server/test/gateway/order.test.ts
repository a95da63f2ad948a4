import { WebSocket } from 'ws'
import { afterEach, expect, test } from 'vitest'
import { dialect, type Command } from '../../src/dialects/dialect.ts'
import { startRig, tradeOf, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
})

/** Numbers whatever it says, as providers with one sequence per connection do. */
const numbering = dialect<{ next: number }>({
  name: 'numbering',
  paths: ['/numbered'],
  maxMessage: 1_000,
  open: () => ({ memory: { next: 0 }, commands: [{ type: 'subscribe', topics: ['trade:BTC-USDT', 'trade:ETH-USDT'] }] }),
  receive: (frame, memory): Command[] => [
    { type: frame === 'less' ? 'unsubscribe' : 'subscribe', topics: ['trade:ETH-USDT'] },
    { type: 'send', text: `${memory.next++}` }
  ],
  render: (_event, memory) => `${memory.next++}`
})

test('of a dialect that numbers its messages, an answer made while events are pending arrives in its place', async () => {
  // A flush so far away that every event is still pending when the next request comes.
  const own = (rig = await startRig({ dialect: numbering, flushEvery: 60_000 }))
  const ws = new WebSocket(`ws://127.0.0.1:${own.port}/numbered`)
  const numbers: number[] = []
  ws.on('message', (data: Buffer) => numbers.push(Number(data.toString())))
  await new Promise((resolve) => ws.once('open', resolve))
  await expect.poll(() => own.plant.listeners('trade:BTC-USDT')).toBe(1)
  for (let turn = 0; turn < 10; turn++) {
    const before = numbers.length
    for (let n = 0; n < 3; n++) own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), Date.now())
    ws.send(turn % 2 === 0 ? 'less' : 'more')
    await expect.poll(() => numbers.length).toBeGreaterThanOrEqual(before + 4)
  }
  expect(numbers).toEqual(numbers.map((_, i) => i))
  ws.terminate()
})
