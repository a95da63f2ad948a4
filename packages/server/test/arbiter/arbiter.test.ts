import type { Gap, MarketEvent, Quote, Status, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterInput, type ArbiterSettings } from '../../src/arbiter/arbiter.ts'

const X = 'BTC-USDT'
const T0 = 1_700_000_000_000

const trade = (provider: string, at: number, id?: string, more: Partial<Trade> = {}): Trade => ({
  type: 'trade', provider, instrument: X, time: T0 + at, received: T0 + at, price: 100, size: 1, side: 'buy', ...(id === undefined ? {} : { id }), ...more
}) // prettier-ignore
const quote = (provider: string, at: number, more: Partial<Quote> = {}): Quote => ({
  type: 'quote', provider, instrument: X, time: T0 + at, received: T0 + at, bid: 99, bidSize: 1, ask: 101, askSize: 1, ...more
}) // prettier-ignore

/** An arbiter whose time is counted from T0 and ticks every 100 ms by itself. */
function drive(
  providers: readonly string[],
  settings: Partial<ArbiterSettings> = {},
  kinds: readonly ('trade' | 'quote' | 'book')[] = ['trade']
) {
  const state = createArbiter({ order: providers, ...settings })
  const published: { topic: string; event: MarketEvent; at: number }[] = []
  const refused: string[] = []
  let ticked = -100
  let now = 0
  const give = (input: ArbiterInput) => {
    for (const output of admit(state, input)) {
      if ('refused' in output) refused.push(output.refused)
      else published.push({ ...output, at: now })
    }
  }
  const place = (provider: string, kind: 'trade' | 'quote' | 'book') => ({ now: T0 + now, provider, kind, instrument: X })
  const run = {
    state,
    refused,
    published,
    to(at: number) {
      while (ticked + 100 <= at) {
        now = ticked += 100
        give({ type: 'tick', now: T0 + ticked })
      }
      now = at
      return run
    },
    hear(event: Trade | Quote, connection?: number) {
      run.to(event.received - T0)
      give(connection === undefined ? { type: 'event', event } : { type: 'event', event, connection })
      return run
    },
    close: (provider: string, kind: 'trade' | 'quote' = 'trade') =>
      give({ type: 'closed', ...place(provider, kind), reason: 'reset' }),
    gap: (provider: string) =>
      give({ type: 'gap', ...place(provider, 'trade'), cause: 'sequence', action: 'resync', expected: 4, got: 6 }),
    leave: (provider: string) => give({ type: 'unsubscribed', ...place(provider, 'trade') }),
    on: (topic: string) => published.filter((p) => p.topic === topic).map((p) => p.event),
    ids: () => run.on(`trade:${X}`).map((e) => (e as Trade).id),
    decisions: () => published.map((p) => p.event).filter((e): e is Status => e.type === 'status'),
    causes: () => run.decisions().map((d) => `${d.cause} ${d.leader ?? '-'}`)
  }
  for (const kind of kinds) for (const provider of providers) give({ type: 'subscribed', ...place(provider, kind) })
  return run
}

/** Trades of one provider at random times with the given mean interval, as a market makes them. */
function poisson(provider: string, mean: number, until: number, seed: number): Trade[] {
  let state = seed >>> 0 || 1
  const random = () => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) + 1) / 4_294_967_297
  const events: Trade[] = []
  for (let at = 0; at < until;) {
    at += Math.max(1, Math.round(-Math.log(random()) * mean))
    if (at < until) events.push(trade(provider, at, `${provider}${events.length}`))
  }
  return events
}
const merged = (...lists: Trade[][]) => lists.flat().sort((a, b) => a.received - b.received)

const steady = (run: ReturnType<typeof drive>, from: number, to: number, ...names: string[]) => {
  for (let at = from; at < to; at += 100) for (const name of names) run.hear(trade(name, at, `${name}${at}`))
}

const confidences = (run: ReturnType<typeof drive>, provider: string) =>
  run.on(`trade:${X}@${provider}`).map((e) => (e as Trade).confidence!)
const warm = (providers: readonly string[], until: number, price: (provider: string) => number = () => 100) => {
  const run = drive(providers)
  for (let at = 0; at < until; at += 100)
    for (const p of providers) run.hear(trade(p, at, `${p}${at}`, { price: price(p), time: T0 + at - 40 }))
  return run
}

