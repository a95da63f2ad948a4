/** The programs of examples/, run as a reader would run them, against a real gateway. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openMarket } from './market.ts'
import { root, startProgram, until } from './program.ts'
import type { Stand } from './stand.ts'

// Each begins a program, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 })

let stand: Stand
let market: { close: () => void }
let programs: (() => void)[]
beforeEach(async () => {
  programs = []
  ;({ stand, market } = await openMarket())
})
afterEach(async () => {
  for (const kill of programs) kill()
  market.close()
  await stand.close()
})

/** A program under way. */
function start(name: string, args: string[] = [], env: Record<string, string> = {}) {
  const program = startProgram(['--unhandled-rejections=strict', `examples/${name}.ts`, ...args], env)
  programs.push(program.kill)
  return program
}
const run = (name: string, ...args: string[]) => start(name, [stand.url, ...args]).end()
const symbols = (lines: string[]) => new Set(lines.map((line) => line.split(/[: ]/)[0]))

describe('examples', () => {
  test('[S4-16] quickstart.ts prints prices in a loop and ends after its count', async () => {
    const { code, err, lines } = await run('quickstart', '--count', '3')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(line).toMatch(/^BTCUSDT \d+ × 1 \(kraken\)$/)
  })

  test('[S4-17] candles.ts prints the history and then the forming one-minute candle', async () => {
    const { code, out, err } = await start('candles', ['--count', '2'], { TICKWIRE_URL: stand.url }).end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^1970-01-01T00:01:00.000Z O 1 H 2 L 1 C 2 V 0 closed\n.* forming\n.* forming\n$/)
  })

  test('[S4-18] callback.ts prints prices until its count or its time is over', async () => {
    const counted = await run('callback', '--count', '3')
    expect(counted).toMatchObject({ code: 0, err: '' })
    expect(counted.out).toMatch(/^(BTCUSDT: \$\d+\.00\n){3}/)
    const timed = await run('callback', '--seconds', '0.3')
    expect(timed).toMatchObject({ code: 0, err: '' })
    expect(timed.out).toMatch(/^(BTCUSDT: \$\d+\.00\n)+$/)
  })

  test('[S4-19] symbols.ts follows crypto and shares on one connection; one that there is not ends no other', async () => {
    const mixed = start('symbols', [stand.url])
    await mixed.says(/BTCUSDT[^]*GOOGL[^]*BTCUSDT[^]*GOOGL/)
    expect(stand.gateway.connections()).toHaveLength(1)
    mixed.interrupt()
    const { code, lines } = await mixed.end()
    expect(code).toBe(0)
    expect(symbols(lines)).toEqual(new Set(['BTCUSDT', 'ETHUSDT', 'AAPL', 'GOOGL']))
    const wrong = await run('symbols', '--symbols', 'NOPE,AAPL', '--count', '3')
    expect(wrong.code).toBe(0)
    expect(wrong.err).toContain('NOPE')
    expect(wrong.out).toMatch(/^(AAPL: \$\d+\.00 \(kraken\)\n){3}$/)
  })

  test('[S4-20] aggregate.ts sums up every so many trades', async () => {
    const { code, err, lines } = await run('aggregate', '--every', '10', '--count', '6')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines).toHaveLength(6)
    const first = /^BTCUSDT: 10 trades, volume 10\.0000, (\d+) to (\d+), average (\d+\.\d\d)$/m.exec(lines.join('\n'))
    const [low, high, average] = (first ?? []).slice(1).map(Number) as [number, number, number]
    // Prices go up by one with each trade of one: the average is the middle.
    expect([high - low, average]).toEqual([9, (low + high) / 2])
    expect(symbols(lines)).toEqual(new Set(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']))
  })

  test('[S4-21] momentum.ts follows several instruments and says when the momentum turns', async () => {
    const { code, out, err } = await run('momentum', '--count', '90')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Connected to Tickwire test (demo).')
    expect(out).toMatch(/^ETH-USDT \S+ momentum up → down$/m)
  })

  test('[S4-22] bot.ts alerts once when a price crosses the threshold, in either direction, and not for the first price', async () => {
    market.close()
    const bot = start('bot', [stand.url, '--above', '50000', '--count', '2'])
    await until(() => stand.topics().includes('trade:BTC-USDT'))
    for (const price of [60_000, 61_000, 49_000, 48_000]) stand.trade(price)
    stand.trade(70_000, 'ETH-USDT')
    await bot.says(/downwards/)
    for (const price of [49_999, 50_001]) stand.trade(price)
    const { code, lines } = await bot.end()
    expect(code).toBe(0)
    expect(lines).toEqual(['BTCUSDT crossed 50000 downwards: 49000', 'BTCUSDT crossed 50000 upwards: 50001'])
  })

  test('portfolio.ts values positions at live prices, and says which have none', async () => {
    market.close()
    stand.quote(99_999.5)
    stand.quote(2_999.5, 'ETH-USDT')
    const portfolio = start('portfolio', [stand.url, '--count', '2'])
    await portfolio.says(/so far/)
    stand.quote(199.5, 'SOL-USDT')
    const { code, lines } = await portfolio.end()
    expect(code).toBe(0)
    const cells = lines.map((line) => line.trim().split(/ {2,}/)).filter((row) => row.length > 1)
    expect(cells[1]).toEqual(['BTC-USDT', '0.35', '100,000.00', '35,000.00', '3,062.50'])
    expect(cells[3]).toEqual(['SOL-USDT', '60', 'no price'])
    expect(cells[4]).toEqual(['so far', '47,000.00', '1,142.50'])
    expect(cells[8]).toEqual(['SOL-USDT', '60', '200.00', '12,000.00', '3,108.00'])
    expect(cells[9]).toEqual(['total', '59,000.00', '4,250.50'])
  })

  const NATIVE = ['quickstart', 'candles', 'callback', 'symbols', 'aggregate', 'momentum', 'bot', 'portfolio']
  test('[S4-04] Ctrl-C ends each of them cleanly and leaves no connection', async () => {
    const under = NATIVE.map((name) => start(name, name === 'bot' ? [stand.url, '--above', '1'] : [stand.url]))
    const subscribed = () => stand.gateway.connections().filter(({ topics }) => topics.length > 0)
    await until(() => subscribed().length === NATIVE.length, 'each of them subscribes')
    for (const program of under) program.interrupt()
    const codes = await Promise.all(under.map(({ ended }) => ended))
    expect(NATIVE.filter((_, i) => codes[i] !== 0)).toEqual([])
    await until(() => stand.gateway.connections().length === 0)
  })

  test('each is one file of less than 60 lines that says how to run it, and imports the SDK alone', () => {
    const named = readdirSync(`${root}/examples`).filter((file) => file.endsWith('.ts') && !file.startsWith('fiml-'))
    expect(named.sort()).toEqual(NATIVE.map((name) => `${name}.ts`).sort())
    for (const file of named) {
      const text = readFileSync(`${root}/examples/${file}`, 'utf8')
      expect(text.split('\n').length).toBeLessThan(60)
      expect(text.slice(0, 400)).toContain(`node examples/${file} [url]`)
      const imports = [...text.matchAll(/ from '(.*)'/g)].map(([, from]) => from)
      expect(new Set([...imports, '@tickwire/client', 'node:util'])).toEqual(new Set(['@tickwire/client', 'node:util']))
    }
  })
})
