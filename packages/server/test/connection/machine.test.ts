import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SETTINGS, type Effect, type Input, type Settings, type State } from '../../src/connection/connection.ts'
import { backoff, start, step } from '../../src/connection/machine.ts'
import type { Adapter, Meaning, Subscription } from '../../src/providers/adapter.ts'
import { venueAdapter, type VenueSession } from '../feed/venue.ts'

const trades = (symbol: string): Subscription => ({ kind: 'trade', symbol })
const books = (symbol: string): Subscription => ({ kind: 'book', symbol })
const trade = (symbol = 'A'): Meaning => ({ type: 'trade', symbol, price: 1, size: 1, side: 'buy', time: 1 })

/** A machine with a hand on its clock. */
function drive(wanted: readonly Subscription[], change: Partial<Adapter<VenueSession>> = {}, settings: Partial<Settings> = {}) {
  const adapter = venueAdapter('a', change)
  const state = start(adapter, wanted, 0, {}, { ...SETTINGS, ...settings }) as State<VenueSession>
  let now = 0
  const feed = (input: Record<string, unknown>): Effect[] => step(adapter, state, { ...input, now } as Input, () => 0.5)
  return {
    adapter,
    state,
    feed,
    at: (time: number) => void (now = time),
    tick: (time: number) => {
      now = time
      return feed({ type: 'tick' })
    },
    open: () => {
      feed({ type: 'tick' })
      return feed({ type: 'opened' })
    },
    hear: (...meanings: (Meaning | { throw: 1 })[]) => feed({ type: 'frame', frame: JSON.stringify(meanings) })
  }
}
const frames = (effects: readonly Effect[]) =>
  effects.flatMap((e) => (e.type === 'send' ? [JSON.parse(e.frame as string) as unknown] : []))
const types = (effects: readonly Effect[]) => effects.map((e) => (e.type === 'phase' ? e.phase : e.type))

const one = (s: readonly Subscription[]) => s.map((w) => JSON.stringify({ subscribe: w.symbol }))

/** Market data every 50 ms. */
const steady = (m: ReturnType<typeof drive>, from: number, until: number) => {
  for (let at = from; at < until; at += 50) {
    m.tick(at)
    m.hear(trade())
  }
}
/** A heartbeat every second, no market data: the phases told. */
const ticks = (m: ReturnType<typeof drive>, from: number, until: number) => {
  const seen: [number, string][] = []
  for (let at = from; at <= until; at += 100)
    for (const e of [...m.tick(at), ...(at % 1_000 === 0 ? m.hear() : [])])
      if (e.type === 'phase') seen.push([at, `${e.phase}: ${e.reason}`])
  return seen
}