describe('one leader', () => {
  test('only the leader’s events go out arbitrated; every provider’s own go out under its name [S2-17]', () => {
    const run = drive(['a', 'b'])
      .hear(trade('a', 10, 'a1'))
      .hear(trade('b', 20, 'b1'))
      .hear(trade('a', 30, 'a2'))
    expect(run.ids()).toEqual(['a1', 'a2'])
    expect(run.on(`trade:${X}@b`)).toMatchObject([{ id: 'b1', provider: 'b' }])
    expect(run.causes()).toEqual(['first a'])
  })

  test('no object is published twice', () => {
    const run = drive(['a', 'b'])
      .hear(trade('a', 10, 'a1'))
      .hear(trade('b', 20, 'b1'))
    run.close('a')
    const events = run.published.map((p) => p.event)
    expect(new Set(events).size).toBe(events.length)
  })

  test('while a lane is young the preferred provider takes over from one that merely spoke first', () => {
    const run = drive(['a', 'b'])
      .hear(trade('b', 10, 'b1'))
      .hear(trade('a', 400, 'a1'))
      .hear(trade('b', 500, 'b2'))
    expect(run.causes()).toEqual(['first b', 'first a'])
    expect(run.ids()).toEqual(['b1', 'a1'])
  })

  test('what was in flight when the last reader left is dropped', () => {
    const run = drive(['a']).hear(trade('a', 10, 'a1'))
    run.leave('a')
    expect(run.hear(trade('a', 20, 'a2')).ids()).toEqual(['a1'])
    expect(run.causes()).toEqual(['first a', 'unsubscribed -'])
  })
})

