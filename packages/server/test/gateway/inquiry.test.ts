/** What comes while a token is looked at: of each connection, by its first message or when it has had one already. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { emulated } from '../../src/dialects/emulate.ts'
import { mirrors } from '../../src/dialects/index.ts'
import { native } from '../../src/dialects/native.ts'
import { createInner } from '../../src/gateway/inner.ts'
import { createInquiry } from '../../src/gateway/inquiry.ts'
import { ALLOWANCES, createQuotas } from '../../src/gateway/quotas.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { timers } from '../../src/timers.ts'
import { ANN, createGate, SLOWLY } from './gate.ts'
import { connect, deskOf, startRig, tradeOf, type Client, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
let gate = createGate()
/** Of the gateway's clock, ms. */
let ahead = 0
const clock = () => Date.now() + ahead
async function start(options: RigOptions = {}) {
  gate = createGate()
  ahead = 0
  return (rig = await startRig({ auth: gate.auth, clock, ...options }))
}
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const AUTH = { op: 'auth', token: 'a token', id: 1 }
const SUBSCRIBE = { op: 'subscribe', topics: ['trade:BTC-USDT'], id: 3 }
const opsOf = ({ said }: Client) => said.flatMap((each) => ('op' in each ? [each.op] : []))
/** Whatever lay on the way to the server has been read by then, where it is read at all. */
async function roundTrips(url: string) {
  const other = await connect(url)
  for (let n = 0; n < 3; n++) {
    other.send({ op: 'ping' })
    await other.message('pong', n)
  }
  other.ws.terminate()
}

describe('what comes behind a token', () => {
  test('waits until it is known whose it is, and is answered in the order in which it came', async () => {
    const { url } = await start()
    const client = await connect(url)
    for (const message of [AUTH, { op: 'ping', id: 2 }, SUBSCRIBE]) client.send(message)
    const { answer } = await gate.asked()
    client.send({ op: 'ping', id: 4 })
    await roundTrips(url)
    expect(opsOf(client)).toEqual(['hello'])
    answer(ANN)
    await client.message('pong', 1)
    expect(opsOf(client)).toEqual(['hello', 'authenticated', 'pong', 'subscribed', 'pong'])
    client.ws.terminate()
  })

  test('is never heeded where the token is wrong', async () => {
    const { url, demanded, plant } = await start()
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 7), 1)
    const client = await connect(url)
    for (const message of [AUTH, SUBSCRIBE, { op: 'ping' }]) client.send(message)
    ;(await gate.asked()).answer()
    expect(await client.closed()).toMatchObject({ code: 4501 })
    expect(opsOf(client)).toEqual(['hello'])
    expect([client.events(), demanded.size]).toEqual([[], 0])
  })

  test('another token is looked at after it, never beside it', async () => {
    const { url } = await start()
    const client = await connect(url)
    for (const message of [AUTH, { ...AUTH, token: 'another', id: 2 }, { op: 'ping' }]) client.send(message)
    const first = await gate.asked()
    await roundTrips(url)
    expect(gate.count()).toBe(1)
    first.answer(ANN)
    const second = await gate.asked(1)
    expect(second.token).toBe('another')
    await client.message('authenticated')
    await roundTrips(url)
    expect(opsOf(client)).toEqual(['hello', 'authenticated'])
    second.answer({ ...ANN, user: 'bob' })
    expect([await client.message('authenticated'), await client.message('authenticated', 1)]).toMatchObject([
      { id: 1, user: 'ann' },
      { id: 2, user: 'bob' }
    ])
    await client.message('pong')
    expect(opsOf(client)).toEqual(['hello', 'authenticated', 'authenticated', 'pong'])
    client.ws.terminate()
  })

  test('is left on the way where it is much: nothing of it is lost, and nobody is closed for it', async () => {
    const { url } = await start()
    const client = await connect(url)
    client.send(AUTH)
    const { answer } = await gate.asked()
    for (let n = 0; n < 120; n++) client.ws.send(JSON.stringify({ op: 'ping', id: n }).padEnd(4_000), { compress: false })
    await roundTrips(url)
    expect(opsOf(client)).toEqual(['hello'])
    answer(ANN)
    expect(await client.message('pong', 119)).toMatchObject({ id: 119 })
    expect(opsOf(client).slice(0, 3)).toEqual(['hello', 'authenticated', 'pong'])
    client.ws.terminate()
  })

  test.for(['a right', 'a wrong'] as const)('of another protocol is answered in its order: %s token', async (sort) => {
    const { base } = await start({ dialect: emulated('kraken', mirrors['kraken'] ?? expect.fail('kraken is not spoken')) })
    const ws = new WebSocket(`${base.replace('http', 'ws')}/emulate/kraken/v2`)
    const heard: string[] = []
    ws.on('message', (data: Buffer) => {
      const { method } = JSON.parse(data.toString()) as { method?: string }
      if (method !== undefined) heard.push(method)
    })
    ws.on('open', () => {
      ws.send(JSON.stringify({ method: 'subscribe', params: { channel: 'trade', symbol: ['BTC/USDT'], token: 'a' }, req_id: 1 }))
      ws.send(JSON.stringify({ method: 'ping', req_id: 2 }))
    })
    const { answer } = await gate.asked()
    expect(heard).toEqual([])
    answer(sort === 'a right' ? ANN : undefined)
    if (sort === 'a right') await expect.poll(() => heard, SLOWLY).toEqual(['subscribe', 'pong'])
    else {
      await expect.poll(() => ws.readyState, SLOWLY).toBe(WebSocket.CLOSED)
      expect(heard).toEqual(['subscribe'])
    }
    ws.terminate()
  })
})

