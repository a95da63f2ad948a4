import { connect as connectTcp, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Book, Published, ServerMessage } from '@tickwire/protocol'
import { connect, startRig, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const levels = Array.from({ length: 500 }, (_, i) => [50_000 + i, 1.25] as const)
const bookOf = (): Book => ({
  type: 'book',
  provider: 'one',
  instrument: 'BTC-USDT',
  time: 1,
  received: 1,
  bids: levels,
  asks: levels
})

/** A client that subscribes and never reads again. */
const stall = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () => {
      socket.write(
        'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
      )
    })
    socket.on('error', reject)
    socket.once('data', () => {
      const payload = Buffer.from(JSON.stringify({ op: 'subscribe', topics: ['book:BTC-USDT'], notices: false }))
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]))
      socket.pause()
      resolve(socket)
    })
  })

test('[T6] a client that stops reading is let go within the time, and the others go on in order', async () => {
  const own = await start({ fanout: { patience: 500, cutAfter: 1_500 } })
  const stalled = await stall(own.port)
  const reader = await connect(own.url)
  reader.send({ op: 'subscribe', topics: ['book:BTC-USDT'], notices: false })
  await reader.message('subscribed')
  const pump = setInterval(() => {
    for (let n = 0; n < 8; n++) own.plant.publish('book:BTC-USDT', bookOf(), Date.now())
  }, 5)
  try {
    await expect.poll(() => own.gateway.stats().slowCloses, { timeout: 30_000 }).toBe(1)
  } finally {
    clearInterval(pump)
  }
  const end = own.plant.last('book:BTC-USDT')!.seq
  await reader.until(() => reader.events().at(-1)?.seq === end)
  // A notice of its own contract, on a machine that was busy, has none.
  const seqs = reader.events().flatMap(({ seq }) => seq ?? [])
  expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
  await expect.poll(() => own.gateway.stats(), { timeout: 30_000 }).toMatchObject({ slowCloses: 1, connections: 1 })
  expect(reader.ws.readyState).toBe(reader.ws.OPEN)
  stalled.destroy()
  reader.ws.terminate()
}, 20_000)

test('[T6] a client that pauses and reads on is told what is lost, then gets the newest alone, and once it has kept up each again', async () => {
  const own = await start({ fanout: { backlog: 1_000, patience: 100, cutAfter: 20_000, forgiveAfter: 500 } })
  const reader = await connect(own.url)
  reader.send({ op: 'subscribe', topics: ['book:BTC-USDT'], notices: false })
  await reader.message('subscribed')
  reader.ws.pause()
  const pump = setInterval(() => {
    for (let n = 0; n < 20; n++) own.plant.publish('book:BTC-USDT', bookOf(), Date.now())
  }, 5)
  try {
    await expect.poll(() => own.gateway.connections()[0]!.pending, { timeout: 30_000 }).toBeGreaterThan(50)
  } finally {
    clearInterval(pump)
  }
  reader.ws.resume()
  const isEvent = (each: Published | { op: string }): each is Published => !('op' in each)
  const told = () => reader.events().filter(isEvent)
  const publish = () => own.plant.publish('book:BTC-USDT', bookOf(), Date.now()).seq
  const end = own.plant.last('book:BTC-USDT')!.seq
  await reader.until(() => told().at(-1)?.seq === end, 30_000)
  const moved = await reader.message('contract')
  expect(moved).toEqual({ op: 'contract', topics: ['book:BTC-USDT'], contract: { delivery: 'latest' }, reason: 'slow' })
  // What came before the notice came by `every`: each event, or counted as lost.
  let at = told()[0]!.seq - 1
  for (const each of reader.events() as (Published | Extract<ServerMessage, { op: 'lost' }>)[]) {
    if ('op' in each) expect(each).toMatchObject({ op: 'lost', from: at + 1, count: each.to - at, reason: 'slow' })
    else expect(each.seq).toBe(at + 1)
    at = 'op' in each ? each.to : each.seq
  }
  expect(own.gateway.stats().lost).toBeGreaterThan(0)
  const back = await reader.message('contract', 1)
  expect(back).toEqual({ op: 'contract', topics: ['book:BTC-USDT'], contract: { delivery: 'every' }, reason: 'caught up' })
  const from = [publish(), publish(), publish()]
  await reader.until(() => told().at(-1)?.seq === from.at(-1))
  expect(
    told()
      .slice(-3)
      .map(({ seq }) => seq)
  ).toEqual(from)
  reader.ws.terminate()
}, 30_000)

/** Asks for a stream of events and reads no more than its first bytes. */
const stallStream = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () =>
      socket.write('GET /v1/events?topics=book:BTC-USDT HTTP/1.1\r\nHost: localhost\r\n\r\n')
    )
    socket.on('error', reject)
    socket.once('data', () => {
      socket.pause()
      resolve(socket)
    })
  })

test('[T6] a stream of events that nobody reads is given no more than its bound, and is cut within the time', async () => {
  const own = await start({ fanout: { cutAfter: 2_000 } })
  const stalled = await stallStream(own.port)
  const pump = setInterval(() => {
    for (let n = 0; n < 8; n++) own.plant.publish('book:BTC-USDT', bookOf(), Date.now())
  }, 5)
  try {
    // Events that pass it by: while it is behind nothing is kept for it.
    await expect.poll(() => own.gateway.connections()[0]?.pending, { timeout: 30_000 }).toBeGreaterThan(400)
    await expect
      .poll(() => own.gateway.stats(), { timeout: 30_000 })
      .toMatchObject({ slowCloses: 1, connections: 0, behind: 0, groups: 0 })
    // The kernel's buffers, and the bound of ours.
    const size = JSON.stringify(own.plant.last('book:BTC-USDT')).length
    expect(own.gateway.stats().delivered * size).toBeLessThan(16 * 1024 * 1024)
  } finally {
    clearInterval(pump)
    stalled.destroy()
  }
}, 30_000)

test('[C7] a client that answers no ping is closed with 4002, one that does stays', async () => {
  const own = await start({ limits: { heartbeat: { interval: 100, deadline: 300 } } })
  const deaf = await connect(own.url, { autoPong: false })
  const awake = await connect(own.url)
  expect(await deaf.closed()).toEqual({ code: 4002, reason: 'no heartbeat' })
  expect(awake.ws.readyState).toBe(awake.ws.OPEN)
  await expect.poll(() => own.gateway.stats().connections).toBe(1)
  awake.ws.terminate()
})
