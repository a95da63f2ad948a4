/** The programs of examples/fiml-*.ts, run as a reader would run them, against a real gateway that speaks FIML. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fiml } from '@tickwire/server/dialects/fiml.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { root, startProgram, until } from './program.ts'
import { createStand, type Stand } from './stand.ts'

const STREAMING = 'examples/fiml-streaming.ts'
/** The five, each a program of its own. */
const NAMES = ['simple', 'advanced', 'reconnect', 'portfolio', 'demo']
const fileOf = (name: string): string => `examples/fiml-${name}.ts`
const SYMBOLS = ['AAPL', 'GOOGL', 'MSFT', 'BTC-USDT', 'ETH-USDT']

// Each begins a program, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 })

let stand: Stand
const undo: (() => unknown)[] = []
beforeEach(async () => {
  stand = await createStand({ dialects: [fiml] })
  undo.push(() => stand.close())
})
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Trades, quotes and candles of all symbols, a hundred times a second. */
function trade(where = stand): void {
  let n = 0
  const timer = setInterval(() => {
    n++
    for (const instrument of SYMBOLS) {
      where.trade(100 + n, instrument)
      where.quote(100 + n, instrument)
      const stamp = {
        provider: 'kraken',
        instrument,
        interval: '1m',
        time: n,
        received: n,
        start: 60_000,
        closed: false
      } as const
      const figures = { open: 1, high: 2, low: 1, close: 2, volume: n, trades: n, revision: 0 }
      where.plant.publish(`candle:${instrument}:1m`, { type: 'candle', ...stamp, ...figures }, n)
    }
  }, 10)
  undo.push(() => clearInterval(timer))
}

/** A program under way. */
function run(args: string[]) {
  const program = startProgram(args)
  undo.push(program.kill)
  return program
}
const at = () => ['--url', `ws://127.0.0.1:${stand.port}`]
const start = (name: string, ...args: string[]) => run([fileOf(name), ...args, ...at()])
const menu = (...args: string[]) => run([STREAMING, ...args, ...at()])

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The streams named at the beginning of these lines. */
const streams = (some: string[]) => new Set(some.map((line) => line.split(' ')[0]).filter((word) => /^[a-z]/.test(word!)))