describe('how much of it waits', () => {
  const KEY = 'a key'
  const visit = () => {
    const plant = createPlant({ epoch: 'e', keep: () => 10 })
    const keys = [createHash('sha256').update(KEY).digest('hex')]
    const said: string[] = []
    const closed: number[] = []
    const line = {
      write: ({ messages }: { messages: readonly unknown[] }) => void said.push(...messages.map(String)),
      backlog: () => 0,
      waiting: () => 0,
      close: (code: number) => void closed.push(code)
    }
    const demand = () => ({ upstream: 'live' as const, release: () => {} })
    const inner = createInner({ plant, desk: deskOf(plant), dialects: [native], demand, clock, timers, flushEvery: 0, keys })
    const { receive } = inner.enter('/v1/ws', line) ?? expect.fail('there is no native protocol')
    return { inner, receive, said, closed }
  }

  test.for([
    ['characters', 6, 'x'.repeat(60_000)],
    ['messages', 600, '{"op":"ping"}']
  ] as const)('too many %s of somebody unknown end the connection, and none is answered', async ([, count, message]) => {
    const { inner, receive, said, closed } = visit()
    receive(JSON.stringify({ ...AUTH, token: KEY }))
    for (let n = 0; n < count; n++) receive(message)
    expect(closed).toEqual([1008])
    await new Promise(setImmediate)
    expect(said).toHaveLength(1)
    inner.stop()
  })

  test('as much as comes in one go is answered', async () => {
    const { inner, receive, said, closed } = visit()
    receive(JSON.stringify({ ...AUTH, token: KEY }))
    for (let n = 0; n < 300; n++) receive('{"op":"ping"}')
    expect(said).toHaveLength(1)
    await expect.poll(() => said.length, SLOWLY).toBe(302)
    expect(closed).toEqual([])
    inner.stop()
  })

  test('what was done makes room, and when it is over nothing more is done', async () => {
    const done: string[] = []
    const inquiry = createInquiry({ messages: 2, characters: 10 })
    inquiry.begin(Promise.resolve('first'), (found) => done.push(found))
    expect([inquiry.wait(() => done.push('a'), 6), inquiry.wait(() => done.push('b'), 6)]).toEqual([true, false])
    await Promise.resolve()
    expect(done).toEqual(['first', 'a'])
    inquiry.begin(Promise.resolve('second'), (found) => done.push(found))
    expect([10, 0, 0].map((length) => inquiry.wait(() => done.push('late'), length))).toEqual([true, true, false])
    inquiry.end()
    await Promise.resolve()
    expect(done).toEqual(['first', 'a'])
  })
})

