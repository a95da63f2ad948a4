/** RFC 6455 and RFC 7692 on every WebSocket path, as a client sees them that breaks each rule. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dialects, emulations } from '../../src/dialects/index.ts'
import { findRoute } from '../../src/gateway/door.ts'
import { chop, failures, type Spoken } from './conform.ts'
import { startRig, tradeOf, type Rig } from './rig.ts'

const all = [...dialects, ...emulations]
const KIB = 1024
const native = { request: '{"op":"ping","id":"%s"}', reply: '"pong"', max: 64 * KIB }
const fiml = { request: '{"type":"ping","x":"%s"}', reply: 'INVALID_MESSAGE_TYPE', max: 64 * KIB }
const ziggy = { request: '{"action":"ping","ts":"%s"}', reply: '"pong"', max: 64 * KIB }
const binance = { request: '{"method":"LIST_SUBSCRIPTIONS","id":"%s"}', reply: '"result"', max: 64 * KIB }
const alpaca = { request: '{"action":"none","x":"%s"}', reply: '"error"', max: 64 * KIB }
const massive = { request: '{"action":"none","params":"%s"}', reply: '"status":"(?!connected)', max: 256 * KIB }
const coinbase = { request: '{"type":"none","x":"%s"}', reply: '"error"', max: 64 * KIB }
const finnhub = { request: '{"type":"none","x":"%s"}', reply: '"error"', max: 16 * KIB }

const SPOKEN: readonly Spoken[] = [
  { path: '/v1/ws', ...native },
  { path: '/ws/stream', ...fiml },
  { path: '/ws/prices/BTC-USDT', ...fiml },
  { path: '/api/websocket/stream', request: '{"action":"none","x":"%s"}', reply: '"error"', max: 64 * KIB },
  ...['market', 'news', 'alerts', 'signals', 'portfolio', 'charts'].map((name) => ({ path: `/ws/${name}`, ...ziggy })),
  ...['stream', 'ws', 'ws/btcusdt@trade'].map((name) => ({ path: `/emulate/binance/${name}`, ...binance })),
  ...['/emulate/coinbase', '/emulate/coinbase/'].map((path) => ({ path, ...coinbase })),
  { path: '/emulate/kraken/v2', request: '{"method":"ping","x":"%s"}', reply: '"pong"', max: 64 * KIB },
  ...['v2/iex', 'v2/sip', 'v2/delayed_sip', 'v2/test', 'v1beta1/news'].map((name) => ({
    path: `/emulate/alpaca/${name}`,
    ...alpaca
  })),
  ...['us', 'us-1', 'eu-1'].map((name) => ({ path: `/emulate/alpaca/v1beta3/crypto/${name}`, ...alpaca })),
  ...['stocks', 'crypto', 'forex', 'indices'].map((name) => ({ path: `/emulate/massive/${name}`, ...massive })),
  ...['/emulate/finnhub?token=any', '/emulate/finnhub/?token=any'].map((path) => ({ path, ...finnhub }))
]

const dialectAt = (path: string) => findRoute(all, path)?.dialect

let rig: Rig
let proxy: Awaited<ReturnType<typeof chop>>
let pump: NodeJS.Timeout
beforeAll(async () => {
  rig = await startRig({ dialects: all, limits: { message: 256 * KIB } })
  proxy = await chop(rig.port)
  // Events go out between the frames of the protocol.
  pump = setInterval(() => rig.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now()), 20)
})
afterAll(async () => {
  clearInterval(pump)
  proxy.close()
  await rig.gateway.close(0)
})

test('[T1] every path of every dialect is among those that are tried', () => {
  const tried = new Set(SPOKEN.map(({ path }) => dialectAt(path)))
  const served = all.filter(({ paths }) => paths.length > 0)
  expect(served.filter((dialect) => !tried.has(dialect)).map(({ name }) => name)).toEqual([])
  const paths = SPOKEN.map(({ path }) => path.split('?')[0] ?? '')
  const isTried = (pattern: string) =>
    paths.some((path) => path === pattern || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))))
  expect(served.flatMap(({ paths }) => paths).filter((pattern) => !isTried(pattern))).toEqual([])
})

// Several at once: much of each run is waiting for what must not come.
describe.concurrent('every path', () => {
  test.for(SPOKEN)('[T1] [C7] [C8] $path keeps RFC 6455 and RFC 7692', { timeout: 120_000 }, async (spoken, { expect }) => {
    expect(await failures(rig.port, spoken, 1_500)).toEqual([])
  })
})

/** The paths of a dialect are one code behind the upgrade. */
const ONE_EACH = SPOKEN.filter(({ path }, n) => SPOKEN.findIndex((one) => dialectAt(one.path) === dialectAt(path)) === n)
test.for(ONE_EACH)('[T1] [C8] $path keeps them in segments of three bytes', { timeout: 120_000 }, async (spoken) => {
  expect(await failures(proxy.port, spoken, 10_000)).toEqual([])
})