describe('a connection', () => {
  test('dials, greets, and then subscribes what is wanted', () => {
    const m = drive([trades('A')], { greet: () => ['"hello"'] })
    expect(types(m.feed({ type: 'tick' }))).toEqual(['connecting', 'dial'])
    expect(m.feed({ type: 'tick' })).toEqual([])
    const effects = m.feed({ type: 'opened' })
    expect(types(effects)).toEqual(['live', 'send', 'send'])
    expect(frames(effects)).toEqual(['hello', { subscribe: ['trade:A'] }])
  })

  test('sends only the difference when the wanted set changes', () => {
    const m = drive([trades('A'), trades('B')])
    m.open()
    const effects = m.feed({ type: 'want', wanted: [trades('B'), books('B')] })
    expect(frames(effects)).toEqual([{ unsubscribe: ['trade:A'] }, { subscribe: ['book:B'] }])
    expect(m.feed({ type: 'want', wanted: [books('B'), trades('B')] })).toEqual([])
  })

  test('subscribes everything anew after a reconnect, with a new session', () => {
    const m = drive([trades('A')])
    m.open()
    m.hear(trade())
    expect(m.state.session.frames).toBe(1)
    m.feed({ type: 'closed', reason: 'reset' })
    m.tick(60_000)
    expect(frames(m.feed({ type: 'opened' }))).toEqual([{ subscribe: ['trade:A'] }])
    expect(m.state.session.frames).toBe(0)
  })

  test('waits longer after each failure, and only market data makes it forget them', () => {
    const m = drive([trades('A')])
    const waits = Array.from({ length: 9 }, () => {
      m.at(m.state.dialAt)
      m.open()
      m.hear({ type: 'ack', symbol: 'A' })
      const now = m.state.dialAt
      m.feed({ type: 'closed', reason: 'reset' })
      return m.state.dialAt - now
    })
    // After the fifth failure in a row the circuit is open for half a minute each time.
    expect(waits).toEqual([250, 500, 1_000, 2_000, 30_000, 30_000, 30_000, 30_000, 30_000])
    m.at(m.state.dialAt)
    m.open()
    m.hear(trade())
    expect(m.state.attempt).toBe(0)
  })

  test('keeps away as long as the provider asks', () => {
    const m = drive([trades('A')])
    m.feed({ type: 'tick' })
    m.feed({ type: 'closed', reason: 'HTTP 429', wait: 90_000 })
    expect(m.tick(89_999)).toEqual([])
    expect(types(m.tick(90_000))).toEqual(['connecting', 'dial'])
  })

  test('full jitter spreads attempts from zero to the cap', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
        const wait = backoff(attempt, () => random)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(SETTINGS.backoff.cap)
      })
    )
  })

  test('pings, says when it is stale, and hangs up after the adapter’s time without a frame', () => {
    const m = drive([trades('A')], { ping: { every: 4_000, frame: '"ping"' }, staleAfter: 10_000 })
    m.open()
    expect(frames(m.tick(4_000))).toEqual(['ping'])
    expect(types(m.tick(5_001))).toEqual(['stale'])
    expect(types(m.hear(trade()))).toEqual(['live', 'confirmed', 'event'])
    expect(types(m.tick(15_001))).toEqual(['stale', 'send'])
    expect(m.tick(15_002)).toEqual([{ type: 'hangup', reason: 'nothing heard for 10.0 s' }])
  })

  test('a socket that used to speak is given up when it is silent, however often REST answers; of REST alone an answer is all there is', () => {
    const need = { type: 'need', path: '/ticker', purpose: 'snapshot' } as const
    const endings = [true, false].map((speaks) => {
      const m = drive([trades('A')], { staleAfter: 10_000 })
      m.open()
      if (speaks) m.hear(trade())
      const told: string[] = []
      for (let at = 1_000; at <= 30_000; at += 1_000) {
        told.push(...m.tick(at).flatMap((e) => (e.type === 'hangup' ? [e.reason] : [])))
        m.feed({ type: 'answer', need, body: JSON.stringify([{ ...trade(), price: at }]) })
      }
      return told[0]
    })
    expect(endings).toEqual(['nothing heard for 11.0 s', undefined])
  })

  test('an open connection whose market data dries up is stale within 2 s, though its heartbeats go on, and says why', () => {
    const m = drive([trades('A')])
    m.open()
    steady(m, 100, 10_000)
    const [[at, words]] = ticks(m, 10_000, 15_000) as [[number, string]]
    expect(at).toBeLessThanOrEqual(12_000)
    expect(words).toBe(
      'stale: it said nothing for 1.6 s (usually speaks within 0.1 s), though its connection is open and was heard 0.5 s ago'
    )
    // Neither we standing still nor a heartbeat after it makes it any better.
    expect(types([...m.tick(17_000), ...m.hear()])).toEqual([])
    expect(types(m.hear(trade()))).toEqual(['live', 'event'])
  })

  test('it is not stale because fewer are subscribed, because it was just opened, or because we ourselves stood still', () => {
    const m = drive([trades('A'), trades('B')])
    m.open()
    steady(m, 100, 10_000)
    m.feed({ type: 'want', wanted: [trades('B')] })
    expect(ticks(m, 10_000, 20_000)).toEqual([])
    steady(m, 20_000, 30_000)
    m.feed({ type: 'closed', reason: 'reset' })
    m.tick(31_000)
    m.feed({ type: 'opened' })
    expect(ticks(m, 31_100, 33_000)).toEqual([])
    steady(m, 33_100, 40_000)
    expect(types(m.tick(44_000))).not.toContain('stale')
  })

  test('is given up after as many failed attempts in a row as the operator allows; the loss of a good connection is none', () => {
    const m = drive([trades('A')], {}, { attempts: 3 })
    const fail = () => {
      m.at(m.state.dialAt)
      m.feed({ type: 'tick' })
      return types(m.feed({ type: 'closed', reason: 'ECONNREFUSED' }))
    }
    expect([fail(), fail()]).toEqual([['waiting'], ['waiting']])
    m.at(m.state.dialAt)
    m.open()
    m.hear(trade())
    m.feed({ type: 'closed', reason: 'reset' })
    expect([fail(), fail()]).toEqual([['waiting'], ['waiting']])
    m.at(m.state.dialAt)
    m.feed({ type: 'tick' })
    const reason = 'given up after 3 failed attempts in a row: ECONNREFUSED'
    expect(m.feed({ type: 'closed', reason: 'ECONNREFUSED' })).toEqual([{ type: 'phase', phase: 'stopped', reason }])
    expect(m.tick(1e9)).toEqual([])
  })

  test('while no provider delivers it waits for at most half a second at first, later for 1/120 of the outage', () => {
    const limits = { ...venueAdapter('a').limits, attempts: { count: 300, per: 60_000 } }
    const m = drive([trades('A')], { limits })
    const waits: [number, number][] = []
    for (let now = 0; now < 7_200_000; now = m.state.dialAt) {
      m.at(now)
      m.feed({ type: 'tick' })
      m.feed({ type: 'closed', reason: 'ECONNREFUSED', outage: true })
      waits.push([now, m.state.dialAt - now])
    }
    for (const [now, wait] of waits) expect(wait).toBeLessThanOrEqual(Math.max(500, Math.min(30_000, now / 120)))
    expect(waits.length).toBeGreaterThan(500)
    expect(waits.at(-1)![1]).toBe(15_000)
  })

  test('asks once more when a subscription is not answered, then reports it and lives on', () => {
    const m = drive([trades('A'), trades('B')], { staleAfter: 1e9 })
    m.open()
    m.hear({ type: 'ack', symbol: 'A', kind: 'trade' })
    expect(m.tick(9_999)).toEqual([])
    expect(frames(m.tick(10_000))).toEqual([{ subscribe: ['trade:B'] }])
    expect(m.tick(20_000)).toEqual([{ type: 'unanswered', subscription: trades('B') }])
    expect(m.tick(40_000)).toEqual([])
    expect(m.hear(trade('B'))).toEqual([{ type: 'event', event: trade('B') }])
  })

  test('market data confirms a subscription whose ack comes later or never', () => {
    const m = drive([trades('A')])
    m.open()
    expect(types(m.hear(trade()))).toEqual(['confirmed', 'event'])
    expect(types(m.hear({ type: 'ack', symbol: 'A' }, trade()))).toEqual(['event'])
  })

  test('a refused subscription is reported and not asked again; a fatal refusal ends the connection for good', () => {
    const m = drive([trades('A'), trades('B')], { staleAfter: 1e9 })
    m.open()
    expect(m.hear({ type: 'reject', symbol: 'B', reason: 'unknown' })).toEqual([
      { type: 'rejected', subscription: trades('B'), reason: 'unknown' }
    ])
    m.hear(trade())
    expect(m.tick(30_000)).toEqual([])
    expect(types(m.hear({ type: 'reject', reason: 'bad key', fatal: true }))).toEqual(['rejected', 'stopped', 'hangup'])
    expect(m.feed({ type: 'closed', reason: 'gone' })).toEqual([])
    expect(m.tick(1e9)).toEqual([])
  })

  test('never sends more frames within any second than the provider allows, loses none, and replies overtake', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 20, max: 400 }),
        (limit, count, every) => {
          const limits = {
            subscriptionsPerConnection: 100,
            framesPerSecond: limit,
            attempts: { count: 9, per: 9 },
            requestsPerSecond: 9
          }
          const m = drive(Array.from({ length: count }, (_, i) => trades(`S${i}`)), { limits, subscribe: one, staleAfter: 1e9 }) // prettier-ignore
          const sent: { at: number; frame: unknown }[] = []
          const note = (at: number, effects: Effect[]) => sent.push(...frames(effects).map((frame) => ({ at, frame })))
          note(0, m.open())
          note(0, m.hear({ type: 'reply', frame: '"pong"' }))
          for (let at = every; sent.length < count + 1; at += every) {
            note(at, m.tick(at))
            note(at, m.hear({ type: 'ack', symbol: 'none' }))
          }
          sent.forEach(({ at }, i) => i >= limit && expect(at - sent[i - limit]!.at).toBeGreaterThanOrEqual(1_000))
          expect(new Set(sent.map((s) => JSON.stringify(s.frame))).size).toBe(count + 1)
          expect(sent.findIndex((s) => s.frame === 'pong')).toBeLessThanOrEqual(limit)
        }
      ),
      { numRuns: 60 }
    )
  })

  test('a provider that asks for replies faster than it allows them is hung up on', () => {
    const m = drive([trades('A')])
    m.open()
    const flood = Array.from({ length: 200 }, () => ({ type: 'reply', frame: '""' }) as const)
    expect(types(m.hear(...flood))).toContain('hangup')
  })

  test('rotates before its lifetime ends, and when the provider announces the end, once', () => {
    const m = drive([trades('A')], { lifetime: 1_000_000, staleAfter: 1e9 })
    m.open()
    m.hear(trade())
    expect(types(m.tick(849_000))).toEqual([])
    expect(types(m.tick(851_000))).toEqual(['rotate'])
    expect(types(m.tick(950_000))).toEqual([])
    const n = drive([trades('A')])
    n.open()
    expect(n.hear({ type: 'ending', reason: 'maintenance' })).toEqual([{ type: 'rotate', reason: 'maintenance' }])
  })

  test('a gap without a symbol hangs up; with one, that book alone is asked for again', () => {
    const m = drive([books('A'), books('B'), trades('A')])
    m.open()
    const gap = { kind: 'book', symbol: 'A', expected: 5, got: 7, cause: 'sequence' } as const
    const effects = m.hear({ type: 'gap', ...gap })
    expect(effects[0]).toEqual({ type: 'gap', gap, action: 'resync' })
    expect(frames(effects)).toEqual([{ unsubscribe: ['book:A'] }, { subscribe: ['book:A'] }])
    expect(types(m.hear({ type: 'gap', kind: 'trade', cause: 'sequence' }))).toEqual(['gap', 'hangup'])
  })

  test('an adapter that asks for a snapshot in the same breath as it reports the gap repairs it itself', () => {
    const m = drive([books('A')])
    m.open()
    const need = { type: 'need', path: '/depth', purpose: 'book', symbol: 'A' } as const
    const effects = m.hear({ type: 'gap', kind: 'book', symbol: 'A', cause: 'sequence' }, need)
    expect(types(effects)).toEqual(['gap', 'need'])
    const snapshot = { type: 'delta', symbol: 'A', time: 1, snapshot: true, bids: [[1, 1]], asks: [[2, 1]] } as const
    const answered = m.feed({ type: 'answer', need, body: JSON.stringify([snapshot]) })
    expect(answered.at(-1)).toMatchObject({ type: 'event', event: { type: 'book', bids: [[1, 1]] } })
  })

  test('a snapshot that could not be fetched is asked for anew through its subscription', () => {
    const m = drive([books('A')])
    m.open()
    const need = { type: 'need', path: '/depth', purpose: 'book', symbol: 'A' }
    expect(types(m.feed({ type: 'failed', need, reason: 'HTTP 500' }))).toEqual(['refused'])
    expect(frames(m.tick(1_000))).toEqual([{ unsubscribe: ['book:A'] }, { subscribe: ['book:A'] }])
  })

  const ack = { type: 'ack', kind: 'book', symbol: 'A' } as const
  const delta = { type: 'delta', symbol: 'A', time: 1, snapshot: false, bids: [[1, 1]], asks: [[2, 1]] } as const
  const whole = { ...delta, snapshot: true } as const
  const need = { type: 'need', path: '/depth', purpose: 'book', symbol: 'A' } as const
  /** The seconds at which the book A is asked for anew, when this is heard each second from its subscription on. */
  const askedAt = (until: number, each: (m: ReturnType<typeof drive>, second: number) => Effect[], first = books('A')) => {
    const m = drive([first, books('B'), trades('A')], { staleAfter: 1e9 })
    m.open()
    m.hear({ ...whole, symbol: 'B' }, trade())
    const asked: number[] = []
    for (let second = 0; second <= until; second++) {
      const sent = frames([...m.tick(second * 1_000), ...each(m, second)])
      if (sent.length === 0) continue
      expect(sent).toEqual([{ unsubscribe: ['book:A'] }, { subscribe: ['book:A'] }])
      asked.push(second)
    }
    return asked
  }

  test.each<[string, number[], (m: ReturnType<typeof drive>, second: number) => Effect[]]>([
    ['its deltas come, but the snapshot is lost each time', [5, 15, 35, 65, 95], (m) => m.hear(ack, delta)],
    ['it is confirmed and mute', [5, 15, 35, 75, 155, 315, 615], (m) => m.hear(ack)],
    ['the snapshot comes in time', [], (m, second) => (second < 4 ? m.hear(ack, delta) : m.hear(whole))],
    ['the snapshot comes to the second ask', [5], (m, second) => (second < 6 ? m.hear(ack, delta) : m.hear(whole))],
    ['the first is confirmed after 4 s', [9], (m, second) => (second < 4 ? [] : m.hear(second < 10 ? ack : whole))],
    ['it was refused', [], (m) => m.hear({ type: 'reject', kind: 'book', symbol: 'A', reason: 'unknown' })],
    ['its snapshot is on its way by REST', [], (m, second) => m.hear(ack, ...(second === 0 ? [need] : []))],
    [
      'REST fails again and again',
      [1, 3, 7, 15, 31, 61, 91],
      (m) => (m.hear(ack, need), m.feed({ type: 'failed', need, reason: '' }))
    ],
    [
      'REST answers garbage again and again',
      [1, 3, 7, 15, 31, 61, 91],
      (m) => (m.hear(ack, need), m.feed({ type: 'answer', need, body: '<html>' }))
    ],
    [
      'REST answers garbage once',
      [1],
      (m, second) => (m.hear(ack, need), m.feed({ type: 'answer', need, body: second < 1 ? '<html>' : JSON.stringify([whole]) }))
    ]
  ])('a book without a snapshot, alone, is asked for anew with growing patience: %s', (_, expected, each) => {
    expect(askedAt(expected.length > 6 && expected.at(-1)! > 100 ? 620 : 100, each)).toEqual(expected)
  })

  test('a book whose snapshot after a damage is lost is asked for anew, and counted once per ask', () => {
    const m = drive([books('A')], { staleAfter: 1e9 })
    m.open()
    m.hear(ack, whole)
    m.at(20_000)
    expect(types(m.hear({ type: 'gap', kind: 'book', symbol: 'A', cause: 'checksum' }))).toEqual(['gap', 'event', 'send', 'send'])
    m.hear(ack, delta)
    expect(m.tick(24_900)).toEqual([])
    expect(types(m.tick(25_000))).toEqual(['refused', 'send', 'send'])
    expect(m.hear(ack, whole).at(-1)).toMatchObject({ type: 'event', event: { type: 'book' } })
    expect(types(m.tick(100_000))).not.toContain('send')
  })

  test('many books without a snapshot are asked for in one frame', () => {
    const m = drive([books('A'), books('B')], { staleAfter: 1e9 })
    m.open()
    m.hear(ack, { ...ack, symbol: 'B' })
    expect(frames(m.tick(5_000))).toEqual([{ unsubscribe: ['book:A', 'book:B'] }, { subscribe: ['book:A', 'book:B'] }])
  })

  test('a book that fails again and again is asked for ever more slowly', () => {
    const m = drive([books('A')], { staleAfter: 1e9 })
    m.open()
    const gap = { type: 'gap', kind: 'book', symbol: 'A', cause: 'checksum' } as const
    const asked: number[] = []
    for (let at = 0; at < 60_000; at += 100) {
      m.at(at)
      if (frames([...m.hear(gap)]).length > 0) asked.push(at)
    }
    expect(asked.length).toBeLessThan(10)
  })

  test('deltas in flight from before a resync touch nothing, and a book emits one picture per frame', () => {
    const m = drive([books('A')])
    m.open()
    const d = { type: 'delta', symbol: 'A', time: 1, snapshot: false, bids: [[1, 1]], asks: [] } as const
    expect(types(m.hear(d))).toEqual(['confirmed'])
    const effects = m.hear({ ...d, snapshot: true }, d, { ...d, bids: [[1, 0]] }, { ...d, bids: [[0.5, 2]], sequence: 9 })
    expect(effects).toEqual([
      { type: 'event', event: { type: 'book', symbol: 'A', time: 1, bids: [[0.5, 2]], asks: [], state: 'suspect', sequence: 9 } }
    ])
  })

  test('a book that stays crossed for a second is damaged; a moment of it is only counted', () => {
    const m = drive([books('A')])
    m.open()
    const d = { type: 'delta', symbol: 'A', time: 0, snapshot: true, bids: [[1, 1]], asks: [[2, 1]] } as const
    m.hear(d)
    const cross = { ...d, snapshot: false, bids: [[3, 1]], asks: [] } as const
    expect(types(m.hear(cross))).toEqual(['refused', 'event'])
    expect(types(m.hear({ ...cross, time: 1_000 }))).toEqual(['refused', 'gap', 'send', 'send'])
  })

  test('a decoder that throws costs one frame', () => {
    const m = drive([trades('A')])
    m.open()
    expect(m.hear({ throw: 1 })).toEqual([{ type: 'refused', reason: 'undecodable' }])
    expect(m.feed({ type: 'frame', frame: 'not JSON' })).toEqual([{ type: 'refused', reason: 'undecodable' }])
    expect(types(m.hear(trade()))).toEqual(['confirmed', 'event'])
  })

  test('whatever comes in whatever order, it never throws and never speaks while not connected', () => {
    const meaning = fc.constantFrom<Meaning>(
      trade(), { type: 'ack', symbol: 'A' }, { type: 'reject', symbol: 'A', reason: 'x' }, { type: 'reply', frame: '"r"' },
      { type: 'gap', kind: 'book', symbol: 'A', cause: 'sequence' }, { type: 'gap', kind: 'book', cause: 'sequence' }, { type: 'ending', reason: 'x' },
      { type: 'delta', symbol: 'A', time: 1, snapshot: true, bids: [[1, 1]], asks: [] }, { type: 'refused', reason: 'x' }
    ) // prettier-ignore
    const input = fc.oneof(
      fc.constant({ type: 'tick' }),
      fc.constant({ type: 'opened' }),
      fc.constant({ type: 'closed', reason: 'x' }),
      fc.array(meaning).map((m) => ({ type: 'frame', frame: JSON.stringify(m) })),
      fc.subarray([trades('A'), trades('B'), books('A')]).map((wanted) => ({ type: 'want', wanted }))
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.nat(20_000)), { maxLength: 60 }), (inputs) => {
        const m = drive([books('A')])
        let now = 0
        for (const [one, later] of inputs) {
          m.at((now += later))
          const effects = m.feed(one)
          if (m.state.phase === 'waiting' || m.state.phase === 'connecting') expect(frames(effects)).toEqual([])
          expect(m.state.asks.waiting).toBe([...m.state.asks.all.values()].filter((a) => a.state.startsWith('asked')).length)
        }
      }),
      { numRuns: 300 }
    )
  })
})