describe('failover', () => {
  test('on a disconnect, in the same instant, with what the standby heard since the leader’s last trade [S2-14]', () => {
    const run = drive(['a', 'b'])
      .hear(trade('b', 5, 'b0'))
      .hear(trade('a', 10, 'a1'))
      .hear(trade('b', 20, 'b1'))
      .hear(trade('b', 30, 'b2'))
    run.close('a')
    run.hear(trade('b', 40, 'b3'))
    expect(run.on(`trade:${X}`).map((e) => [(e as Trade).id, (e as Trade).backfill ?? false])).toEqual([
      ['b0', false], ['a1', false], ['b1', true], ['b2', true], ['b3', false]
    ]) // prettier-ignore
    expect(run.decisions().at(-1)).toMatchObject({ cause: 'closed', leader: 'b', previous: 'a', provider: 'b', standbys: [] })
    expect(run.decisions().at(-1)!.reason).toBe('b leads trade of BTC-USDT: a disconnected (reset)')
    expect(run.on(`gap:${X}`)).toMatchObject([{ provider: 'a', cause: 'disconnect', action: 'failover', from: T0 + 10 }])
  })

  test('of state the standby’s last goes out at once', () => {
    const run = drive(['a', 'b'], {}, ['quote'])
      .hear(quote('a', 10))
      .hear(quote('b', 20, { bid: 98 }))
    run.close('a', 'quote')
    expect(run.on(`quote:${X}`).at(-1)).toMatchObject({ provider: 'b', bid: 98 })
  })

  test('on a gap, to a standby that speaks; the gap says so', () => {
    const run = drive(['a', 'b'])
      .hear(trade('a', 10, 'a1'))
      .hear(trade('b', 20, 'b1'))
    run.gap('a')
    expect(run.causes()).toEqual(['first a', 'gap b'])
    expect(run.on(`gap:${X}`)).toMatchObject([{ expected: 4, got: 6, action: 'failover' } satisfies Partial<Gap>])
    expect(run.ids()).toEqual(['a1', 'b1'])
  })

  test('on silence, within 2 s on an active instrument, and the reason has the numbers', () => {
    const run = drive(['a', 'b'])
    for (let at = 100; at <= 5_000; at += 100) run.hear(trade('a', at, `a${at}`)).hear(trade('b', at + 50, `b${at}`))
    for (let at = 5_100; at <= 7_000; at += 100) run.hear(trade('b', at + 50, `b${at}`))
    const failover = run.decisions().at(-1)!
    expect(failover).toMatchObject({ cause: 'silence', leader: 'b', previous: 'a' })
    expect(failover.time - (T0 + 5_000)).toBeLessThanOrEqual(1_200)
    expect(failover.reason).toMatch(
      /^b leads trade of BTC-USDT: a said nothing at all for 1\.1 s \(usually speaks within 0\.1 s\) while b spoke 0\.\d s ago$/
    )
    const own = Array.from({ length: 20 }, (_, i) => `b${5_100 + 100 * i}`)
    expect(run.ids().slice(-21)).toEqual(['b5000', ...own])
  })

  test('not on silence of the whole market: the standby must have spoken meanwhile', () => {
    const run = drive(['a', 'b'])
    for (let at = 100; at <= 5_000; at += 100) run.hear(trade('b', at, `b${at}`)).hear(trade('a', at + 50, `a${at}`))
    run.to(65_000)
    expect(run.causes()).not.toContain('silence b')
  })

  test('not on silence that was ours: after a late tick the sockets are read first', () => {
    const run = drive(['a', 'b'])
    for (let at = 100; at <= 5_000; at += 100) run.hear(trade('a', at, `a${at}`)).hear(trade('b', at + 50, `b${at}`))
    // The process stood still for 5 s; a tick comes before anything is read, b's socket is read before a's.
    admit(run.state, { type: 'tick', now: T0 + 10_000 })
    admit(run.state, { type: 'event', event: trade('b', 10_001, 'late') })
    expect(admit(run.state, { type: 'tick', now: T0 + 10_100 })).toEqual([])
    admit(run.state, { type: 'event', event: trade('a', 10_110, 'late') })
    expect(admit(run.state, { type: 'tick', now: T0 + 10_500 })).toEqual([])
  })

  test('random but steady trading of any pace is never taken for silence', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.constantFrom(40, 150, 400, 1_000, 5_000, 20_000), (seed, mean) => {
        const run = drive(['a', 'b'])
        const until = Math.max(60_000, mean * 60)
        for (const event of merged(poisson('a', mean, until, seed), poisson('b', mean * 0.7, until, seed + 1))) run.hear(event)
        expect(run.causes().filter((c) => !/^(first|failback)/.test(c))).toEqual([])
      }),
      { numRuns: 40, seed: 7 }
    )
  })

  test('while nobody delivers an outage is told once, and the first to speak leads again', () => {
    const run = drive(['a', 'b']).hear(trade('a', 10, 'a1'))
    run.close('a')
    run.to(5_000)
    expect(run.causes()).toEqual(['first a', 'outage -'])
    run.hear(trade('b', 5_010, 'b1'))
    expect(run.causes()).toEqual(['first a', 'outage -', 'first b'])
    expect(run.decisions().at(-1)!.previous).toBe('a')
    expect(run.ids()).toEqual(['a1', 'b1'])
  })

  test('what is said of a mute leader beside a thin one that lives is so', () => {
    const run = drive(['a', 'b'])
    for (let at = 100; at < 100_000; at += 100) {
      if (at % 9_000 === 100) run.hear(trade('b', at + 1, `b${at}`))
      run.hear(trade('a', at, `a${at}`))
    }
    run.to(103_000)
    const { cause, reason } = run.decisions().at(-1)!
    expect(cause).toBe('silence')
    expect(reason).toMatch(
      /^nobody delivers trade of BTC-USDT: a said nothing .*, nor did b since, though live: it speaks seldom$/
    )
  })

  test('a lone leader that goes mute is said within 2 s, and that it speaks again [S2-17]', () => {
    const run = drive(['a'])
    steady(run, 100, 20_000, 'a')
    run.to(25_000)
    expect(run.causes()).toEqual(['first a', 'silence -'])
    const mute = run.decisions().at(-1)!
    expect(mute).toMatchObject({ provider: 'a', previous: 'a', standbys: [] })
    expect(mute.time - T0).toBeLessThanOrEqual(22_000)
    expect(mute.reason).toMatch(
      /^nobody delivers trade of BTC-USDT: a said nothing at all for 1\.\d s \(usually speaks within 0\.\d s\), nor did anyone else since$/
    )
    expect(run.on(`gap:${X}`)).toEqual([])
    steady(run, 40_000, 41_000, 'a')
    expect(run.causes()).toEqual(['first a', 'silence -', 'first a'])
    expect(run.decisions().at(-1)).toMatchObject({
      leader: 'a',
      previous: 'a',
      reason: 'a leads trade of BTC-USDT: it speaks again'
    })
    // The outage was not learnt as usual: the next one is noticed as soon.
    steady(run, 41_000, 46_000, 'a')
    run.to(48_100)
    expect(run.causes().at(-1)).toBe('silence -')
  })

  test('a provider that is silent on all its instruments is said on the thin ones too', () => {
    const run = drive(['a'], {}, ['trade', 'quote'])
    for (let at = 100; at < 120_000; at += 100) {
      run.hear(quote('a', at))
      if (at % 20_000 === 0) run.hear(trade('a', at, `a${at}`))
    }
    run.to(122_000)
    const told = run.decisions().filter((d) => d.cause === 'silence')
    expect(told.map((d) => d.kind).sort()).toEqual(['quote', 'trade'])
  })

  test.each([100, 300, 1_000, 5_000, 30_000])(
    'trades at random times, every %i ms on average, raise no alarm in hours',
    (mean) => {
      const hours = [1, 2, 3].map((seed) => {
        const run = drive(['a'])
        for (const event of poisson('a', mean, 3_600_000, seed)) run.hear(event)
        return run.causes().filter((cause) => cause !== 'first a').length
      })
      expect(hours).toEqual([0, 0, 0])
    }
  )

  test('a flow that becomes a hundred times thinner for good is learnt after a few alarms', () => {
    const run = drive(['a'])
    steady(run, 0, 60_000, 'a')
    for (const event of poisson('a', 10_000, 3_600_000, 5)) run.hear({ ...event, time: event.time + 60_000, received: event.received + 60_000, id: `b${event.id}` }) // prettier-ignore
    const alarms = run.decisions().filter((d) => d.cause === 'silence')
    expect(alarms.length).toBeLessThanOrEqual(10)
    expect(alarms.at(-1)!.time - T0).toBeLessThan(300_000)
  })

  test.each<[string, string[], (run: ReturnType<typeof drive>) => void]>([
    ['a standby that speaks leads at once', ['first a', 'closed b'], (run) => steady(run, 10_000, 20_000, 'a', 'b')],
    ['one that fell silent does not, nor does anyone', ['first a', 'outage -'], (run) => steady(run, 10_000, 20_000, 'a')],
    [
      'nor one that spoke twice, long ago',
      ['first a', 'outage -'],
      (run) => {
        run.hear(trade('c', 10_000, 'c1')).hear(trade('c', 10_100, 'c2'))
        steady(run, 10_200, 60_000, 'a')
      }
    ],
    [
      'nor a thin one whose provider is silent on everything',
      ['first a', 'outage -'],
      (run) => {
        for (let at = 10_000; at < 400_000; at += 100) {
          run.hear(trade('a', at, `a${at}`)).hear(quote('c', at))
          if (at % 20_000 === 0) run.hear(trade('c', at, `c${at}`))
        }
        steady(run, 400_000, 410_000, 'a')
      }
    ]
  ])('when the leader disconnects: %s', (_, causes, live) => {
    const run = drive(['a', 'b', 'c'], {}, ['trade', 'quote'])
    steady(run, 0, 10_000, 'a', 'b')
    live(run)
    const at = run.on(`trade:${X}`).at(-1)!.received - T0 + 100
    run.to(at).close('a')
    run.to(at + 1_000)
    const told = run.decisions().filter((d) => d.kind === 'trade')
    expect(told.map((d) => `${d.cause} ${d.leader ?? '-'}`)).toEqual(causes)
    if (causes.at(-1) !== 'outage -') return
    // The first to speak leads.
    run.hear(trade('b', at + 2_000, 'b!'))
    expect(run.decisions().at(-1)).toMatchObject({ cause: 'first', leader: 'b', kind: 'trade' })
  })

  test('trades that a standby heard after the leader’s last are not lost to an outage', () => {
    const run = drive(['a', 'b'])
    for (const at of [0, 5_000, 10_000]) {
      run.hear(trade('a', at, `a${at}`))
      steady(run, at, Math.min(at + 5_000, 10_050), 'b')
    }
    run
      .hear(trade('b', 10_050, 'late'))
      .to(13_000)
      .close('a')
    run.hear(trade('b', 20_000, 'again'))
    expect(run.causes()).toEqual(['first a', 'outage -', 'first b'])
    expect(run.ids().slice(-4)).toEqual(['a10000', 'b10000', 'late', 'again'])
  })

  test('whoever is made the leader spoke within its own silence limit, whatever is cut or silent when', () => {
    const word = fc.record({
      at: fc.integer({ min: 1, max: 120 }).map((n) => n * 500),
      who: fc.constantFrom('a', 'b', 'c'),
      what: fc.constantFrom('close' as const, 'gap' as const, 'mute' as const, 'speak' as const)
    })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const run = drive(['a', 'b', 'c'])
        const speaking = new Set(['a', 'b', 'c'])
        for (let at = 0; at < 62_000; at += 100) {
          for (const { who, what } of words.filter((w) => w.at === at)) {
            if (what === 'close') run.close(who)
            else if (what === 'gap') run.gap(who)
            if (what === 'speak') speaking.add(who)
            else if (what !== 'gap') speaking.delete(who)
          }
          for (const who of speaking) run.hear(trade(who, at, `${who}${at}`))
        }
        const spoken = new Map<string, number>()
        for (const { topic, event } of run.published) {
          if (topic.includes('@')) spoken.set(event.provider, event.received)
          else if (event.type === 'status' && event.leader !== undefined && event.cause !== 'first')
            expect(event.received - spoken.get(event.leader)!).toBeLessThanOrEqual(2_500)
        }
      }),
      { numRuns: 50, seed: 11 }
    )
  })

  test('a leader back before anyone else spoke goes on without a decision', () => {
    const run = drive(['a', 'b']).hear(trade('a', 10, 'a1'))
    run.close('a')
    run.hear(trade('a', 600, 'a2')).to(5_000)
    expect(run.causes()).toEqual(['first a'])
    expect(run.ids()).toEqual(['a1', 'a2'])
  })
})

