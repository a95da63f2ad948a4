/** The connection machine by table and by property: no socket, no timer, no clock. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffDelay } from '../src/backoff.ts'
import { due } from '../src/connection.ts'
import type { Effect } from '../src/state.ts'
import { drive, hello, kinds, sent, trade } from './drive.ts'

describe('the life of a connection', () => {
  test('it says hello, and is open when the server has said hello', () => {
    const world = drive()
    expect(kinds(world.feed({ type: 'start' }))).toEqual(['state', 'dial'])
    expect(sent(world.feed({ type: 'opened' }))).toEqual([{ op: 'hello', version: 1, client: 'tickwire-js' }])
    world.hear(hello())
    expect(world.machine.state).toMatchObject({ phase: 'open', attempt: 0, reason: 'Connected to Tickwire test (demo).' })
  })

  test('a token travels in an auth message, and nothing is subscribed before it is accepted', () => {
    const world = drive({ hasToken: true })
    world.feed({ type: 'want', topics: ['trade:BTC-USDT'] })
    expect(kinds(world.open({ auth: 'required' }))).toEqual(['authenticate'])
    expect(sent(world.feed({ type: 'token', token: 'secret' }))).toEqual([{ op: 'auth', token: 'secret' }])
    expect(sent(world.hear({ op: 'authenticated', user: 'ann' }))).toMatchObject([
      { op: 'subscribe', topics: ['trade:BTC-USDT'] }
    ])
  })

  test('a server that needs a token, met without one, ends the client with a sentence that says what to do', () => {
    const world = drive()
    world.open({ auth: 'required' })
    expect(world.machine.state).toMatchObject({ phase: 'closed', reason: 'The server needs a token: connect({ url, token }).' })
  })

  test('another protocol version ends the client with both versions named', () => {
    const world = drive()
    world.open({ version: 2 })
    expect(world.machine.state.phase).toBe('closed')
    expect(world.machine.state.reason).toContain('version 2, this client version 1')
  })

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 4001, 4002, 4003, 4004, 4499])(
    'after close code %i it comes back',
    (code) => {
      const world = drive()
      world.open()
      world.cut(code)
      expect(world.machine.state.phase).toBe('waiting')
      expect(kinds(world.wait())).toEqual(['state', 'dial'])
    }
  )

  test.each([1002, 1003, 1007, 1008, 1009, 4500, 4501, 4503, 4504, 4529, 4999])(
    'after close code %i it stops for good',
    (code) => {
      const world = drive()
      world.open()
      world.cut(code)
      expect(world.machine.state.phase).toBe('closed')
      expect(world.machine.state.reason).toContain('Not trying again.')
      expect(due(world.machine)).toBe(Infinity)
    }
  )

  test('[S1-39] it waits exponentially longer, with full jitter, between 0 and 30 s', () => {
    const world = drive({}, () => 0.999)
    world.feed({ type: 'start' })
    const delays = Array.from({ length: 7 }, () => {
      world.cut()
      const delay = world.machine.state.retryAt! - world.now
      world.wait()
      return Math.round(delay / 1000)
    })
    expect(delays).toEqual([2, 4, 8, 16, 30, 30, 30])
  })

  test('the delay is uniform below its bound, whatever the attempt', () => {
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.nat(5_000), fraction, (attempt, r) => {
        const delay = backoffDelay(attempt, { min: 1_000, max: 30_000 }, () => r)
        expect(delay).toBe(r * Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 30)))
      })
    )
  })

  test('only a connection that lasted resets the delay: a server that accepts and cuts is not hammered', () => {
    const world = drive({}, () => 1)
    world.open()
    world.cut()
    world.wait()
    world.open()
    world.cut()
    expect(world.machine.state).toMatchObject({ attempt: 2, retryAt: world.now + 4_000 })
    world.wait()
    world.open()
    world.now += 5_000
    world.cut()
    expect(world.machine.state).toMatchObject({ attempt: 1, retryAt: world.now + 2_000 })
  })

  test('after a shutdown notice it stays away as long as it was asked to', () => {
    const world = drive()
    world.open()
    const notice = { retryAfterMs: 3_000, reason: 'upgrade' }
    expect(world.hear({ op: 'shutdown', ...notice })).toEqual([{ type: 'shutdown', report: notice }])
    world.cut(1001)
    expect(world.machine.state.retryAt).toBe(world.now + 3_000 + 1_000)
  })

  test('[S1-46] attempts bounds the failures in a row; 0, the usual, is without end', () => {
    const bounded = drive({ attempts: 3 })
    bounded.feed({ type: 'start' })
    for (let i = 0; i < 2; i++) {
      bounded.cut()
      bounded.wait()
    }
    expect(bounded.machine.state.phase).toBe('connecting')
    bounded.cut()
    expect(bounded.machine.state).toMatchObject({
      phase: 'closed',
      reason: expect.stringContaining('Given up after 3 attempts') as string
    })
    const endless = drive()
    endless.feed({ type: 'start' })
    for (let i = 0; i < 500; i++) {
      endless.cut()
      endless.wait()
    }
    expect(endless.machine.state.phase).toBe('connecting')
  })

  test('[S1-39] an expired token is fetched anew once; where that is no better, the client ends and says so', () => {
    const world = drive({ hasToken: true })
    world.open({ auth: 'required' })
    world.hear({ op: 'authenticated', user: 'me' })
    world.cut(4003)
    expect(world.machine.state.phase).toBe('waiting')
    world.wait()
    world.feed({ type: 'opened' })
    expect(kinds(world.hear(hello({ auth: 'required' })))).toContain('authenticate')
    world.cut(4003)
    expect(world.machine.state).toMatchObject({ phase: 'closed', reason: expect.stringContaining('no better') as string })
  })

  test('[S1-39] a token that held for a while may expire again', () => {
    const world = drive({ hasToken: true })
    for (let hour = 0; hour < 3; hour++) {
      world.open({ auth: 'required' })
      world.hear({ op: 'authenticated', user: 'me' })
      world.now += 3_600_000
      world.cut(4003)
      expect(world.machine.state.phase).toBe('waiting')
      world.wait()
    }
  })

  test('a server that does not say hello in 10 s is given up', () => {
    const world = drive()
    world.feed({ type: 'start' })
    world.feed({ type: 'opened' })
    expect(kinds(world.wait())).toEqual(['hangup', 'state'])
    expect(world.now).toBe(10_000)
    expect(world.machine.state.reason).toContain('did not answer in time')
  })

  test('after 25 s of silence it pings, after 60 s it hangs up and comes back', () => {
    const world = drive()
    world.open()
    expect(sent(world.wait())).toEqual([{ op: 'ping' }])
    expect(world.now).toBe(25_000)
    expect(kinds(world.wait())).toEqual(['hangup', 'state'])
    expect(world.now).toBe(60_000)
    expect(world.machine.state.reason).toContain('Nothing was heard from the server for 60 s')
  })

  test('anything heard counts as a sign of life', () => {
    const world = drive()
    world.open()
    world.wait()
    world.now += 5_000
    world.hear({ op: 'pong', now: 0 })
    expect(sent(world.wait())).toEqual([{ op: 'ping' }])
    expect(world.now).toBe(55_000)
    expect(world.machine.state.phase).toBe('open')
  })

  test("it answers the server's ping", () => {
    const world = drive()
    world.open()
    expect(world.hear({ op: 'ping', now: 7 })).toEqual([{ type: 'send', message: { op: 'pong' } }])
  })

  test('a clock set back an hour does not make it deaf', () => {
    const world = drive()
    world.now = 7_200_000
    world.open()
    world.now = 3_600_000
    world.feed({ type: 'tick' })
    world.now += 25_000
    expect(sent(world.feed({ type: 'tick' }))).toEqual([{ op: 'ping' }])
  })

  test('operations that a later version may add are passed over', () => {
    const world = drive()
    world.open()
    expect(world.hear({ op: 'applause' } as never)).toEqual([])
  })
})

describe('subscriptions', () => {
  test('what is asked in one turn leaves in one message, and leaving and coming back in one turn costs nothing', () => {
    const world = drive()
    world.open()
    world.feed({ type: 'want', topics: ['trade:A', 'quote:A'] })
    world.feed({ type: 'want', topics: ['trade:B'] })
    expect(sent(world.feed({ type: 'flush' }))).toEqual([{ op: 'subscribe', id: 1, topics: ['trade:A', 'quote:A', 'trade:B'] }])
    world.feed({ type: 'unwant', topics: ['trade:B'] })
    world.feed({ type: 'want', topics: ['trade:B'] })
    expect(world.feed({ type: 'flush' })).toEqual([])
  })

  test('a topic is left under its canonical name, and only when no spelling of it is wanted any more', () => {
    const world = drive()
    world.open()
    world.want(['trade:btcusdt', 'trade:BTC-USDT'])
    const ok = { topic: 'trade:BTC-USDT', ok: true as const, position: { epoch: 'e1', seq: 0 }, upstream: 'live' as const }
    world.hear({
      op: 'subscribed',
      id: 1,
      results: [
        { asked: 'trade:btcusdt', ...ok },
        { asked: 'trade:BTC-USDT', ...ok }
      ]
    })
    world.feed({ type: 'unwant', topics: ['trade:BTC-USDT'] })
    expect(world.feed({ type: 'flush' })).toEqual([])
    world.feed({ type: 'unwant', topics: ['trade:btcusdt'] })
    expect(sent(world.feed({ type: 'flush' }))).toEqual([{ op: 'unsubscribe', topics: ['trade:BTC-USDT'] }])
  })

  test('a topic left before its answer came is unsubscribed when it comes', () => {
    const world = drive()
    world.open()
    world.want('trade:btcusdt')
    world.feed({ type: 'unwant', topics: ['trade:btcusdt'] })
    expect(sent(world.feed({ type: 'flush' }))).toEqual([])
    const effects = world.subscribed(5, { asked: 'trade:btcusdt' })
    expect(sent(effects)).toEqual([{ op: 'unsubscribe', topics: ['trade:BTC-USDT'] }])
  })

  test('a thousand topics are split so that no message passes the limit that the server named', () => {
    const world = drive()
    world.open({ limits: { message: 8_192, topics: 1_000 } })
    const topics = Array.from({ length: 1_000 }, (_, i) => `candle:INSTRUMENT${i}-USDT@provider:1m`)
    const messages = sent(world.want(topics))
    expect(messages.flatMap((message) => (message.op === 'subscribe' ? message.topics : []))).toEqual(topics)
    for (const message of messages) expect(JSON.stringify(message).length).toBeLessThanOrEqual(8_192)
  })

  test('what the server refuses for now is asked again, what it refuses for good is not', () => {
    const world = drive()
    world.open()
    world.want('trade:A')
    world.hear({ op: 'error', id: 1, code: 'RATE_LIMITED', message: 'slow down', retry: true })
    expect(sent(world.wait())).toEqual([{ op: 'subscribe', id: 2, topics: ['trade:A'] }])
    expect(world.now).toBe(1_000)
    const refused = world.hear({
      op: 'subscribed',
      id: 2,
      results: [{ asked: 'trade:A', ok: false, code: 'BAD_SYMBOL', message: 'no' }]
    })
    expect(refused).toMatchObject([{ type: 'settled', result: { code: 'BAD_SYMBOL' } }])
    expect(sent(world.wait())).toEqual([{ op: 'ping' }])
  })

  test('a client that ends answers everything still unanswered', () => {
    const world = drive()
    world.open()
    world.want('trade:A')
    const end = world.cut(4501)
    expect(end.find((effect) => effect.type === 'settled')).toMatchObject({ asked: 'trade:A', result: { ok: false } })
    expect(world.feed({ type: 'want', topics: ['trade:B'] })).toMatchObject([
      { type: 'settled', asked: 'trade:B', result: { ok: false } }
    ])
  })
})

const joined = (seq = 10) => {
  const world = drive()
  world.open()
  world.want('trade:BTC-USDT')
  world.subscribed(seq)
  return world
}

describe('positions', () => {
  test('the snapshot and the first live event follow each other without a seam', () => {
    const world = joined(10)
    world.hear([trade(10), trade(11)])
    world.hear([trade(12)])
    expect(world.delivered()).toEqual([10, 11, 12])
    expect(kinds(world.all)).not.toContain('gap')
  })

  test('an event that was seen before is dropped', () => {
    const world = joined(10)
    world.hear([trade(10), trade(11), trade(11), trade(10), trade(12)])
    expect(world.delivered()).toEqual([10, 11, 12])
  })

  test('events of a topic nobody asked for, or not yet answered, are dropped', () => {
    const world = drive()
    world.open()
    world.want('trade:BTC-USDT')
    world.hear([trade(3), trade(4, 'trade:ETH-USDT')])
    expect(world.delivered()).toEqual([])
  })

  test('after a cut the position is sent, and recovered: true continues without a word but resumed', () => {
    const world = joined(10)
    world.hear([trade(10), trade(11)])
    world.cut()
    world.wait()
    const again = sent(world.open())
    expect(again).toMatchObject([{ op: 'subscribe', resume: { 'trade:BTC-USDT': { epoch: 'e1', seq: 11 } } }])
    const effects = world.subscribed(13, { recovered: true })
    expect(kinds(effects)).toEqual(['settled', 'resumed'])
    world.hear([trade(12), trade(13), trade(14)])
    expect(world.delivered()).toEqual([10, 11, 12, 13, 14])
  })

  test('[S2-39] a replay that is sent elsewhere begins anew unasked: a reset, and what comes counts from there', () => {
    const world = joined(10)
    world.hear([trade(10), trade(11)])
    const position = { epoch: 'e2', seq: 3 }
    const topic = 'trade:BTC-USDT'
    const result = { asked: topic, topic, ok: true as const, position, recovered: false, upstream: 'live' as const }
    expect(world.hear({ op: 'subscribed', results: [result] })).toMatchObject([
      { type: 'reset', report: { topic, previous: { epoch: 'e1', seq: 11 }, position } }
    ])
    world.hear([trade(3), trade(4)])
    expect(world.delivered()).toEqual([10, 11, 3, 4])
  })

  test('[S2-39] a reset says what it was: a replay at another place, or a server that was restarted', () => {
    const reasonIn = (mode: string): unknown => {
      const world = drive()
      world.open({ mode })
      world.want('trade:BTC-USDT')
      world.subscribed(10)
      world.cut()
      world.wait()
      world.open({ mode, epoch: 'e2' })
      const [effect] = world.subscribed(3, { recovered: false, position: { epoch: 'e2', seq: 3 } }).slice(-1)
      return effect?.type === 'reset' && effect.report.reason
    }
    expect(reasonIn('replay')).toBe('The replay is at another place: trade:BTC-USDT begins anew.')
    expect(reasonIn('live')).toBe('The server was restarted: trade:BTC-USDT begins anew.')
  })

  test('recovered: false is told as a reset, and then the snapshot comes', () => {
    const world = joined(10)
    world.hear([trade(10)])
    world.cut()
    world.wait()
    world.open({ epoch: 'e2' })
    const effects = world.subscribed(3, { recovered: false, position: { epoch: 'e2', seq: 3 } })
    expect(effects.at(-1)).toMatchObject({
      type: 'reset',
      report: { topic: 'trade:BTC-USDT', previous: { epoch: 'e1', seq: 10 }, position: { epoch: 'e2', seq: 3 } }
    })
    world.hear([trade(3), trade(4)])
    expect(world.delivered()).toEqual([10, 3, 4])
  })

  test('a hole in a topic where every event counts is told as a gap', () => {
    const world = joined(10)
    expect(world.hear([trade(10), trade(14)])).toMatchObject([
      { type: 'deliver' },
      { type: 'gap', report: { source: 'connection', topic: 'trade:BTC-USDT', from: 11, to: 13 } },
      { type: 'deliver' }
    ])
  })

  test('a hole that the server announced as lost is told as lost, at its place, and not as a gap', () => {
    const world = joined(10)
    const effects = world.hear([
      trade(10),
      { op: 'lost', topic: 'trade:BTC-USDT', count: 3, from: 11, to: 13, reason: 'slow' },
      trade(14)
    ])
    expect(kinds(effects)).toEqual(['deliver', 'lost', 'deliver'])
    expect(effects[1]).toMatchObject({ report: { count: 3, from: 11, to: 13, where: 'server' } })
  })

  test('a hole in a conflated topic is no loss', () => {
    const world = drive()
    world.open()
    world.want('quote:BTC-USDT')
    world.subscribed(5, {}, 'quote:BTC-USDT')
    expect(kinds(world.hear([trade(5, 'quote:BTC-USDT'), trade(9, 'quote:BTC-USDT')]))).toEqual(['deliver'])
  })

  test('notices come unasked, each once, and begin anew with a new epoch', () => {
    const world = joined()
    world.hear([trade(4, 'status:BTC-USDT:trade'), trade(4, 'status:BTC-USDT:trade')])
    expect(world.delivered()).toEqual([4])
    world.cut()
    world.wait()
    world.open({ epoch: 'e2' })
    world.hear([trade(1, 'status:BTC-USDT:trade')])
    expect(world.delivered()).toEqual([4, 1])
  })

  test('what was read of the notices is resumed with their topic', () => {
    const world = joined()
    world.hear([trade(4, 'status:BTC-USDT:trade')])
    world.cut()
    world.wait()
    const resume = { 'trade:BTC-USDT': { epoch: 'e1', seq: 9 }, 'status:BTC-USDT:trade': { epoch: 'e1', seq: 4 } }
    expect(sent(world.open())).toMatchObject([{ op: 'subscribe', resume }])
  })

  test('[S4-27] whatever is cut, repeated or resent, a program reads every event once and in order, or is told otherwise', () => {
    const life = fc.array(fc.record({ publish: fc.nat(6), repeat: fc.nat(3), cut: fc.boolean(), restart: fc.boolean() }), {
      maxLength: 40
    })
    fc.assert(
      fc.property(life, (steps) => {
        const world = joined(0)
        let epoch = 'e1'
        let seq = 0
        const told: string[] = []
        const published: string[] = []
        const note = (effects: readonly Effect[]) => {
          for (const effect of effects)
            if (effect.type === 'deliver') told.push(...effect.events.map((event) => `${epoch}:${event.seq}`))
            else if (effect.type === 'reset') told.push('reset')
            else if (effect.type === 'gap' || effect.type === 'lost') told.push('hole')
        }
        for (const { publish, repeat, cut, restart } of steps) {
          const frame = Array.from({ length: publish }, () => trade(++seq))
          published.push(...frame.map((event) => `${epoch}:${event.seq}`))
          const received = cut ? frame.slice(0, publish >> 1) : frame
          note(world.hear([...received, ...received.slice(-repeat)]))
          if (!cut) continue
          const seen = world.machine.lanes.get('trade:BTC-USDT')!.seen
          world.cut()
          if (restart) {
            // What was on the way when the server went is gone with it; the reset says so.
            published.splice(published.length - (publish - received.length), publish - received.length)
            epoch += '+'
            seq = 0
            published.push('reset')
          }
          world.wait()
          world.open({ epoch })
          note(world.subscribed(seq, { recovered: !restart, position: { epoch, seq } }))
          if (!restart) note(world.hear(Array.from({ length: seq - seen }, (_, i) => trade(seen + 1 + i))))
        }
        expect(told).toEqual(published)
      })
    )
  })
})