describe('credentials that are refused', () => {
  test('are tried twice, then every five minutes, with the reason in the status', () => {
    const m = drive([trades('A')])
    const waits = Array.from({ length: 4 }, () => {
      m.at(m.state.dialAt)
      m.feed({ type: 'tick' })
      const now = m.state.dialAt
      const [phase] = m.feed({ type: 'closed', reason: 'handshake refused with HTTP 401', denied: true })
      expect(phase).toMatchObject({ phase: 'waiting', reason: expect.stringContaining('HTTP 401') as string })
      return m.state.dialAt - now
    })
    expect(waits).toEqual([250, 500, 300_000, 300_000])
    m.at(m.state.dialAt)
    m.open()
    m.hear(trade())
    expect(m.state.denials).toBe(0)
  })

  test('are tried again at once when they were renewed meanwhile: each is refused twice before we wait', () => {
    const m = drive([trades('A')])
    for (let token = 0; token < 10; token++) {
      m.at(m.state.dialAt)
      m.feed({ type: 'tick' })
      m.state.access = { key: `${token}` }
      m.feed({ type: 'closed', reason: 'handshake refused with HTTP 401', denied: true })
      expect(m.state.denials).toBe(1)
    }
    expect(m.state.dialAt).toBeLessThan(300_000)
  })

  test.each([401, 403])('end it when all data comes by REST and is refused with HTTP %i', (status) => {
    const m = drive([trades('A')])
    delete m.adapter.wsUrl
    m.open()
    const need = { type: 'need', path: '/quotes', purpose: 'snapshot' } as const
    expect(m.feed({ type: 'failed', need, reason: `HTTP ${status}`, status })).toContainEqual(
      expect.objectContaining({ type: 'hangup', denied: true })
    )
  })

  test('end it the same way when an answer by REST refuses them in its body', () => {
    const m = drive([trades('A')], { decode: () => [{ type: 'reject', reason: 'token expired', denied: true }] })
    m.open()
    const need = { type: 'need', path: '/quotes', purpose: 'snapshot' } as const
    expect(m.feed({ type: 'answer', need, body: '{}' })).toContainEqual({ type: 'hangup', reason: 'token expired', denied: true })
  })

  test('end a login over the socket the same way', () => {
    const m = drive([trades('A')])
    m.open()
    expect(m.hear({ type: 'reject', reason: 'auth failed', denied: true })).toContainEqual({
      type: 'hangup',
      reason: 'auth failed',
      denied: true
    })
  })
})