describe('failback', () => {
  test('comes only after the better provider was faultless for the hold-down, and publishes nothing twice', () => {
    const run = drive(['a', 'b'])
    steady(run, 0, 2_000, 'a', 'b')
    run.close('a')
    steady(run, 2_000, 5_000, 'b')
    steady(run, 5_000, 34_900, 'a', 'b')
    expect(run.causes()).toEqual(['first a', 'closed b'])
    steady(run, 34_900, 36_000, 'a', 'b')
    expect(run.causes()).toEqual(['first a', 'closed b', 'failback a'])
    expect(run.decisions().at(-1)!.reason).toBe('a leads trade of BTC-USDT: it is preferred to b and was faultless for 30.0 s')
    expect(new Set(run.ids()).size).toBe(run.ids().length)
  })

  test('a fault of the better provider starts its hold-down anew', () => {
    const run = drive(['a', 'b'])
    steady(run, 0, 2_000, 'a', 'b')
    run.close('a')
    steady(run, 2_000, 25_000, 'a', 'b')
    run.gap('a')
    steady(run, 25_000, 54_000, 'a', 'b')
    expect(run.causes()).toEqual(['first a', 'closed b'])
    steady(run, 54_000, 56_000, 'a', 'b')
    expect(run.causes().at(-1)).toBe('failback a')
  })

  test('a leader that flaps every 500 ms for a minute causes at most three switches, and no reader waits over a second', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.boolean(), (seed, both) => {
        const run = drive(['a', 'b'])
        const up = (provider: string, at: number) =>
          at < 5_000 || at >= 65_000 || (provider === 'b' && !both) || Math.floor(at / 500) % 2 === (provider === 'a' ? 0 : 1)
        const events = merged(poisson('a', 60, 75_000, seed), poisson('b', 60, 75_000, seed + 1))
        const before = { a: true, b: true }
        for (const event of events) {
          run.to(event.received - T0)
          for (const name of ['a', 'b'] as const) {
            const now = up(name, event.received - T0)
            if (before[name] && !now) run.close(name)
            before[name] = now
          }
          if (up(event.provider, event.received - T0)) run.hear(event)
        }
        const switches = run.causes().filter((c) => !c.startsWith('first'))
        expect(switches.length).toBeLessThanOrEqual(3)
        const times = run.published.filter((p) => p.topic === `trade:${X}`).map((p) => p.at)
        expect(Math.max(...times.slice(1).map((at, i) => at - times[i]!))).toBeLessThanOrEqual(1_100)
      }),
      { numRuns: 12, seed: 11 }
    )
  })

  test('whatever is cut when, every trade that the standby heard while nobody led is published exactly once and in order', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 3_000, max: 20_000 }), fc.boolean(), (seed, cut, silent) => {
        const run = drive(['a', 'b'])
        const events = merged(poisson('a', 80, cut, seed), poisson('b', 80, 30_000, seed + 1))
        let closed = false
        for (const event of events) {
          if (!closed && event.received - T0 >= cut) {
            closed = true
            run.to(cut)
            if (!silent) run.close('a')
          }
          run.hear(event)
        }
        const lastOfA = events.findLast((e) => e.provider === 'a')!
        const expected = events.filter((e) => e.provider === 'b' && e.received > lastOfA.received).map((e) => e.id)
        const ids = run.ids()
        expect(ids.slice(ids.indexOf(lastOfA.id) + 1)).toEqual(expected)
      }),
      { numRuns: 40, seed: 3 }
    )
  })
})

