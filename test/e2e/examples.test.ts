/** Every program of examples/ against the real server on the street's prices, each ended by its count. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startDemo, type Demo } from '../browser/demo.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Each begins a program, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 })
let demo: Demo
beforeAll(async () => {
  demo = await startDemo()
})
afterAll(() => demo?.kill())

/** Ctrl-C ends it after `patience` ms, where that is given. */
async function run(file: string, args: string[], patience?: number) {
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', `examples/${file}`, ...args], { cwd: root })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const timer = patience === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), patience)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  return { code, out, err }
}

const PRICE = String.raw`\d+(\.\d+)?`
test.each([
  ['[S4-16] the loop', 'quickstart.ts', ['--count', '3'], `^(BTCUSDT ${PRICE} × \\S+ \\(\\w+\\)\n){3}$`],
  [
    '[S4-17] one-minute candles',
    'candles.ts',
    ['--count', '2'],
    `(.* O ${PRICE} H ${PRICE} L ${PRICE} C ${PRICE} V .* forming\n){2}$`
  ],
  ['[S4-18] the callback', 'callback.ts', ['--count', '3'], `^(BTCUSDT: \\$${PRICE}\n){3}`],
  ['[S4-15] [S4-19] several symbols, crypto and shares', 'symbols.ts', ['--count', '40'], 'BTCUSDT: [^]*AAPL: '],
  ['[S4-20] the aggregate', 'aggregate.ts', ['--every', '5', '--count', '3'], `^(\\w+USDT: 5 trades, .* average ${PRICE}\n){3}$`],
  ['[S4-21] the momentum signal', 'momentum.ts', ['--count', '60'], `^BTC-USDT ${PRICE} momentum none → (up|down)$`],
  ['the portfolio', 'portfolio.ts', ['--count', '1'], '^total +[\\d,.]+ +-?[\\d,.]+ \n$']
])('%s prints real figures and ends', async (_, file, args, pattern) => {
  const { code, out, err } = await run(file, [demo.url, ...args])
  expect({ code, err }).toMatchObject({ code: 0 })
  expect(out).toMatch(new RegExp(pattern, 'm'))
})

test.each(['simple', 'advanced', 'reconnect', 'portfolio', 'demo'])(
  '[S2-32] FIML’s %s prints real figures and ends',
  async (name) => {
    const { code, out, err } = await run(`fiml-${name}.ts`, ['--url', demo.url.replace('http', 'ws'), '--count', '2'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^.*[A-Z].* \\$?[\\d,]*${PRICE}`, 'm'))
  }
)

test('[S4-22] the bot alerts when the price crosses its threshold', async () => {
  for (;;) {
    const answer = await fetch(`${demo.url}/v1/quotes/BTC-USDT`)
    const { bid, ask } = (await answer.json()) as { bid: number; ask: number }
    // Trades of buyers are above the middle, those of sellers below; a price that has walked away meanwhile asks for another one.
    const { code, out } = await run('bot.ts', [demo.url, '--above', String((bid + ask) / 2), '--count', '1'], 5_000)
    expect(code).toBe(0)
    if (out === '') continue
    expect(out).toMatch(new RegExp(`^BTCUSDT crossed ${PRICE} (upwards|downwards): ${PRICE}\n$`))
    return
  }
})