describe('what ends meanwhile', () => {
  test('a client that went takes no place of the user whose token it was', async () => {
    const { url, gateway } = await start({ allowances: { perUser: { connections: 1 } } })
    for (let n = 0; n < 3; n++) {
      const client = await connect(url)
      client.send(AUTH)
      const { answer } = await gate.asked(n)
      client.ws.terminate()
      answer(ANN)
      await expect.poll(() => gateway.connections(), SLOWLY).toEqual([])
    }
    const next = await connect(url)
    next.send(AUTH)
    ;(await gate.asked(3)).answer(ANN)
    expect(await next.message('authenticated')).toMatchObject({ user: 'ann' })
    next.ws.terminate()
  })

  test('a place that was given back is not signed any more', () => {
    const quotas = createQuotas({ ...ALLOWANCES, perUser: { ...ALLOWANCES.perUser, connections: 1 } }, () => 0)
    const place = quotas.connect('here', undefined)
    place.leave()
    expect(place.sign('ann')).toBe(false)
    expect(quotas.hasRoom('here', 'ann')).toBe(true)
  })

  test('the time for a token: 4504, and what is found out later changes nothing', async () => {
    const { url, gateway, demanded } = await start()
    const client = await connect(url)
    for (const message of [AUTH, SUBSCRIBE]) client.send(message)
    const { answer } = await gate.asked()
    ahead = 6_000
    expect(await client.closed()).toMatchObject({ code: 4504 })
    await expect.poll(() => gateway.connections(), SLOWLY).toEqual([])
    answer(ANN)
    await roundTrips(url)
    expect([opsOf(client), demanded.size]).toEqual([['hello'], 0])
  })

  test.for(['expired', 'revoked'] as const)('a token that %s while it was looked at is none', async (how) => {
    const { url } = await start()
    const client = await connect(url)
    for (const message of [AUTH, SUBSCRIBE]) client.send(message)
    const { answer } = await gate.asked()
    const expires = clock() + 1_000
    if (how === 'expired') ahead = 1_000
    else gate.revoked.add('first')
    answer({ ...ANN, expires: how === 'expired' ? expires : expires + 60_000 })
    expect(await client.closed()).toMatchObject({ code: 4501 })
    expect(opsOf(client)).toEqual(['hello'])
  })

  test('the first token, while the second is looked at: its end is the end', async () => {
    const { url, plant } = await start()
    const client = await connect(url)
    for (const message of [AUTH, SUBSCRIBE]) client.send(message)
    ;(await gate.asked()).answer(ANN)
    await client.message('subscribed')
    client.send({ ...AUTH, token: 'another' })
    const { answer } = await gate.asked(1)
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 7), 1)
    await client.until(() => client.events().length > 0)
    gate.revoked.add('first')
    expect(await client.closed()).toMatchObject({ code: 4501, reason: 'the token was revoked' })
    answer({ ...ANN, key: 'second' })
    await roundTrips(url)
    expect(opsOf(client).filter((op) => op === 'authenticated')).toHaveLength(1)
  })

  test('a second token that is wrong ends what the first began', async () => {
    const { url } = await start()
    const client = await connect(url)
    client.send(AUTH)
    ;(await gate.asked()).answer(ANN)
    await client.message('authenticated')
    client.send({ ...AUTH, token: 'another' })
    ;(await gate.asked(1)).answer()
    expect(await client.closed()).toMatchObject({ code: 4501 })
  })
})