describe('the examples', () => {
  test('[S2-32] the quick demo prints prices by the address alone and ends after its count', async () => {
    trade()
    const { code, err, lines } = await start('demo', '--count', '3').end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(line).toMatch(/^(AAPL|GOOGL|BTC-USDT): \$\d+ \(– % on the day, kraken\)$/)
  })

  test('[S2-32] the simple stream prints prices of the symbols asked for and ends after its count', async () => {
    trade()
    const { code, err, lines } = await start('simple', '--count', '5', '--symbols', 'aapl,eth/usdt').end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines.slice(0, 2)).toEqual(['Subscribed: price of AAPL, ETH/USDT', expect.stringMatching(/^Simulated prices/)])
    expect(lines.slice(2)).toHaveLength(5)
    for (const line of lines.slice(2)) expect(line).toMatch(/^price {2}(AAPL {5}|ETH\/USDT ) \d+ \(– % on the day\) kraken$/)
  })

  test('[S2-32] the advanced example has four streams on one connection, ends one of them, and the others go on', async () => {
    trade()
    const program = start('advanced')
    await program.says('Unsubscribed: quote of all symbols\n')
    expect(stand.gateway.connections().map(({ subscriptions }) => subscriptions)).toEqual([3])
    await program.says(/Unsubscribed[^]*ohlcv[^]*price[^]*trades/)
    program.interrupt()
    const { code, err, lines } = await program.end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const cut = lines.findIndex((line) => line.startsWith('Unsubscribed'))
    expect(streams(lines.slice(0, cut))).toEqual(new Set(['price', 'ohlcv', 'quote', 'trades']))
    expect(streams(lines.slice(cut))).toEqual(new Set(['price', 'ohlcv', 'trades']))
  })

  test('[S2-32] the auto-reconnection example comes back and subscribes anew whenever its connection is cut', async () => {
    trade()
    const program = start('reconnect')
    await program.says(/^price /m)
    for (const _ of [1, 2]) {
      program.said.out = ''
      stand.cut()
      await program.says(/^The connection was closed \(1006\)\. Attempt 1 in [01]\.\d s\.$/m)
      await program.says(/^Back at attempt 1\.\nSubscribed: [^]*\nprice /m)
    }
    program.interrupt()
    expect(await program.end()).toMatchObject({ code: 0, err: '' })
  })

  test('[S2-32] the auto-reconnection example stays away for as long as a server that shuts down asks for', async () => {
    const program = start('reconnect')
    await program.says('Subscribed')
    await stand.die(1_500)
    await program.says(/Attempt 1 in [12]\.\d s\.$/m)
    const pause = Number(/Attempt 1 in ([\d.]+) s/.exec(program.said.out)![1])
    expect(pause).toBeGreaterThanOrEqual(1.5)
    stand = await createStand({ dialects: [fiml], port: stand.port })
    undo.push(() => stand.close())
    trade()
    await program.says(/Back at attempt \d\.[^]*^price /m)
    program.interrupt()
    expect((await program.end()).code).toBe(0)
  })

  test('[S2-32] portfolio monitoring values positions at live prices, with profit and loss of each and of all', async () => {
    stand.trade(250, 'AAPL')
    stand.trade(140, 'NVDA')
    stand.trade(100_000, 'BTC-USD')
    const program = start('portfolio', '--count', '2')
    await program.says('So far')
    stand.trade(3_000, 'ETH-USD')
    const { code, err, lines } = await program.end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const cells = lines.slice(2).map((line) => line.trim().split(/ {2,}/))
    expect(cells[4]).toEqual(['BTC-USD', '0.35', '91,250.00', '100,000.00', '35,000.00', '+3,062.50', '+9.59 %'])
    expect(cells[5]).toEqual(['ETH-USD', '4', '3,480.00', 'no price'])
    expect(cells[6]).toEqual(['So far', '64,300.00', '+3,932.50', '+6.51 %'])
    expect(cells.slice(7)).toEqual([
      [''],
      ['Symbol', 'Quantity', 'Paid', 'Price', 'Value', 'P&L', 'P&L %'],
      ['AAPL', '50', '228.40', '250.00', '12,500.00', '+1,080.00', '+9.46 %'],
      ['NVDA', '120', '141.75', '140.00', '16,800.00', '-210.00', '-1.23 %'],
      cells[4],
      ['ETH-USD', '4', '3,480.00', '3,000.00', '12,000.00', '-1,920.00', '-13.79 %'],
      ['Total', '76,300.00', '+2,012.50', '+2.71 %']
    ])
  })
})

describe('the menu', () => {
  test('[S2-25] a number typed runs that example, and one that there is not is asked again', async () => {
    trade()
    const programs = NAMES.map(() => menu('--count', '2'))
    await Promise.all(programs.map((program) => program.says('Which one (1 to 5)?')))
    for (const program of programs) program.type('7\n')
    await Promise.all(programs.map((program) => program.says('"7" is none of them.')))
    for (const [i, program] of programs.entries()) program.type(`${i + 1}\n`)
    const ends = await Promise.all(programs.map((program) => program.end()))
    expect(ends.map(({ code, err }) => ({ code, err }))).toEqual(NAMES.map(() => ({ code: 0, err: '' })))
    const last = [/^price/, /^(price|ohlcv|quote|trades)/, /^price/, /^(So far|Total)/, /^[A-Z-]+: \$\d+/]
    for (const [i, { lines }] of ends.entries()) expect(lines.at(-1)).toMatch(last[i]!)
  })

  test('[S2-25] a name in the command runs it at once; q leaves, and so does the end of the input', async () => {
    trade()
    const [named, leaving, ending] = [menu('simple', '--count', '1', '--symbols', 'aapl'), menu(), menu()]
    leaving.type('q\n')
    ending.eof()
    for (const program of [named, leaving, ending]) expect(await program.end()).toMatchObject({ code: 0, err: '' })
    expect(named.said.out).toMatch(/^price {2}AAPL/m)
    for (const { said } of [leaving, ending]) expect(said.out).not.toContain('Subscribed')
  })
})

