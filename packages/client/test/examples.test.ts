/** The programs of examples/ and docs/clients.md, run as a reader would run them, against a real gateway. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Candle } from '@tickwire/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStand, type Stand } from './stand.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const doc = readFileSync(`${root}/docs/clients.md`, 'utf8')
const block = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(doc)?.[1] ?? ''

const refusing = () => Promise.resolve({ outcome: 'failed' as const, message: '', after: 0 })
let stand: Stand
let market: NodeJS.Timeout
beforeEach(async () => {
  stand = await createStand({
    rest: {
      providers: () => [],
      hops: () => [],
      moving: () => [],
      groups: () => [],
      gaps: () => [],
      arbitration: () => [],
      confidence: () => ({ reliability: {}, calibrations: [] }),
      standing: { books: () => [], resync: refusing, reconnect: refusing },
      candles: () => Promise.resolve({ candles: [candle(0, true)] }),
      watched: () => [],
      mode: 'demo',
      ready: () => true,
      startedAt: 0,
      build: { version: 'test' }
    }
  })
  let n = 0
  market = setInterval(() => {
    n++
    for (const instrument of ['BTC-USDT', 'ETH-USDT', 'SOL-USDT']) {
      stand.trade(100 + n, instrument)
      stand.quote(100 + (n % 20 < 10 ? n : -n), instrument)
    }
    stand.plant.publish('candle:ETH-USDT:1m', candle(n, false), n)
    stand.plant.publish('candle:BTC-USDT:1m', { ...candle(n, false), instrument: 'BTC-USDT' }, n)
    stand.plant.publish('ticker:BTC-USDT', { type: 'ticker', ...stamp(n, 'BTC-USDT'), last: n }, n)
    stand.plant.publish('book:ETH-USDT', { type: 'book', ...stamp(n, 'ETH-USDT'), bids: [[1, 1]], asks: [[2, 1]] }, n)
  }, 10)
})
afterEach(async () => {
  clearInterval(market)
  await stand.close()
})

const stamp = (n: number, instrument: string) => ({ provider: 'kraken', instrument, time: n, received: n })
const candle = (n: number, closed: boolean): Candle => ({
  type: 'candle',
  ...stamp(n, 'ETH-USDT'),
  interval: '1m',
  start: 60_000,
  open: 1,
  high: 2,
  low: 1,
  close: 2,
  volume: n,
  trades: n,
  closed,
  revision: n
})

/** Runs it until it ends, or until it has said what is awaited. */
async function run(args: string[], env: Record<string, string> = {}, awaited?: RegExp) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
    env: { ...process.env, ...env }
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
    if (awaited?.test(out)) child.kill()
  })
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code, out, err }
}

describe('examples', () => {
  test('[S4-16] quickstart.ts prints trades and ends after its count', async () => {
    const { code, out, err } = await run(['examples/quickstart.ts', stand.url, '--count', '3'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.trim().split('\n')).toHaveLength(3)
    expect(out).toMatch(/^BTC-USDT \d+ × 1 \(buy, kraken\)$/m)
  })

  test('[S4-17] candles.ts prints the history and then the forming candle', async () => {
    const { code, out, err } = await run(['examples/candles.ts', '--count', '2'], { TICKWIRE_URL: stand.url })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^1970-01-01T00:01:00.000Z O 1 H 2 L 1 C 2 V 0 closed\n.* forming\n.* forming\n$/)
  })

  test('[S4-21] momentum.ts follows several instruments and says when the momentum turns', async () => {
    const { code, out, err } = await run(['examples/momentum.ts', stand.url, '--count', '90'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Connected to Tickwire test (demo).')
    expect(out).toMatch(/^ETH-USDT \S+ momentum up → down$/m)
  })
})

describe('docs/clients.md', () => {
  test('its TypeScript program works as it stands', async () => {
    const program = block('ts').replace('http://localhost:8000', stand.url)
    const { out, err } = await run(['--input-type=module-typescript', '-e', program], {}, /\d+ 1 buy kraken[^]*ETH-USDT \S+ \S+/)
    expect(err).toBe('')
    expect(out).toContain('open Connected to Tickwire test (demo).')
  })

  test('every address of its curl lines answers', async () => {
    const addresses = [...block('sh').matchAll(/'(http[^']+)'/g)].map(([, address]) =>
      address!.replace('http://localhost:8000', stand.url)
    )
    expect(addresses).toHaveLength(6)
    for (const address of addresses) {
      const answer = await fetch(address)
      expect(`${address} ${answer.status}`).toBe(`${address} 200`)
      await answer.body?.cancel()
    }
  })

  test('no program in it is longer than 15 lines', () => {
    for (const language of ['ts', 'python', 'sh', 'html']) {
      expect(block(language)).not.toBe('')
      expect(block(language).trim().split('\n').length).toBeLessThanOrEqual(15)
    }
  })
})