describe('duplicates and stale state', () => {
  test('a trade that comes again with its id is dropped, from whatever connection; without an id it is another trade', () => {
    const run = drive(['a'])
      .hear(trade('a', 10, 'a1'), 1)
      .hear(trade('a', 20, 'a1', { time: T0 + 10 }), 2)
    run.hear(trade('a', 30), 2).hear(trade('a', 30), 2)
    expect(run.ids()).toEqual(['a1', undefined, undefined])
  })

  test('the same id at another time is another trade: a provider may count anew', () => {
    expect(
      drive(['a'])
        .hear(trade('a', 10, '1'))
        .hear(trade('a', 20, '1'))
        .ids()
    ).toEqual(['1', '1'])
  })

  test('ids are remembered for at least the last thousand trades', () => {
    const run = drive(['a'])
    for (let i = 0; i < 5_000; i++) run.hear(trade('a', i, `${i}`))
    for (let i = 4_000; i < 5_000; i++) run.hear(trade('a', 6_000, `${i}`, { time: T0 + i }))
    expect(run.ids().length).toBe(5_000)
    const source = run.state.lanes.get(`trade:${X}`)!.sources.get('a')!
    expect(source.ids.size + source.olderIds.size).toBeLessThanOrEqual(2_000)
  })

  test('once a later connection speaks, the earlier one’s state and its trades without id are dropped', () => {
    const run = drive(['a'], {}, ['quote', 'trade'])
    run
      .hear(quote('a', 10, { bid: 1 }), 1)
      .hear(quote('a', 20, { bid: 2 }), 2)
      .hear(quote('a', 30, { bid: 3 }), 1)
    run
      .hear(trade('a', 40), 2)
      .hear(trade('a', 50), 1)
      .hear(trade('a', 60, 'x'), 1)
    expect(run.on(`quote:${X}`).map((q) => (q as Quote).bid)).toEqual([1, 2])
    expect(run.ids()).toEqual([undefined, 'x'])
  })

  test('a quote older than the last came out of order and is dropped; a clock set back by more is believed', () => {
    const run = drive(['a'], {}, ['quote'])
    run
      .hear(quote('a', 10_000))
      .hear(quote('a', 10_010, { time: T0 + 9_000 }))
      .hear(quote('a', 10_020, { time: T0 + 1_000 }))
    expect(run.on(`quote:${X}`).map((q) => q.time - T0)).toEqual([10_000, 1_000])
  })
})

