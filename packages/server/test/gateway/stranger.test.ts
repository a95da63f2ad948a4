/** Who brings no token to a gateway that wants one is given no price, whatever he asks on whichever address. */
import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Quote } from '@tickwire/protocol'
import { dialects, emulations } from '../../src/dialects/index.ts'
import { startRig, tradeOf, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const TOKEN = 'a-token-of-at-least-thirty-two-characters'
const HASH = createHash('sha256').update(TOKEN).digest('hex')
const ALL = { connections: 1e6, topics: 1e6, messages: 1e6, requests: 1e6 }
const LIMITS = { messages: { perSecond: 1e6, burst: 1e6 } }
/** A price that nothing else could be. */
const [PRICE, SECRET] = [98_765.4321, /98765\.4321/]
const quote: Quote = { ...tradeOf('BTC-USDT', PRICE), type: 'quote', bid: PRICE, bidSize: 1, ask: PRICE, askSize: 1 } as never
const WORDS = ['subscribe', 'get_snapshot', 'force_update', 'test_alert', 'get_status', 'unknown']
const FIELDS = [
  { topics: ['trade:BTC-USDT'] },
  { symbol: 'BTC-USDT' },
  { symbols: ['BTC-USDT'] },
  { symbol: 'BTC-USDT', timeframe: '1m' },
  { symbol: 'BTC-USDT', stream_type: 'quote', interval_ms: 1_000 }
]
const PATHS = [...dialects, ...emulations].flatMap(({ paths }) => paths.map((path) => path.replace('*', 'x')))

/** All the words of a refusal are tried as well: it lists what can be asked. */
const wordsIn = (texts: readonly string[]): string[] => [
  ...new Set(texts.flatMap((text) => text.match(/\b[a-z][a-z_]{2,30}\b/gi) ?? []))
]

async function heard(path: string, isKnown: boolean): Promise<string> {
  rig = await startRig({
    dialects: [...dialects, ...emulations],
    auth: { keys: [HASH] },
    allowances: { perAddress: ALL, perUser: ALL },
    limits: LIMITS
  })
  const { plant, port, gateway } = rig
  const candle = {
    ...tradeOf('BTC-USDT', PRICE),
    type: 'candle',
    interval: '1m',
    open: PRICE,
    high: PRICE,
    low: PRICE,
    close: PRICE
  }
  plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', PRICE), 1)
  plant.publish('quote:BTC-USDT', quote, 1)
  plant.publish('candle:BTC-USDT:1m', { ...candle, start: 0, end: 60_000, closed: false } as never, 1)
  const headers = isKnown ? { authorization: `Bearer ${TOKEN}` } : {}
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  const got: string[] = []
  ws.on('message', (data) => got.push((data as Buffer).toString('latin1')))
  const gone = new Promise<void>((resolve) => void ws.once('close', () => resolve()).once('error', () => resolve()))
  const isOpen = await Promise.race([new Promise<true>((resolve) => ws.once('open', () => resolve(true))), gone])
  if (isOpen) {
    const ask = (word: string) => {
      for (const key of ['action', 'type', 'op', 'method', 'event'])
        for (const rest of FIELDS) ws.send(JSON.stringify({ [key]: word, ...rest }))
    }
    for (const word of WORDS) ask(word)
    await answered(ws)
    for (const word of wordsIn(got).slice(0, 150)) ask(word)
    await answered(ws)
    ws.terminate()
  }
  await gone
  await gateway.close(0)
  rig = undefined
  return got.join('\n')
}

/** A ping is answered behind everything that was sent before it. */
const answered = (ws: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    if (ws.readyState !== WebSocket.OPEN) return resolve()
    ws.once('pong', () => resolve()).once('close', () => resolve())
    ws.ping()
  })

test.for(PATHS)('[S1-86] a stranger at %s hears no price', async (path) => {
  expect(await heard(path, false)).not.toMatch(SECRET)
})

test('whoever brings the token hears it by the same questions', async () => {
  for (const path of ['/v1/ws', '/ws/market', '/ws/alerts'])
    expect([path, SECRET.test(await heard(path, true))]).toEqual([path, true])
})
