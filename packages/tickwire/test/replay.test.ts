import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VERSION } from '@tickwire/server/version.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { captureJournal } from '../src/captured.ts'
import { createProgram } from '../src/program.ts'
import { CLI, ended, tickwire, until } from './plant.ts'

// Whole programs are started, with all that a plant needs.
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 })

let directory: string
let run: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-replay-'))
  const { out } = await tickwire([
    'record',
    '--demo',
    '--set',
    'street.control=0',
    '--directory',
    directory,
    '--what',
    'both',
    '--for',
    '3s',
    'BTC-USDT'
  ])
  run = out.trim()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** In this process, as the command does it. */
async function here(args: readonly string[]): Promise<string> {
  const said: unknown[] = []
  const [log, error] = [console.log, console.error]
  console.log = (text: unknown) => void said.push(text)
  console.error = () => {}
  try {
    await createProgram().parseAsync(['node', 'tickwire', 'replay', ...args])
  } finally {
    Object.assign(console, { log, error })
  }
  return `${said.join('\n')}\n`
}
/** In a process of its own. */
async function elsewhere(args: readonly string[]): Promise<string> {
  const { code, out } = await tickwire(['replay', ...args])
  expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f]{64}\n$/) })
  return out
}

describe('[S2-39] [S4-30] tickwire replay', () => {
  test('--digest prints the SHA-256 of all that comes out, the same in each process', async () => {
    const whole = [run, '--directory', directory, '--digest']
    const [events, frames] = await Promise.all([elsewhere(whole), elsewhere([...whole, '--what', 'frames'])])
    expect(await here(whole)).toBe(events)
    expect(await here([...whole, '--speed', '50'])).toBe(events)
    expect(await here([...whole, '--what', 'frames'])).toBe(frames)
    expect(frames).not.toBe(events)
  })

  test('serves the recording on a port of its own: there every message is of the replay', async () => {
    const { url, program } = await served([run, '-d', directory])
    const state = (await (await fetch(`${url}/v1/replays/replay`)).json()) as { run: string; loop: boolean }
    expect(state).toMatchObject({ run, loop: true })
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ mode: 'replay', version: VERSION })
    const past = await fetch(`${url}/v1/trades?instrument=BTC-USDT`)
    expect(past.status).toBe(404)
    expect(await past.text()).toMatch(/a recording is played here, which has no past trades: .*tickwire export/)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`)
    const said: unknown[] = []
    socket.addEventListener('message', ({ data }) => said.push(JSON.parse(String(data))))
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.send(JSON.stringify({ op: 'subscribe', topics: ['trade:BTC-USDT', 'quote:BTC-USDT', 'replay:all'] }))
    const events = () => said.filter((each) => Array.isArray(each)).flat() as { type: string; replay?: string }[]
    await until(() => events().some(({ type }) => type === 'quote'))
    expect(said[0]).toMatchObject({ op: 'hello', mode: 'replay' })
    expect(events().every(({ replay }) => replay === 'replay')).toBe(true)
    socket.close()
    program.child.kill('SIGTERM')
    expect((await program.told).code).toBe(0)
  })

  test.for([
    [['none'], /there is no run "none".*the last ones are/s],
    [['--speed', 'fast'], /--speed is "fast": it takes a number from 0\.1 to 1000, or max/],
    [['--speed', '0.01'], /--speed is "0\.01": it takes a number from 0\.1 to 1000, or max/],
    [['--from', 'yesterday'], /--from is "yesterday": it takes a time as in/],
    [['--from', '2026-11-20T12:00:00'], /--from is "2026-11-20T12:00:00": it takes a time .* with its zone/],
    [['--to', '2026-02-30'], /--to is "2026-02-30": it takes a time/],
    [['--from', '5'], /from: .* is outside of the run/],
    [['--from', '2001-01-01T00:00:00Z'], /from: .* is outside of the run/],
    [['--digest', '--loop'], /--loop does not go with --digest/],
    [['--digest', '--speed', '0.01'], /--speed is "0\.01": it takes a number from 0\.1/],
    [['--digest', '--speed', 'fast'], /--speed is "fast": it takes a number from 0\.1/],
    [['--capture', 'nobody'], /there are recorded sessions of/]
  ] as const)('%o is refused in words', async ([args, words]) => {
    await expect(here(['--directory', directory, ...args])).rejects.toThrow(words)
  })

  test.for([
    [['--what', 'all'], /Allowed choices are events, frames/],
    [['none'], /there is no run "none"/]
  ] as const)('%o ends it with 2, and the words on stderr', async ([args, words]) => {
    const { code, err } = await tickwire(['replay', '--directory', directory, ...args])
    expect(err).toMatch(words)
    expect(code).toBe(2)
  })

  test('an empty journal is told as such', async () => {
    await expect(here(['--directory', join(directory, 'none')])).rejects.toThrow(/nothing is recorded in .*tickwire record/)
  })
})

/** The port is free for anybody, so that several may run at once. */
async function served(args: readonly string[]) {
  const program = ended(process.execPath, [CLI, 'replay', ...args, '--port', '0', '--loop'])
  await until(() => /http:\/\/\S+/.test(program.output()))
  const [url = ''] = /http:\/\/\S+/.exec(program.output()) ?? []
  return { url, program }
}

describe('[S4-30] a capture is a recording too', () => {
  const captures = fileURLToPath(new URL('../../../captures', import.meta.url))

  test('its frames keep their order and their times, the listing comes before them', async () => {
    const reader = captureJournal('coinbase', captures)
    const [found] = reader.runs()
    if (!found) throw new Error('no run')
    const entries = []
    for await (const batch of reader.read({ run: found.run, what: 'frames' })) entries.push(...batch)
    const times = entries.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(entries[0]).toMatchObject({ type: 'answer' })
    expect(entries.filter(({ type }) => type === 'frame').length).toBeGreaterThan(900)
    expect(new Date(found.from).getUTCFullYear()).toBe(2026)
  })

  test('it is decoded, arbitrated and made into candles, to the same bytes each time', async () => {
    const args = ['--capture', 'coinbase', '--digest']
    const first = await tickwire(['replay', ...args])
    expect(first.out).toMatch(/^[0-9a-f]{64}\n$/)
    expect(await here(args)).toBe(first.out)
    expect(Number(/(\d+) events published/.exec(first.err)?.[1])).toBeGreaterThan(1_500)
  })

  test('served, it tells whose it is and of which instruments, as a page asks for before anything else', async () => {
    const { url, program } = await served(['--capture', 'kraken'])
    const watched = (await (await fetch(`${url}/v1/watched`)).json()) as { instruments: string[] }
    expect(watched.instruments).toHaveLength(10)
    expect(watched.instruments).toContain('ADA-BTC')
    const told = await vi.waitFor(async () => {
      const { providers } = (await (await fetch(`${url}/v1/providers`)).json()) as { providers: object[] }
      expect(providers).toHaveLength(1)
      return providers[0]
    }, 60_000)
    expect(told).toMatchObject({
      provider: 'kraken',
      title: 'Kraken',
      about: expect.objectContaining({ redistribution: 'restricted' })
    })
    program.child.kill('SIGTERM')
    expect((await program.told).code).toBe(0)
  })
})