describe('what was traded while the connection was down', () => {
  const fill: NonNullable<Adapter<VenueSession>['fill']> = (symbol, from, to) => ({
    type: 'need',
    purpose: 'trades',
    symbol,
    path: `/trades?symbol=${symbol}&from=${from}&to=${to}`
  })
  const at = (time: number, id?: string) => ({ ...trade(), time, ...(id === undefined ? {} : { id }) }) as Meaning
  const closeAndReopen = (last: Meaning) => {
    const m = drive([trades('A'), trades('B')], { fill })
    m.open()
    m.hear(last)
    m.at(1_000)
    m.feed({ type: 'closed', reason: 'reset' })
    m.at(2_000)
    m.open()
    m.hear({ type: 'ack', symbol: 'A' })
    return m
  }
  const needs = (effects: readonly Effect[]) => effects.flatMap((e) => (e.type === 'need' ? [e.need] : []))

  test('is asked of REST a second after the reconnect, from the last trade on, for what traded before', () => {
    const m = closeAndReopen(at(700, '1'))
    expect(needs(m.tick(3_000))).toEqual([fill('A', 700, 3_000, {})])
    expect(needs(m.tick(3_100))).toEqual([])
  })

  test('is asked where trades have no id once the first one since says how far, a second after that', () => {
    const m = closeAndReopen(at(700))
    expect(needs(m.tick(3_000))).toEqual([])
    m.at(5_000)
    m.hear(at(4_900))
    expect(needs(m.tick(5_999))).toEqual([])
    expect(needs(m.tick(6_000))).toEqual([fill('A', 700, 4_900, {})])
  })

  test('comes marked as backfill, and without an id only what lies strictly between the trades on both sides', () => {
    const m = closeAndReopen(at(700))
    m.at(5_000)
    m.hear(at(4_900))
    m.tick(6_000)
    const body = JSON.stringify([700, 701, 4_899, 4_900].map((time) => at(time)))
    const effects = m.feed({ type: 'answer', need: fill('A', 700, 4_900, {}), body })
    const back = (time: number) => ({ type: 'event', event: { ...at(time), backfill: true } })
    const span = { symbol: 'A', from: 700, to: 4_900, expected: undefined, got: undefined }
    expect(effects).toEqual([back(701), back(4_899), { type: 'filled', span, how: 'rest' }])
  })
})

