import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VERSION } from '@tickwire/server/version.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { captureJournal } from '../src/captured.ts'
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

const digest = async (...more: string[]): Promise<string> => {
  const { code, out } = await tickwire(['replay', run, '--directory', directory, '--digest', ...more])
  expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f]{64}\n$/) })
  return out
}

describe('[S2-39] [S4-30] tickwire replay', () => {
  test('--digest prints the SHA-256 of all that comes out, the same in each process', async () => {
    expect(await digest()).toBe(await digest())
    const frames = await digest('--what', 'frames')
    expect(frames).toBe(await digest('--what', 'frames'))
    expect(frames).not.toBe(await digest())
  })

  test('serves the recording on a port of its own: there every message is of the replay', async () => {
    const program = ended(process.execPath, [CLI, 'replay', run, '-d', directory, '--port', '0', '--loop'])
    await until(() => /http:\/\/\S+/.test(program.output()))
    const [url = ''] = /http:\/\/\S+/.exec(program.output()) ?? []
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
    [['--from', '2001-01-01T00:00:00Z'], /from: .* is outside of the run/],
    [['--what', 'all'], /Allowed choices are events, frames/],
    [['--capture', 'nobody'], /there are recorded sessions of/]
  ] as const)('%o is refused in words', async ([args, words]) => {
    const { code, err } = await tickwire(['replay', '--directory', directory, ...args])
    expect(err).toMatch(words)
    expect(code).toBe(2)
  })

  test('an empty journal is told as such', async () => {
    const { code, err } = await tickwire(['replay', '--directory', join(directory, 'none')])
    expect(err).toMatch(/nothing is recorded in .*tickwire record/)
    expect(code).toBe(2)
  })
})

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
    const played = () => tickwire(['replay', '--capture', 'coinbase', '--digest'])
    const [first, again] = [await played(), await played()]
    expect(first.out).toMatch(/^[0-9a-f]{64}\n$/)
    expect(again.out).toBe(first.out)
    expect(Number(/(\d+) events published/.exec(first.err)?.[1])).toBeGreaterThan(1_500)
  })
})
