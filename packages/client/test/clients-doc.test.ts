/** The programs of docs/clients.md, run as a reader would run them, against a real gateway. Those for browsers: test/browser. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fiml } from '@tickwire/server/dialects/fiml.ts'
import { native } from '@tickwire/server/dialects/native.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { root, startProgram, until } from './program.ts'
import { createStand, type Stand } from './stand.ts'
import { candle, openMarket } from './market.ts'

const doc = readFileSync(`${root}/docs/clients.md`, 'utf8')
const block = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(doc)?.[1] ?? ''

/** A Python that has the library of the programs: `TICKWIRE_PYTHON`, or the machine's own. */
const python = process.env['TICKWIRE_PYTHON'] ?? 'python3'
const canPython = spawnSync(python, ['-c', 'import websockets.asyncio.client']).status === 0
const WITHOUT = canPython ? '' : ' (skipped: no python3 with websockets; pip install websockets, or name one in TICKWIRE_PYTHON)'
const canCurl = spawnSync('curl', ['--version']).status === 0 && spawnSync('bash', ['--version']).status === 0

// Each begins a program, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 })

let stand: Stand
let market: { close: () => void }
let programs: (() => void)[]
beforeEach(async () => {
  programs = []
  ;({ stand, market } = await openMarket([native, fiml]))
})
afterEach(async () => {
  for (const kill of programs) kill()
  market.close()
  await stand.close()
})

function run(command: string, args: string[]) {
  const program = startProgram(args, { PYTHONDONTWRITEBYTECODE: '1' }, command)
  programs.push(program.kill)
  return program
}
const here = (program: string): string => program.replaceAll('localhost:8000', `127.0.0.1:${stand.port}`)

describe('docs/clients.md', () => {
  test('its TypeScript program works as it stands', async () => {
    const { said, says } = run(process.execPath, ['--input-type=module-typescript', '-e', here(block('ts'))])
    await says(/open Connected to Tickwire test \(demo\)\.[^]*\d+ 1 buy kraken[^]*ETH-USDT \S+ \S+/)
    expect(said.err).toBe('')
  })

  test('its DataStream program works as it stands, and ends with a closed candle', async () => {
    const { said, says, ended } = run(process.execPath, ['--input-type=module', '-e', here(block('js'))])
    await says(/AAPL: \d+ \(kraken\)[^]*candle 1 2 1 2/)
    stand.plant.publish('candle:ETH-USDT:1m', candle(1_000_000, true), 1)
    expect({ code: await ended, err: said.err }).toEqual({ code: 0, err: '' })
  })

  test('every address of its curl lines answers', async () => {
    const addresses = [...block('sh').matchAll(/'(http[^']+)'/g)].map(([, address]) => here(address ?? ''))
    expect(addresses).toHaveLength(6)
    for (const address of addresses) {
      const answer = await fetch(address)
      expect(`${address} ${answer.status}`).toBe(`${address} 200`)
      await answer.body?.cancel()
    }
  })

  test.skipIf(!canCurl)('its long poll tells what is new each time', async () => {
    const { said, ended } = run('bash', ['-c', here(block('bash'))])
    expect({ code: await ended, err: said.err }).toEqual({ code: 0, err: '' })
    const answers = said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { last: Record<string, { seq: number }>; reset?: true })
    const seqs = answers.map(({ last }) => last['quote:BTC-USDT']?.seq ?? 0)
    expect(answers.map(({ reset }) => reset)).toEqual([undefined, undefined, undefined])
    expect(new Set(seqs).size).toBe(3)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })

  test.skipIf(!canPython)(`its Python program works as it stands${WITHOUT}`, async () => {
    const { said, says } = run(python, ['-u', '-c', here(block('python'))])
    await says(/subscribed[^]*trade:BTC-USDT \d+ kraken[^]*quote:ETH-USDT \d+ kraken/)
    expect(said.err).toBe('')
  })

  test.skipIf(!canPython)(`[S2-28] FIML's own example prints prices, unchanged but for the port${WITHOUT}`, async () => {
    const { said, says } = run(python, ['-u', '-c', here(readFileSync(`${root}/examples/prices.py`, 'utf8'))])
    await says(/^AAPL: \$\d+[^]*^GOOGL: \$\d+/m)
    expect(said.err).toBe('')
  })

  test('no program in it is longer than 20 lines', () => {
    for (const language of ['ts', 'js', 'tsx', 'python', 'sh', 'bash', 'html']) {
      expect(block(language)).not.toBe('')
      expect(block(language).trim().split('\n').length).toBeLessThanOrEqual(20)
    }
  })

  test('what it points to is there', () => {
    const files = [...doc.matchAll(/\]\(\.\.\/(examples\/\S+?)\)/g)].map(([, file]) => `${root}/${file}`)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) expect(readFileSync(file, 'utf8')).not.toBe('')
  })
})

describe.skipIf(!canPython)(`examples/trades.py${WITHOUT}`, () => {
  const prices = (out: string) => [...out.matchAll(/^SOL-USDT (\d+) × 1 kraken$/gm)].map(([, price]) => Number(price))

  test('prints trades and ends after its count', async () => {
    const { said, ended } = run(python, ['examples/trades.py', stand.url, '--count', '3'])
    expect({ code: await ended, err: said.err }).toEqual({ code: 0, err: '' })
    expect(said.out).toMatch(/^(BTC-USDT \d+ × 1 kraken\n){3}$/)
  })

  test('after a break it continues by its position: none missing, none twice', async () => {
    market.close()
    const program = run(python, ['examples/trades.py', stand.url, '--topic', 'trade:solusdt', '--count', '40'])
    await until(() => stand.topics().includes('trade:SOL-USDT'))
    for (let price = 1; price <= 10; price++) stand.trade(price, 'SOL-USDT')
    await program.says(/^SOL-USDT 10 /m)
    stand.cut()
    for (let price = 11; price <= 30; price++) stand.trade(price, 'SOL-USDT')
    await program.says(/^nothing was missed$/m)
    for (let price = 31; price <= 40; price++) stand.trade(price, 'SOL-USDT')
    expect({ code: await program.ended, err: program.said.err }).toEqual({ code: 0, err: '' })
    expect(prices(program.said.out)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  })

  test('a server that was started anew cannot continue, and it says so', async () => {
    market.close()
    const program = run(python, ['examples/trades.py', stand.url, '--topic', 'trade:SOL-USDT', '--count', '2'])
    await until(() => stand.topics().includes('trade:SOL-USDT'))
    stand.trade(1, 'SOL-USDT')
    await program.says(/^SOL-USDT 1 /m)
    const { port } = stand
    await stand.close()
    stand = await createStand({ epoch: 'epoch-2', port })
    await until(() => stand.topics().includes('trade:SOL-USDT'))
    stand.trade(2, 'SOL-USDT')
    await program.ended
    expect(program.said.out).toMatch(/^trades were missed: begin anew\nSOL-USDT 2 /m)
  })

  test('an instrument that there is not ends it with the reason', async () => {
    const program = run(python, ['examples/trades.py', stand.url, '--topic', 'trade:NOPE'])
    expect(await program.ended).toBe(1)
    expect(program.said.err).toBe('BAD_SYMBOL: no provider lists "NOPE"; the nearest are BTC-USDT\n')
  })
})