describe('however it ends', () => {
  test('[S2-25] Ctrl-C ends every example cleanly and leaves no connection', async () => {
    trade()
    const programs = [...NAMES.map((name) => start(name)), menu('simple')]
    await Promise.all(programs.map((program) => program.says(/AAPL +\d|AAPL: /)))
    for (const program of programs) program.interrupt()
    for (const program of programs) expect(await program.end()).toMatchObject({ code: 0, err: '' })
    await until(() => stand.gateway.connections().length === 0)
  })

  test('[S2-25] Ctrl-C does not wait for a server that answers nothing any more', async () => {
    trade()
    const programs = [start('simple'), start('demo')]
    for (const program of programs) await program.says('AAPL')
    stand.freeze()
    const begun = performance.now()
    for (const program of programs) program.interrupt()
    for (const program of programs) expect(await program.end()).toMatchObject({ code: 0, err: '' })
    // The server itself would cut them after 25 s.
    expect(performance.now() - begun).toBeLessThan(20_000)
    stand.cut()
  })

  test('[S2-25] a server that is not there is named, and what to do; reconnecting goes on until Ctrl-C', async () => {
    const url = `ws://127.0.0.1:${await deadPort()}`
    const vain = NAMES.filter((name) => name !== 'reconnect')
    const ends = vain.map((name) => run([fileOf(name), '--url', url]).end())
    const program = run([fileOf('reconnect'), '--url', url])
    for (const { code, err } of await Promise.all(ends)) {
      expect(code).toBe(1)
      expect(err).toMatch(new RegExp(`^${url} cannot be reached\\. Is .*npm start.*\n$`))
    }
    await program.says(/cannot be reached.* Attempt 1 [^]*cannot be reached.* Attempt 2 /)
    program.interrupt()
    expect(await program.end()).toMatchObject({ code: 0, err: '' })
  })

  test('a wrong argument is named, with what would be right', async () => {
    const [list, own] = ['usage: node examples/fiml-streaming.ts [simple | advanced', 'usage: node examples/fiml-simple.ts\n']
    const wrong: [string, string, string, string][] = [
      [STREAMING, 'nope', 'There is no example "nope".', list],
      [STREAMING, '--count=x', '--count is a number from 1, not x', list],
      [fileOf('simple'), '--url=here', 'not here', own],
      [fileOf('simple'), 'simple', 'There is no example "simple".', own]
    ]
    const ends = await Promise.all(wrong.map(([file, arg]) => run([file, arg]).end()))
    for (const [i, { code, err }] of ends.entries()) {
      expect(code).toBe(2)
      expect(err).toContain(wrong[i]![2])
      expect(err).toContain(wrong[i]![3])
    }
  })

  test('[S2-33] the manual has the command of each of them', () => {
    const manual = readFileSync(`${root}/docs/websocket-s2.md`, 'utf8')
    const commands = [...manual.matchAll(/^node (examples\/\S+)/gm)].map(([, file]) => file)
    expect(commands).toEqual([...NAMES.map(fileOf), STREAMING])
  })

  test('[S2-32] each of the five is a program of less than 60 lines that says how to run it', () => {
    for (const name of NAMES) {
      const text = readFileSync(`${root}/${fileOf(name)}`, 'utf8')
      expect(text.split('\n').length).toBeLessThan(60)
      expect(text.slice(0, 400)).toContain(`node ${fileOf(name)} [--url`)
    }
  })
})
