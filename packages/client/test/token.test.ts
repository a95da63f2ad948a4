/** Tokens that fail, hang, come late or run out: fetched once more, and then it is over; of the stream nothing is lost by it. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { drive, hello, kinds, sent, trade } from './drive.ts'
import { createStand, until as awaited, type Stand } from './stand.ts'

vi.setConfig({ testTimeout: 120_000 })
const until = (condition: () => boolean) => awaited(condition, String(condition), 60_000)

let stand: Stand
beforeEach(async () => {
  stand = await createStand({ auth: { keys: [createHash('sha256').update('right').digest('hex')] } })
})
afterEach(() => stand.close())

/** Connected with a token, and at sequence 10 of the trades. */
function reading() {
  const world = drive({ hasToken: true })
  world.open({ auth: 'required' })
  world.hear({ op: 'authenticated', user: 'me' })
  world.want('trade:BTC-USDT')
  world.subscribed(10)
  world.hear([trade(10)])
  return world
}
const TOPIC = 'trade:BTC-USDT'

test('[S1-39] a token that runs out in the middle loses nothing: with the new one each topic goes on where it was', () => {
  const world = reading()
  world.cut(4003)
  world.wait()
  world.feed({ type: 'opened' })
  expect(kinds(world.hear(hello({ auth: 'required' })))).toEqual(['authenticate'])
  expect(sent(world.feed({ type: 'token', token: 'new' }))).toEqual([{ op: 'auth', token: 'new' }])
  expect(sent(world.hear({ op: 'authenticated', user: 'me' }))).toMatchObject([{ resume: { [TOPIC]: { epoch: 'e1', seq: 10 } } }])
  world.subscribed(12, { recovered: true })
  world.hear([trade(11), trade(12)])
  expect(world.delivered()).toEqual([10, 11, 12])
})

test('[S1-39] whoever waits for an answer when it is over is told why', () => {
  const world = reading()
  world.want('quote:ETH-USDT')
  world.cut(4003)
  world.wait()
  world.feed({ type: 'opened' })
  world.hear(hello({ auth: 'required' }))
  const effects = world.cut(4003)
  expect(effects).toContainEqual({
    type: 'settled',
    asked: 'quote:ETH-USDT',
    result: expect.objectContaining({ ok: false, message: expect.stringContaining('no better') as string }) as unknown
  })
  // Nothing more is asked or dialled.
  expect(world.wait()).toEqual([])
})

test('[S1-39] a token that was thrown instead of given is told in the state, and fetched again', async () => {
  const reasons: string[] = []
  let calls = 0
  const token = (): string => {
    if (++calls < 3) throw new Error('the vault is shut')
    return 'right'
  }
  const client = stand.connect({ token })
  client.on('state', ({ reason }) => reasons.push(reason))
  expect(await client.subscribe(TOPIC, () => {}).ready).toMatchObject([{ ok: true }])
  expect(reasons.join(' ')).toContain('No token: Error: the vault is shut.')
})

test('[S1-39] a token that comes after its connection has gone is not used on another', async () => {
  const waiting: ((token: string) => void)[] = []
  const client = stand.connect({ token: () => new Promise<string>((resolve) => waiting.push(resolve)) })
  const { ready } = client.subscribe(TOPIC, () => {})
  await until(() => waiting.length === 1)
  stand.cut()
  await until(() => waiting.length === 2)
  // Used, it would end the client for good.
  waiting[0]!('wrong')
  await Promise.resolve()
  waiting[1]!('right')
  expect(await ready).toMatchObject([{ ok: true }])
})

test('[S1-39] a client that is closed while its token is fetched stays closed', async () => {
  let give: ((token: string) => void) | undefined
  const client = stand.connect({ token: () => new Promise<string>((resolve) => (give = resolve)) })
  const { ready } = client.subscribe(TOPIC, () => {})
  await until(() => give !== undefined)
  client.close()
  give!('right')
  expect(await ready).toMatchObject([{ ok: false }])
  expect(client.state()).toMatchObject({ phase: 'closed', reason: 'Closed by this program.' })
  await until(() => stand.gateway.connections().length === 0)
})
