/** `tickwire resync` and `tickwire reconnect` against the running demo: what came of it, in words and as the exit code. */
import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, run, until, type Program } from './program.ts'

const KEY = 'key-of-this-test'
const keyFile = join(mkdtempSync(join(tmpdir(), 'tickwire-commands-')), 'key')

let server: Program
let url: string
let street: string
/** Speaks HTTP, but is no Tickwire. */
let stranger: Server

const get = async (path: string): Promise<unknown> =>
  (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${KEY}` } })).json()

type Book = { provider: string; state: string; resyncs: number }
/** None before the providers' listings are there. */
const books = async (): Promise<Book[]> => ((await get('/v1/books?instrument=BTC-USDT')) as { books?: Book[] }).books ?? []

beforeAll(async () => {
  writeFileSync(keyFile, `${KEY}\n`)
  const keys = createHash('sha256').update(KEY).digest('hex')
  const flags = ['--demo', '--port', '0', '--set', `auth.keys=${keys}`, '--set', 'street.control=0']
  server = await run(flags, /Tickwire\s+(http\S+)[\s\S]*'(http\S+)\/street\//)
  url = server.found[1]!
  street = `${server.found[2]!}/street`
  await until('three whole books', async () => (await books()).filter(({ state }) => state === 'valid').length === 3)
  stranger = createServer((_, response) => response.end('hello'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  await server?.kill()
  stranger?.close()
})

/** The program's answer, once what it prints matches, and its exit code. */
async function command(ready: RegExp, ...args: string[]): Promise<{ text: string; code: number | null }> {
  const program = await run(args, ready)
  const code = await program.exited
  return { text: program.output(), code }
}
const here = () => ['--url', url, '--key-file', keyFile]

test('a resync renews the book of each provider, says so of each, and ends with 0', async () => {
  const { text, code } = await command(/(healed.*\n){3}/, 'resync', 'BTC-USDT', ...here())
  for (const provider of ['binance', 'coinbase', 'kraken'])
    expect(text).toMatch(new RegExp(`^healed +the book of BTC-USDT at ${provider} is whole again, after [\\d.]+ s$`, 'm'))
  expect(code).toBe(0)
  expect((await books()).map(({ resyncs }) => resyncs)).toEqual([1, 1, 1])
  const { gaps } = (await get('/v1/gaps/BTC-USDT')) as { gaps: { kind: string; cause: string }[] }
  expect(gaps).toContainEqual(expect.objectContaining({ kind: 'book', cause: 'asked' }))
})

test('with a provider the other books are left alone; --json is for scripts', async () => {
  const before = await books()
  const { text, code } = await command(/\]\n/, 'resync', 'btcusdt', '--provider', 'kraken', '--json', ...here())
  expect(JSON.parse(text)).toEqual([
    {
      subject: 'kraken',
      outcome: 'healed',
      message: 'the book of BTC-USDT at kraken is whole again',
      after: expect.any(Number) as number
    }
  ])
  expect(code).toBe(0)
  const more = (provider: string) => (provider === 'kraken' ? 1 : 0)
  expect((await books()).map(({ resyncs }) => resyncs)).toEqual(before.map(({ provider, resyncs }) => resyncs + more(provider)))
})

test('a reconnect says when the new connection has taken over, and ends with 0', async () => {
  const { text, code } = await command(/\S.*\n/, 'reconnect', 'kraken', ...here())
  expect(text).toMatch(/^healed +kraken has 1 new connection, after [\d.]+ s$/m)
  expect(code).toBe(0)
})

test('what could not be healed is said, and the exit code is 1', async () => {
  expect(await command(/\S.*\n/, 'resync', 'AAPL', ...here())).toEqual({
    text: 'failed   no provider is asked for the book of AAPL now\n',
    code: 1
  })
  await fetch(`${street}/binance/kill`, { method: 'POST' })
  const isDown = async () => {
    const { providers } = (await get('/v1/providers')) as { providers: { provider: string; phase: string }[] }
    return providers.find(({ provider }) => provider === 'binance')?.phase === 'waiting'
  }
  await until('binance is down', isDown)
  expect(await command(/\S.*\n/, 'reconnect', 'binance', ...here())).toEqual({
    text: 'failed   binance has no open connection\n',
    code: 1
  })
})

test('what could not even be asked names its mending, and the exit code is 2', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  const { port } = stranger.address() as { port: number }
  const wrong: [args: string[], sentence: RegExp][] = [
    [['resync', 'BTC-USDX', ...here()], /^no provider lists "BTC-USDX"; the nearest are BTC-USD, BTC-USDT/],
    [
      ['resync', 'BTC-USDT', '--provider', 'krakn', ...here()],
      /^there is no provider "krakn": there are binance, coinbase, kraken, alpaca$/m
    ],
    [['reconnect', 'krakn', ...here()], /^there is no provider "krakn": there are /],
    [['reconnect', 'kraken', '--url', url], /: name the file that holds a key with --key-file$/m],
    [['reconnect', 'kraken', '--url', url, '--key-file', `${keyFile}-none`], /^--key-file is ".*": ENOENT/],
    [['reconnect', 'kraken', '--url', nobody], /^no server answers at \S+ \(ECONNREFUSED\): start one with "tickwire"/],
    [['reconnect', 'kraken', '--url', `http://127.0.0.1:${port}`], /answers 200, but not as Tickwire does: is --url right\?$/m],
    [['reconnect', 'kraken', '--url', 'kraken'], /^--url is "kraken": it takes an address, as in http/]
  ]
  const answers = await Promise.all(wrong.map(([args]) => command(/\S.*\n/, ...args)))
  for (const [i, { text, code }] of answers.entries()) {
    expect(text).toMatch(wrong[i]![1])
    expect(code, text).toBe(2)
  }
}, 60_000)

test('the help of each has examples and the exit codes', async () => {
  for (const name of ['resync', 'reconnect']) {
    const { text, code } = await command(/Examples:\n[\s\S]*--url/, name, '--help')
    expect(text).toContain('Exit code: 0 healed; 1 not healed; 2 it could not be asked')
    expect(text).toMatch(new RegExp(`^ {2}tickwire ${name} `, 'm'))
    expect(code).toBe(0)
  }
})
