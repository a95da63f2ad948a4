import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Client, type Published, type Status, type Trade } from '@tickwire/client'
import { cuttable, freePort, run, until, type Program } from './program.ts'

const INSTRUMENT = 'BTC-USDT'
const TRADES = `trade:${INSTRUMENT}`

let street: Program
let server: Program
let wire: Awaited<ReturnType<typeof cuttable>>
let client: Client
let control: string
let port: number
const trades: Published<Trade>[] = []
/** Which life of the server each trade came in: the number of resets before it. */
const lives: number[] = []
const byCoinbase: Published<Trade>[] = []
const statuses: Status[] = []
const seen = { resumed: 0, reset: 0, lost: 0, gaps: 0, shutdown: 0, states: [] as string[] }

const fault = async (provider: string, name: string) => {
  const response = await fetch(`${control}/street/${provider}/${name}`, { method: 'POST' })
  expect(response.status).toBe(200)
}

/** The server as a user configures it, with the addresses of the street in place of the real ones. */
function startServer(): Promise<Program> {
  const addresses = [...street.output().matchAll(/^ {2}(\w+) +(ws:\S+) +(http:\S+)$/gm)]
  expect(addresses.length).toBeGreaterThanOrEqual(3)
  const env: Record<string, string> = {
    TICKWIRE_PORT: String(port),
    TICKWIRE_WATCH: INSTRUMENT,
    TICKWIRE_FEED__HOLD_DOWN: '3s',
    TICKWIRE_LOG__LEVEL: 'warn'
  }
  for (const [, name, wsUrl, restUrl] of addresses) {
    env[`TICKWIRE_PROVIDERS__${name!.toUpperCase()}__WS_URL`] = wsUrl!
    env[`TICKWIRE_PROVIDERS__${name!.toUpperCase()}__REST_URL`] = restUrl!
  }
  return run(['--live'], /Tickwire {2}(http:\S+)/, env)
}

const newest = () => trades.at(-1)

beforeAll(async () => {
  street = await run(['street', '--control', '0', '--seed', '7'], /Faults: curl -X POST '(http:\S+?)\/street/)
  control = street.found[1]!
  port = await freePort()
  server = await startServer()
  wire = await cuttable(port)
  client = connect({ url: `http://127.0.0.1:${wire.port}`, backoff: { min: 50, max: 500 } })
  client.on('status', (status) => statuses.push(status))
  client.on('resumed', () => seen.resumed++)
  client.on('reset', () => seen.reset++)
  client.on('lost', () => seen.lost++)
  client.on('shutdown', () => seen.shutdown++)
  client.on('state', ({ phase }) => seen.states.push(phase))
  client.subscribe(TRADES, (event) => {
    trades.push(event as Published<Trade>)
    lives.push(seen.reset)
  })
  client.subscribe(`${TRADES}@coinbase`, (event) => byCoinbase.push(event as Published<Trade>))
  await until('the first trade', newest)
})

afterAll(async () => {
  client?.close()
  wire?.close()
  await server?.kill('SIGKILL')
  await street?.kill('SIGKILL')
})

/** Every trade of one life of the server came once and in order. */
function expectNoHole(): void {
  for (let i = 1; i < trades.length; i++)
    if (lives[i] === lives[i - 1]) expect(trades[i]!.seq, `after ${trades[i - 1]!.seq}`).toBe(trades[i - 1]!.seq + 1)
}

test('[S2-14] [S0-36] [S4-27] the provider that leads is killed: another takes over at once, says why, and no trade of it is missing', async () => {
  await until('the preferred provider leads', () => newest()?.provider === 'binance')
  const before = statuses.length
  await fault('binance', 'kill')
  const status = await until('a failover', () =>
    statuses.slice(before).find((s) => s.kind === 'trade' && s.previous === 'binance')
  )
  expect(status.cause).toBe('closed')
  expect(status.reason).toMatch(/binance/)
  const last = trades.findLast((trade) => trade.provider === 'binance')!
  await until(
    'trades of the standby',
    () => trades.filter((trade) => trade.provider === status.leader && trade.seq > last.seq).length > 3
  )
  if (status.leader === 'coinbase') {
    const later = byCoinbase.filter((trade) => trade.received > last.received && trade.received <= newest()!.received)
    const admitted = new Set(trades.filter((trade) => trade.provider === 'coinbase').map((trade) => trade.id))
    await until('every trade of the standby since', () =>
      later.every((trade) => admitted.has(trade.id) || trades.some((t) => t.id === trade.id))
    )
  }
  expectNoHole()
})

test('[S2-14] the second provider is killed too: the third takes over', async () => {
  const second = statuses.findLast((s) => s.kind === 'trade')!.leader!
  const before = statuses.length
  await fault(second, 'kill')
  const status = await until('a second failover', () =>
    statuses.slice(before).find((s) => s.kind === 'trade' && s.previous === second)
  )
  expect([second, 'binance']).not.toContain(status.leader)
  await until('trades of the third', () => newest()?.provider === status.leader)
  expectNoHole()
})

test('both come back: the preferred one leads again after the hold-down, and says so', async () => {
  const before = statuses.length
  await fault('binance', 'revive')
  await fault('coinbase', 'revive')
  const status = await until(
    'failback',
    () => statuses.slice(before).findLast((s) => s.kind === 'trade' && s.cause === 'failback' && s.leader === 'binance'),
    60_000
  )
  expect(status.reason.length).toBeGreaterThan(10)
  await until('trades of it', () => newest()?.provider === 'binance')
  expectNoHole()
}, 90_000)

test("the client's connection is cut: it resumes, and nothing is lost and nothing comes twice", async () => {
  for (let i = 1; i <= 5; i++) {
    const before = trades.length
    wire.cut()
    await until('the client is back', () => seen.resumed >= i)
    await until('trades go on', () => trades.length > before + 2)
  }
  expect(seen.reset).toBe(0)
  expect(seen.lost).toBe(0)
  expectNoHole()
})

test('[S1-69] the server is killed and started again: the client comes back by itself, is told of the new epoch, and prices go on', async () => {
  const before = trades.length
  await server.kill('SIGKILL')
  await until('the client notices', () => seen.states.at(-1) !== 'open')
  server = await startServer()
  await until('the client is told', () => seen.reset > 0)
  await until('trades go on', () => trades.length > before + 3)
  expectNoHole()
})

test('SIGTERM: clients are told before, and the program ends with 0', async () => {
  expect(await server.kill('SIGTERM')).toBe(0)
  await until('the notice', () => seen.shutdown > 0)
})
