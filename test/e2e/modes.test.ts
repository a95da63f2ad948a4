import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { connect, type Book, type Trade } from '@tickwire/client'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createStreet } from '@tickwire/street'
import { freePort, run, until, type Program } from './program.ts'

const READY = /Tickwire {2}(http:\S+)/
const QUIET = ['--port', '0', '--set', 'street.control=0', '--set', 'log.level=warn']
const programs: Program[] = []

async function start(
  args: string[],
  env: Record<string, string> = {}
): Promise<{ url: string; program: Program; get: (path: string) => Promise<any> }> {
  const program = await run([...args, ...QUIET], READY, env)
  programs.push(program)
  const url = program.found[1]!
  return { url, program, get: async (path) => (await fetch(url + path)).json() }
}

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill('SIGKILL')))
})

describe('modes', () => {
  test('without configuration it is the demo, and says so in what it prints, in /health and to every client', async () => {
    const { url, program, get } = await start(['serve', '--demo'])
    expect(program.output()).toContain('every price is simulated')
    expect(await get('/health')).toMatchObject({ mode: 'demo', simulated: true })
    using client = connect({ url })
    expect(await until('hello', () => client.state().hello?.mode)).toBe('demo')
    const { providers } = await get('/v1/providers')
    expect(providers.map((p: { simulated: boolean }) => p.simulated)).not.toContain(false)
  })

  test.each([
    ['coinbase', 'BTC-USD', { price: [64_000, 66_000] }],
    ['binance', 'NKN-USDT', { price: [0.3, 0.4] }],
    ['kraken', 'BTC-CHF', { price: [55_000, 57_000] }]
  ])('--capture %s plays its recorded session through the same road', async (provider, instrument, { price }) => {
    const { url, get } = await start(['--capture', provider, '--speed', '20'])
    expect(await get('/health')).toMatchObject({ mode: 'capture', simulated: true })
    using client = connect({ url })
    const books: Book[] = []
    const trades: Trade[] = []
    client.subscribe([`book:${instrument}`, `trade:${instrument}`], (event) => {
      if (event.type === 'book') books.push(event)
      if (event.type === 'trade') trades.push(event)
    })
    const book = await until('a whole book', () => books.find(({ bids, asks }) => bids.length >= 10 && asks.length >= 10))
    expect(book.provider).toBe(provider)
    expect(book.bids[0]![0]).toBeGreaterThan(price[0]!)
    expect(book.asks[0]![0]).toBeLessThan(price[1]!)
    expect(book.bids[0]![0]).toBeLessThan(book.asks[0]![0])
    if (provider === 'kraken') expect(book.verified).toBe(true)
    for (const trade of trades) expect(trade.price).toBeGreaterThan(price[0]!)
  })

  test('live without any provider within reach says so in words, and collects what is watched as soon as one comes', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const env: Record<string, string> = { TICKWIRE_WATCH: 'BTC-USDT' }
    for (const [i, name] of ['BINANCE', 'COINBASE', 'KRAKEN'].entries()) {
      env[`TICKWIRE_PROVIDERS__${name}__WS_URL`] = `ws://127.0.0.1:${ports[i]}`
      env[`TICKWIRE_PROVIDERS__${name}__REST_URL`] = `http://127.0.0.1:${ports[i]}`
    }
    env.TICKWIRE_PROVIDERS__BINANCE__WS_URL += '/stream'
    const { url, get } = await start(['--live'], env)
    expect(await get('/health')).toMatchObject({ status: 'degraded', mode: 'live', simulated: false })
    expect((await fetch(`${url}/ready`)).status).toBe(503)
    const { providers } = await get('/v1/providers')
    for (const provider of providers)
      expect(provider).toMatchObject({ phase: 'waiting', reason: expect.stringMatching(/list of instruments.*refused/i) })
    expect(await get('/v1/quotes/BTC-USDT')).toMatchObject({ error: { code: 'UNAVAILABLE', retry: true } })

    const street = createStreet({ seed: 3, clock: Date.now, log: SILENT, providers: ['binance'], ports: { binance: ports[0] } })
    await street.start()
    try {
      await until('a price', async () => (await get('/v1/last?topics=quote:BTC-USDT')).last?.['quote:BTC-USDT']?.bid > 0)
      expect((await fetch(`${url}/ready`)).status).toBe(200)
    } finally {
      await street.stop()
    }
  })

  test('live and demo are never one process: the flags exclude each other, and so do demo and capture', async () => {
    await expect(run(['--live', '--demo'], READY)).rejects.toThrow(/cannot be used with option/)
    await expect(run(['--demo', '--capture', 'kraken'], READY)).rejects.toThrow(/cannot be used with option/)
  })
})

describe('the command', () => {
  test('init writes a file with which the program goes live, and does not overwrite it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tickwire-')), 'tickwire.config.json')
    await run(['init', '--yes', '--config', file], /is written/)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ port: 8000, providers: { kraken: { enabled: true } } })
    await expect(run(['init', '--yes', '--config', file], /is written/)).rejects.toThrow(/exists already/)
    const shown = await run(['--config', file, '--print-config'], /\n}\n$/)
    expect(JSON.parse(shown.output())).toMatchObject({ port: 8000, gateway: { flushEvery: 16 } })
  })

  test.each([
    [['--port', 'many'], /port is "many"/],
    [['--capture', 'nobody'], /there are recorded sessions of/],
    [['--capture', 'kraken', '--speed', '-1'], /--speed is "-1"/],
    [['--config', '/nowhere/at.all'], /does not exist/],
    [['--set', 'gatewy.flushEvery=1s'], /did you mean gateway\.flushEvery\?/],
    [['--prot', '1'], /Did you mean --port\?/],
    [['frobnicate'], /there is no command "frobnicate": there are serve, stream, [a-z, ]*config/]
  ])('%j is refused in words, with exit code 1 or 2 and without a stack trace', async (args, message) => {
    const failure = await run(args, READY).then(
      () => 'it started',
      (error: Error) => error.message
    )
    expect(failure).toMatch(message)
    expect(failure).toMatch(/ended with [12] /)
    expect(failure).not.toMatch(/\n\s+at /)
  })

  test('a file with an unknown key is refused with its nearest neighbour', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tickwire-')), 'c.json')
    writeFileSync(file, '{"prot": 8000}')
    await expect(run(['--config', file], READY)).rejects.toThrow(/prot is not an option: did you mean port\?/)
  })

  test('a port that is taken is named, and nothing is left running', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await until('the other program', () => other.listening)
    const { port } = other.address() as { port: number }
    await expect(run(['--port', String(port), '--set', 'street.control=0', '--set', 'log.level=warn'], READY)).rejects.toThrow(
      `port ${port} is taken`
    )
    other.close()
  })
})
