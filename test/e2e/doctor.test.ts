/** `tickwire doctor` against the street and against servers that are wrong in one way each: one line with its mending. */
import { createServer as createHttp, type Server } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { createStreet, type Street } from '@tickwire/street'
import { freePort, run } from './program.ts'

// Most of it is waiting: each has a program of its own, and where it counts who asked a server of its own.
vi.setConfig({ maxConcurrency: 3, testTimeout: 120_000 })

let street: Street
let addresses: Record<string, { wsUrl: string; restUrl: string }>
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, trace: () => {}, fatal: () => {} } as never

/** Lists one pair as Binance does, takes every socket and says nothing. */
let mute: { server: Server; host: string }
/** One feed with one story; every other path is gone. */
let press: { server: Server; host: string }

const LISTING = { symbols: [{ symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', filters: [] }] }
const STORY = `<rss version="2.0"><channel><title>Wire</title><item><title>Rates held</title><guid>1</guid>
  <link>https://wire.example/1</link><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>`

async function open(server: Server): Promise<{ server: Server; host: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, host: `127.0.0.1:${(server.address() as { port: number }).port}` }
}

const sentries: { server: Server }[] = []
/** Refuses everyone: 401 by REST, 403 at the handshake. Counts who asked. */
async function openSentry(): Promise<{ host: string; knocks: () => number }> {
  let knocks = 0
  const server = createHttp((_, response) => {
    knocks++
    response.writeHead(401).end('{"message":"unauthorized KEY-OF-MINE"}')
  })
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n'))
  sentries.push({ server })
  return { host: (await open(server)).host, knocks: () => knocks }
}

beforeAll(async () => {
  street = createStreet({ seed: 1, control: 0, clock: Date.now, log: quiet })
  addresses = await street.start()
  mute = await open(createHttp((_, response) => response.end(JSON.stringify(LISTING))))
  const sockets = new WebSocketServer({ noServer: true })
  mute.server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}))
  press = await open(
    createHttp(({ url }, response) => {
      if (url === '/wire') response.setHeader('content-type', 'application/rss+xml').end(STORY)
      else response.writeHead(404).end()
    })
  )
})
afterAll(async () => {
  for (const { server } of [mute, press, ...sentries]) {
    server.closeAllConnections()
    server.close()
  }
  await street.stop()
})

const set = (...options: string[]): string[] => options.flatMap((option) => ['--set', option])
const at = (provider: string, { wsUrl, restUrl } = addresses[provider]!): string[] =>
  set(`providers.${provider}.wsUrl=${wsUrl}`, `providers.${provider}.restUrl=${restUrl}`)
const onHost = (host: string, tls = '') => ({ wsUrl: `ws${tls}://${host}/ws`, restUrl: `http${tls}://${host}` })

type Finding = { provider: string; address: string; key: string; ok: boolean; finding: string; mend?: string }
async function doctor(...args: string[]) {
  const { found, exited, output } = await run(['doctor', '--json', '--timeout', '6', ...args], /^\[.*\]$/m)
  return { code: await exited, findings: JSON.parse(found[0]) as Finding[], output: output() }
}

test.concurrent('a provider that answers is well, and its address, its key and its first message are named', async () => {
  const { code, findings } = await doctor('kraken', ...at('kraken'))
  expect(findings).toEqual([
    {
      provider: 'kraken',
      address: addresses.kraken!.wsUrl,
      key: 'no key needed',
      ok: true,
      finding: expect.stringMatching(/^first quote of BTC-USDT after/) as string
    }
  ])
  expect(code).toBe(0)
})

test.concurrent('for people it is one line each', async () => {
  const { found, exited } = await run(['doctor', 'kraken', 'alpaca', ...at('kraken')], /ok .*\nBAD .*\n/)
  expect(found[0]).toMatch(
    /^ok {3}kraken {2}ws:\S+ +no key needed +first quote of BTC-USDT after [\d.]+ s\nBAD {2}alpaca .* key missing +needs/
  )
  expect(await exited).toBe(1)
})

test.concurrent('a missing key is named by the variable that takes it, and nothing is asked', async () => {
  const sentry = await openSentry()
  const { findings } = await doctor('alpaca', ...at('alpaca', onHost(sentry.host)))
  expect(findings[0]).toMatchObject({
    key: 'key missing',
    finding: 'needs key and secret',
    mend: 'Set TICKWIRE_PROVIDERS__ALPACA__KEY and TICKWIRE_PROVIDERS__ALPACA__SECRET'
  })
  expect(sentry.knocks()).toBe(0)
})