describe('the last guard', () => {
  const bad = [Number.NaN, 0, -1, Infinity, undefined, null, '100', true] as unknown as number[]
  test.each(bad)('a trade at the price %s is refused and counted, and no number of it goes out', (price) => {
    const run = drive(['a']).hear(trade('a', 10, '1', { price }))
    expect([run.refused, run.published]).toEqual([['impossible price'], []])
  })

  test('a quote crossed beyond tolerance is refused; a locked one is not', () => {
    const run = drive(['a'], {}, ['quote'])
      .hear(quote('a', 10, { bid: 102, ask: 101 }))
      .hear(quote('a', 20, { bid: 101, ask: 101 }))
    expect(run.refused).toEqual(['crossed quote'])
    expect(run.on(`quote:${X}`).length).toBe(1)
  })
})

describe('confidence [S2-16]', () => {
  test('a source that nobody could ever check has one half at most, two that agree come near 1', () => {
    expect(Math.max(...confidences(warm(['a'], 60_000), 'a'))).toBeLessThanOrEqual(0.5)
    expect(confidences(warm(['a', 'b'], 60_000), 'a').at(-1)).toBeGreaterThan(0.95)
  })

  test('it falls with the distance from the other providers’ median', () => {
    const run = warm(['a', 'b', 'c'], 30_000, (p) => (p === 'a' ? 105 : 100))
    expect(confidences(run, 'a').at(-1)).toBeLessThan(0.02)
    expect(confidences(run, 'b').at(-1)).toBeGreaterThan(0.9)
    expect(
      confidences(
        warm(['a', 'b', 'c'], 30_000, (p) => (p === 'a' ? 100.05 : 100)),
        'a'
      ).at(-1)
    ).toBeGreaterThan(0.9)
  })

  test('it falls when an event is older on arrival than usual, whatever the provider’s clock says', () => {
    const run = warm(['a', 'b'], 30_000)
    run.hear(trade('a', 30_000, 'late', { time: T0 + 30_000 - 40 - 2_000 }))
    const [before, late] = confidences(run, 'a').slice(-2)
    expect(late! / before!).toBeCloseTo(0.5, 1)
  })

  test('of recorded events the age does not count: they are of another day', () => {
    const run = drive(['a', 'b'], { times: 'recorded' })
    for (let at = 0; at < 60_000; at += 100)
      for (const p of ['a', 'b']) run.hear(trade(p, at, `${p}${at}`, { time: T0 - 1e9 + at * 3 }))
    expect(confidences(run, 'a').at(-1)).toBeGreaterThan(0.95)
  })

  test('an impossible age is no measure of what is usual', () => {
    const run = warm(['a', 'b'], 30_000)
    run.hear(trade('a', 30_000, 'odd', { time: 0 })).to(30_200)
    run.hear(trade('a', 30_200, 'late', { time: T0 + 30_200 - 40 - 2_000 }))
    const all = confidences(run, 'a')
    expect(all.at(-1)! / all.at(-3)!).toBeCloseTo(0.5, 1)
  })

  test('it falls after faults and recovers with time', () => {
    const run = warm(['a', 'b'], 30_000)
    const before = confidences(run, 'a').at(-1)!
    run.gap('a')
    run.hear(trade('a', 30_100, 'x'))
    const after = confidences(run, 'a').at(-1)!
    expect(after).toBeLessThan(before - 0.05)
    for (let at = 31_000; at < 200_000; at += 500) run.hear(trade('a', at, `a${at}`)).hear(trade('b', at, `b${at}`))
    expect(confidences(run, 'a').at(-1)).toBeGreaterThan(after + 0.04)
  })

  test('events that arrive at one time have the same confidence in whatever order they come', () => {
    const providers = ['a', 'b', 'c']
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 300 }),
      prices: fc.array(fc.integer({ min: 95, max: 105 }), { minLength: 3, maxLength: 3 })
    })
    const shuffled = fc.shuffledSubarray(providers, { minLength: 3 })
    fc.assert(
      fc.property(fc.array(fc.tuple(step, shuffled), { minLength: 5, maxLength: 40 }), (steps) => {
        const runs = [providers, undefined].map((fixed) => {
          const run = drive(providers)
          let at = 0
          steps.forEach(([{ gap, prices }, order], i) => {
            at += gap + 1
            for (const p of fixed ?? order) run.hear(trade(p, at, `${p}${i}`, { price: prices[providers.indexOf(p)]! }))
          })
          return providers.map((p) => confidences(run, p))
        })
        expect(runs[1]).toEqual(runs[0])
      })
    )
  })
})
