/** A real process with `--unhandled-rejections=strict`: whatever goes wrong, nothing of ours ends it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { createProxy } from './proxy.ts'
import { createStand } from './stand.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('strict.program.ts', import.meta.url))
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Its exit code is 1 where a rejection was handled by nobody, or an error caught by nobody. */
const play = async (...args: string[]): Promise<string[]> => {
  const { stdout } = await run(process.execPath, ['--unhandled-rejections=strict', program, ...args], { timeout: 25_000 })
  return stdout.trim().split('\n')
}

test('[S4-27] [S4-31] callbacks that throw, loops that are left, symbols that are refused: nothing is thrown at the program', async () => {
  const stand = await createStand()
  closing.push(() => stand.close())
  const pump = setInterval(() => stand.trade(1), 5)
  closing.push(() => Promise.resolve(clearInterval(pump)))
  expect(await play('errors', stand.url)).toEqual(['CALLBACK', 'BAD_SYMBOL', 'Refused', 'done'])
})

test('[S4-27] a server that is not there is tried again, and named in the state; disconnecting ends the process by itself', async () => {
  expect(await play('nobody', 'http://127.0.0.1:1')).toEqual(['reconnecting 1', 'reconnecting 2', 'done'])
})

test('[S4-27] a given number of attempts ends it with a reason; loops fail with it, handles end with it', async () => {
  expect(await play('attempts', 'http://127.0.0.1:1')).toEqual([
    expect.stringContaining('Given up after 2 attempts'),
    expect.stringContaining('Given up after 2 attempts'),
    'closed'
  ])
})

test('[S4-04] [S4-06] an embedded plant lets its process end; a key of a provider that there is not is named', async () => {
  const embedded = fileURLToPath(new URL('embedded.program.ts', import.meta.url))
  const { stdout } = await run(process.execPath, ['--unhandled-rejections=strict', embedded], { timeout: 25_000 })
  expect(stdout.trim().split('\n')).toEqual(['BAD_SYMBOL', 'false memory', 'done', 'ConfigError'])
})

test.each(['streams', 'polls'])('[S4-27] nor by the other roads: %s', async (road) => {
  const stand = await createStand()
  const proxy = await createProxy(stand.port)
  proxy.rules.streams = road === 'streams'
  closing.push(
    () => stand.close(),
    () => proxy.close()
  )
  const pump = setInterval(() => stand.trade(1), 5)
  const cutter = setInterval(() => proxy.cut(), 700)
  closing.push(() => Promise.resolve([pump, cutter].forEach(clearInterval)))
  expect(await play('errors', proxy.url)).toEqual(['CALLBACK', 'BAD_SYMBOL', 'Refused', 'done'])
})
