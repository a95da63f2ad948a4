import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import type { BookSources } from '../../src/gateway/standing.ts'
import type { RestSources } from '../../src/gateway/rest.ts'
import { startRig, type Rig } from './rig.ts'

const row = (provider: string) => ({
  instrument: 'BTC-USDT',
  provider,
  state: 'valid' as const,
  sequence: 7,
  checked: 1,
  age: 5,
  levels: { bids: 50, asks: 50 },
  resyncs: 1,
  damage: { at: 1, cause: 'sequence: expected 5, got 7', healedAfter: 300 }
})

const restOf = (commands: string[]): RestSources => {
  const done = (what: string) => {
    commands.push(what)
    return Promise.resolve({ outcome: 'healed' as const, message: what, after: 300 })
  }
  const standing: BookSources = {
    books: () => [row('one'), row('two')],
    resync: (instrument, provider) => done(`resync ${instrument} ${provider}`),
    reconnect: (provider) => done(`reconnect ${provider}`)
  }
  const build = { version: '1' }
  return {
    standing,
    build,
    hops: () => [],
    providers: () => [{ provider: 'one' }],
    ready: () => true,
    startedAt: 0
  } as unknown as RestSources
}

let rig: Rig
afterEach(() => rig.gateway.close())

const post = (path: string, headers: Record<string, string> = {}) => fetch(`${rig.base}${path}`, { method: 'POST', headers })

test('the table of books is of all, or of one provider', async () => {
  rig = await startRig({ rest: restOf([]) })
  const get = async (query: string) =>
    ((await (await fetch(`${rig.base}/v1/books${query}`)).json()) as { books: unknown[] }).books
  expect(await get('')).toEqual([row('one'), row('two')])
  expect(await get('?provider=two&instrument=btcusdt')).toEqual([row('two')])
})

test('a command answers with what came of it, in any spelling of the instrument', async () => {
  const commands: string[] = []
  rig = await startRig({ rest: restOf(commands) })
  expect(await (await post('/v1/books/btcusdt/resync?provider=one')).json()).toEqual({
    outcome: 'healed',
    message: 'resync BTC-USDT one',
    after: 300
  })
  expect(await (await post('/v1/providers/one/reconnect')).json()).toMatchObject({ message: 'reconnect one' })
  expect((await post('/v1/books/btcusdt/resync')).status).toBe(400)
  expect(commands).toEqual(['resync BTC-USDT one', 'reconnect one'])
})

test('of a provider that there is not, nothing is renewed', async () => {
  const commands: string[] = []
  rig = await startRig({ rest: restOf(commands) })
  const answer = await post('/v1/providers/oen/reconnect')
  expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'BAD_PROVIDER', nearest: ['one'] } }])
  expect(commands).toEqual([])
})

test('no command comes from a page of another origin, without a token where one is needed, or too often', async () => {
  const commands: string[] = []
  const keys = [createHash('sha256').update('secret').digest('hex')]
  rig = await startRig({ rest: restOf(commands), auth: { keys } })
  expect((await post('/v1/providers/one/reconnect')).status).toBe(401)
  const authorization = 'Bearer secret'
  expect((await post('/v1/providers/one/reconnect', { authorization, origin: 'https://evil.example' })).status).toBe(403)
  expect(commands).toEqual([])
  const answers: number[] = []
  for (let i = 0; i < 15; i++) answers.push((await post('/v1/providers/one/reconnect', { authorization })).status)
  expect(answers.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(answers).toContain(429)
})
