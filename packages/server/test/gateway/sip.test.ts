/** Readers that are slower than events come but read on: over real sockets, whose kernel would keep megabytes for them. */
import { connect as connectTcp, type Socket } from 'node:net'
import { test } from 'vitest'
import { frame } from './raw.ts'
import { startRig, tradeOf } from './rig.ts'

const TOPIC = 'trade:BTC-USDT'
/** Each about half a kilobyte. */
const big = (now: number) => ({ ...tradeOf('BTC-USDT', 42), time: now, received: now, id: 'x'.repeat(300) })
const PACE = 100_000
const WITHIN = 5_000

type Hear = (bytes: Buffer) => void
type AtEnd = (end: () => void) => void

/** Reads at its pace, and no more is taken out of the kernel than that. */
function sip(socket: Socket, heard: Hear, atEnd: AtEnd): void {
  let owed = 0
  socket.pause()
  const timer = setInterval(() => {
    owed = Math.min(owed + PACE / 20, PACE / 5)
    const chunk = socket.read(Math.min(Math.floor(owed), socket.readableLength || 1)) as Buffer | null
    if (!chunk) return
    owed -= chunk.length
    heard(chunk)
  }, 50)
  atEnd(() => {
    clearInterval(timer)
    socket.destroy()
  })
}

/** What was read last: its text, and the ages that events had when they were read. */
function createEar() {
  const ear = { text: '', ages: [] as number[] }
  const hear = (bytes: Buffer): void => {
    const text = bytes.toString('latin1')
    ear.text = (ear.text + text).slice(-100_000)
    const ages = [...text.matchAll(/"published":(\d{13})/g)].map(([, at]) => Date.now() - Number(at))
    ear.ages = [...ear.ages, ...ages].slice(-50)
  }
  return { ear, hear }
}

/** Answers each ping in turn, when it has come to it. */
function answering(socket: Socket): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 2) {
      const short = rest[1]! & 0x7f
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (rest.length < header) return
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
      if (rest.length < header + length) return
      if ((rest[0]! & 0x0f) === 9) socket.write(frame({ op: 10, payload: rest.subarray(header, header + length) }))
      rest = rest.subarray(header + length)
    }
  }
}

const UPGRADE =
  'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

async function openSocket(port: number, hear: Hear, atEnd: AtEnd): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1', () => socket.write(UPGRADE))
  await new Promise((resolve) => socket.once('data', resolve))
  const payload = JSON.stringify({ op: 'subscribe', topics: [TOPIC], notices: false })
  socket.write(frame({ op: 1, payload }))
  const answer = answering(socket)
  const both = (bytes: Buffer) => {
    hear(bytes)
    answer(bytes)
  }
  sip(socket, both, atEnd)
}

async function openStream(port: number, hear: Hear, atEnd: AtEnd): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1')
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write(`GET /v1/events?topics=${TOPIC} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  sip(socket, hear, atEnd)
}

// What the kernel holds for a stream is known on Linux alone.
const roads = [['a WebSocket', openSocket] as const, ...(process.platform === 'linux' ? [['a stream', openStream] as const] : [])]
// At once: each waits for what the kernel of its own sockets takes, and then goes on for a while.
test.concurrent.for(roads)(
  '[T6] [C1] over %s who reads at half the pace is told that he gets the newest, gets nothing older than five seconds, and stays',
  { timeout: 90_000 },
  async ([, open], { expect, onTestFinished }) => {
    const { port, plant, gateway } = await startRig()
    onTestFinished(() => gateway.close(0))
    const { ear, hear } = createEar()
    await open(port, hear, onTestFinished)
    const pump = setInterval(() => {
      for (let n = 0; n < 20; n++) plant.publish(TOPIC, big(Date.now()), Date.now())
    }, 50)
    onTestFinished(() => clearInterval(pump))
    const isMoved = () => /"reason":"slow"/.test(ear.text)
    await expect.poll(isMoved, { timeout: 30_000, interval: 20 }).toBe(true)
    const isFresh = () => ear.ages.length === 50 && Math.max(...ear.ages) < WITHIN
    await expect.poll(isFresh, { timeout: 30_000, interval: 20 }).toBe(true)
    // And so it goes on.
    const until = Date.now() + WITHIN
    const oldest: number[] = []
    await expect
      .poll(() => oldest.push(Math.max(...ear.ages)) > 0 && Date.now() > until, { timeout: 30_000, interval: 50 })
      .toBe(true)
    expect(Math.max(...oldest)).toBeLessThan(WITHIN)
    expect(gateway.stats()).toMatchObject({ slowCloses: 0, connections: 1 })
  }
)
