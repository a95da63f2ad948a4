import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { CLI, ended, tickwire, until } from './plant.ts'

// Whole programs are started, with all that a plant needs.
vi.setConfig({ testTimeout: 150_000 })

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-record-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const usual = () => ['record', '--demo', '--set', 'street.control=0', '--directory', join(directory, 'journal')]

test('[S1-71] [S3-07] records in the background, without a port or a client, for as long as it is told; its name is all on stdout', async () => {
  const file = join(directory, 'events.jsonl')
  const { code, out, err } = await tickwire([...usual(), '--what', 'both', '--for', '2s', '--log-file', file, 'BTC-USDT'])
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/Replay it: tickwire replay \S+ --directory/) })
  const run = out.trim()
  const reader = openReader({ directory: join(directory, 'journal') })
  const [found] = reader.runs()
  reader.close()
  // Beside runs of real prices nobody may take it for one of them.
  expect(run).toMatch(/-demo$/)
  expect(found).toMatchObject({ run, mode: 'demo', open: false, damaged: 0, cut: 0 })
  expect(Math.min(found?.events ?? 0, found?.frames ?? 0)).toBeGreaterThan(0)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { instrument: string }).instrument)).toContain('BTC-USDT')
  expect(err).toContain('of simulated providers')
})

test('[B10] ends in order at Ctrl-C; a second one into the same directory is refused in words', async () => {
  const first = ended(process.execPath, [CLI, ...usual()])
  await until(() => first.errors().includes('Recording events'))
  const second = await tickwire(usual())
  expect({ code: second.code, out: second.out }).toEqual({ code: 2, out: '' })
  expect(second.err).toMatch(/is being written by process \d+/)
  first.child.kill('SIGINT')
  const { code, out } = await first.told
  expect(out).toMatch(/^\S+\n$/)
  expect([0, 1]).toContain(code)
})

const hasPrlimit = (() => {
  try {
    execFileSync('prlimit', ['--version'])
    return true
  } catch {
    return false
  }
})()

test.runIf(hasPrlimit)('[B4] what was lost to a full disk is told with its cause, also where there is room again', async () => {
  const run = ended(process.execPath, [CLI, ...usual()])
  await until(() => run.errors().includes('Recording events'))
  const limit = (size: string) => execFileSync('prlimit', ['--pid', String(run.child.pid), `--fsize=${size}:unlimited`])
  limit('64')
  await until(() => run.errors().includes('nothing is recorded now'))
  limit('unlimited')
  const again = openReader({ directory: join(directory, 'journal') })
  const written = (): number => again.runs()[0]?.events ?? 0
  const before = written()
  await until(() => written() > before)
  again.close()
  run.child.kill('SIGINT')
  const { code, err } = await run.told
  expect(err).toMatch(/[\d,]+ entr(y|ies) could not be written: there is no room in .*journal/)
  expect(code).toBe(1)
})

test('says that nobody lists an instrument, and is not content with nothing', async () => {
  const { code, err } = await tickwire([...usual(), '--for', '500ms', 'NOPE'])
  expect(err).toMatch(/no provider lists NOPE so far/)
  expect(code).toBe(1)
})

test.for([
  [['--for', 'a while'], /'a while' is invalid\. It takes a span/],
  [['--for', '0s'], /It takes a span/],
  [['--what', 'all'], /Allowed choices are events, frames, both/],
  [['--live'], /cannot be used with/]
] as const)('%o is refused in words', async ([args, words]) => {
  const { code, err } = await tickwire([...usual(), ...args])
  expect(err).toMatch(words)
  expect(code).toBe(2)
})

describe('where the port of the faults is taken', () => {
  async function taken(): Promise<number> {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return (server.address() as AddressInfo).port
  }
  const told = (port: number, option: string) => ({
    code: 2,
    out: '',
    err: `port ${port} is taken by another program: choose one with ${option}, 0 for a free one\n`
  })

  test('a recording that was given it says so, and what to do', async () => {
    const port = await taken()
    const args = ['record', '--demo', '--set', `street.control=${port}`, '--directory', join(directory, 'journal')]
    expect(await tickwire(args)).toEqual(told(port, '--set street.control='))
  })

  test('the street says so, and what to do', async () => {
    const port = await taken()
    expect(await tickwire(['street', '--control', String(port)])).toEqual(told(port, '--control'))
  })

  test('recordings that were given none take free ones, and share a machine', async () => {
    const args = ['record', '--demo', '--for', '300ms', 'NOPE', '--directory']
    const first = ended(process.execPath, [CLI, 'record', '--demo', '--directory', join(directory, 'one')])
    onTestFinished(() => void first.child.kill('SIGKILL'))
    await until(() => first.errors().includes('Recording events'))
    const { code, err } = await tickwire([...args, join(directory, 'two')])
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('Recording events') })
    first.child.kill('SIGINT')
    await first.told
  })
})