describe('a connection is renewed before its end', () => {
  test('when the credentials expire', () => {
    const m = drive([trades('A')], { expires: () => 1_000_000, staleAfter: Infinity })
    m.open()
    expect(m.tick(800_000).map(({ type }) => type)).not.toContain('rotate')
    expect(m.tick(860_000).map(({ type }) => type)).toContain('rotate')
  })

  test('with a token near its end it is renewed at that end, with one past it not at all: refusals heal that', () => {
    const m = drive([trades('A')], { expires: () => 60_000, staleAfter: Infinity })
    m.open()
    expect(m.state.rotateAt).toBe(60_000)
    const late = drive([trades('A')], { expires: () => -1, staleAfter: Infinity })
    late.open()
    expect(late.state.rotateAt).toBe(Infinity)
  })

  test('at the times of day that the operator chose', () => {
    const m = drive([trades('A')], { staleAfter: Infinity }, { rotateAt: [5 * 3_600_000] })
    m.at(4 * 3_600_000)
    m.open()
    expect(m.state.rotateAt).toBe(5 * 3_600_000)
  })
})

test('an unchanged answer keeps the connection alive and says nothing', () => {
  const m = drive([trades('A')])
  m.open()
  m.at(9_000)
  const need = { type: 'need', purpose: 'snapshot', path: '/x' }
  expect(m.feed({ type: 'answer', need, body: JSON.stringify([trade()]), unchanged: true })).toEqual([])
  expect(m.state.heard).toBe(9_000)
})