test.concurrent('a host that is not known, a port that refuses, a peer without TLS: each is told apart', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`
  const { code, findings } = await doctor(
    'binance',
    'coinbase',
    'kraken',
    ...at('binance', onHost('nobody.invalid', 's')),
    ...at('coinbase', onHost(nowhere)),
    ...at('kraken', onHost(mute.host, 's'))
  )
  expect(code).toBe(1)
  expect(findings.map(({ mend }) => mend)).toEqual([
    expect.stringMatching(/^The host is not known/),
    expect.stringMatching(/^Nothing listens there/),
    expect.stringMatching(/does not speak TLS/)
  ])
})

test.concurrent('a certificate that nobody vouches for is told as that', async () => {
  // What a server with a certificate of its own does is an alert; here the peer answers the hello with one.
  const alert = createTcp((socket) => socket.on('error', () => {}).end(Buffer.from([0x15, 3, 3, 0, 2, 2, 48])))
  await new Promise<void>((resolve) => alert.listen(0, '127.0.0.1', resolve))
  const { port } = alert.address() as { port: number }
  const { findings } = await doctor('binance', ...at('binance', onHost(`127.0.0.1:${port}`, 's')))
  alert.close()
  expect(findings[0]!.mend).toMatch(/^The certificate is not trusted/)
})

test.concurrent('401 and 403 blame the key of a provider that has one, and the address or region of one that needs none', async () => {
  const sentry = await openSentry()
  const { findings, output } = await doctor(
    'finnhub',
    'binance',
    ...at('finnhub', onHost(sentry.host)),
    ...set('providers.finnhub.key=KEY-OF-MINE'),
    ...at('binance', { wsUrl: `ws://${sentry.host}`, restUrl: `http://${mute.host}` })
  )
  expect(findings[0]).toMatchObject({ key: 'key set', mend: expect.stringContaining('check the key') as string })
  expect(findings[0]!.finding).toContain('HTTP 401')
  expect(findings[1]!.finding).toContain('HTTP 403')
  expect(findings[1]!.mend).toMatch(/^It needs no key/)
  expect(output).not.toContain('KEY-OF-MINE')
})

test.concurrent('a provider that accepts and stays mute is not called well', async () => {
  const { code, findings } = await doctor('binance', ...at('binance', onHost(mute.host)))
  expect(code).toBe(1)
  expect(findings[0]!.finding).toBe('connected, but no quote of BTC-USDT came within 6 s')
  expect(findings[0]!.mend).toMatch(/stays mute/)
})

test.concurrent('an instrument that none of the configured providers lists is named with the nearest', async () => {
  const rest = ['coinbase', 'binance'].map((name) => `providers.${name}.enabled=false`)
  const { code, findings } = await doctor(...set(...rest, 'watch=BTC-USDT,BTC-USDX'), ...at('kraken'))
  expect(code).toBe(1)
  expect(findings.map(({ provider, ok }) => [provider, ok])).toEqual([
    ['kraken', true],
    ['watch', false]
  ])
  expect(findings[1]).toMatchObject({
    finding: 'none of the providers lists BTC-USDX',
    mend: expect.stringMatching(/^Did you mean BTC-USD/) as string
  })
})

test.concurrent('a provider of few calls a day is asked once, also when it refuses, and the doctor says what that took', async () => {
  const sentry = await openSentry()
  const { findings } = await doctor(
    'alpha-vantage',
    ...set('providers.alpha-vantage.key=x', `providers.alpha-vantage.restUrl=http://${sentry.host}`)
  )
  expect(findings[0]!.finding).toMatch(/HTTP 401.*\(this look took 1 of its 25 calls a day\)$/)
  expect(sentry.knocks()).toBe(1)
})

test.concurrent('a dead feed is named beside the feeds that are well', async () => {
  const feeds = `providers.rss.feed=http://${press.host}/wire,http://${press.host}/gone`
  const { code, findings } = await doctor('rss', ...set(feeds))
  expect(code).toBe(1)
  expect(findings[0]!.finding).toMatch(/^first news after [\d.]+ s, but http:\S+\/gone: HTTP 404/)
  expect(findings[0]!.mend).toMatch(/^There is nothing at that address/)
  const well = await doctor('rss', ...set(`providers.rss.feed=http://${press.host}/wire`))
  expect(well.code).toBe(0)
})

test.concurrent('a provider in a shell says what its library or its program lacks', async () => {
  const { findings } = await doctor(
    'ccxt',
    'interactive-brokers',
    ...set(`providers.interactive-brokers.options.port=${await freePort()}`)
  )
  expect(findings[0]!.finding).toContain('no exchange is named: set options.exchanges')
  expect(findings[1]!.finding).toMatch(/is TWS or the Gateway running/)
})

test.concurrent('with nothing switched on it says so', async () => {
  const off = ['binance', 'coinbase', 'kraken'].map((name) => `providers.${name}.enabled=false`)
  const { found, exited } = await run(['doctor', ...set(...off)], /no provider is switched on.*/)
  expect(found[0]).toContain('tickwire init')
  expect(await exited).toBe(2)
})
