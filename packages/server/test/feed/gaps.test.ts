/** What was lost is filled, or stays told as a gap: never is anything missing without a word. */
import type { Gap, GapFilled, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterInput } from '../../src/arbiter/arbiter.ts'
import { gapsOf, openGaps } from '../../src/feed/gap.ts'
import { follow } from '../../src/feed/gaps.ts'
import type { Input } from '../../src/connection/connection.ts'
import { start, step } from '../../src/connection/machine.ts'
import type { Meaning, Need } from '../../src/providers/adapter.ts'
import { run, X, type Faults } from './losses.ts'
import { venueAdapter } from './venue.ts'

const QUIET: Faults = { ids: 'counted', lost: 0, repeated: 0, late: 0, breaks: 0, fails: 0, lags: 0, page: 1_000 }
const faultsOf = (change: Partial<Faults>): Faults => ({ ...QUIET, ...change })
const key = ({ size }: { size: number }) => size

/** The gaps as a reader of the topic knows them at the end: those told last under each id, less the spans that were filled. */
function openOf(notices: readonly (Gap | GapFilled)[]): Gap[] {
  const open = new Map<string, Gap[]>()
  for (const notice of notices) {
    if (notice.own) continue
    if (notice.type === 'gap') open.set(notice.id!, [notice])
    else
      open.set(
        notice.gap,
        (open.get(notice.gap) ?? []).flatMap((gap) => restOf(gap, notice))
      )
  }
  return [...open.values()].flat()
}

function restOf(gap: Gap, { from, to }: GapFilled): Gap[] {
  const rest: Gap[] = []
  if (from > gap.from) rest.push({ ...gap, to: Math.min(from, gap.to) })
  if (gap.lasting || to < gap.to) rest.push({ ...gap, from: Math.max(to, gap.from) })
  return rest
}

/** The same for a reader of one provider's own topic. */
function ownOf(notices: readonly (Gap | GapFilled)[], provider: string): Gap[] {
  const open = new Map<string, Gap>()
  for (const notice of notices.filter((n) => n.provider === provider)) {
    if (notice.type === 'gap') open.set(notice.id!, notice)
    else if (notice.own || notice.by === provider) open.delete(notice.gap)
  }
  return [...open.values()]
}

const covers = (gaps: readonly Gap[], { time }: { time: number }) =>
  gaps.some(({ from, to, lasting }) => from <= time && (lasting || time <= to))

function expectNothingUnannounced(seed: number, faults: Faults): boolean {
  const { desk, providers } = run(seed, faults)
  const heard = desk.trades()
  const sizes = heard.map(key)
  // No duplicates, and nothing that was never sent.
  expect(new Set(sizes).size).toBe(sizes.length)
  const { tape } = providers[0]!
  const all = new Set(tape.map(key))
  expect(sizes.filter((size) => !all.has(size))).toEqual([])
  const first = heard.find(({ backfill }) => !backfill)
  if (!first) return false
  const open = openOf(desk.notices())
  const has = new Set(sizes)
  const missing = tape.filter((trade) => trade.time > first.time && !has.has(key(trade)))
  const untold = missing.filter((trade) => !covers(open, trade))
  expect(untold.map((trade) => `trade ${key(trade)} at ${trade.time} is missing without a word`)).toEqual([])
  for (const known of gapsOf(desk.gaps, X)) {
    const { id, state, why, lasting, from, to } = known
    expect(why ?? state, `${id} is open without a reason`).not.toBe('open')
    if (state === 'filled') expect(lasting, `${id} is filled, and goes on`).toBeUndefined()
    expect(to).toBeGreaterThan(from)
  }
  const opened = new Map<string, number>()
  const early = desk.notices().filter((notice) => {
    if (notice.type === 'gap_filled') return !(notice.time >= opened.get(notice.gap)!)
    opened.set(notice.id!, Math.max(notice.time, opened.get(notice.id!) ?? 0))
    return false
  })
  expect(early).toEqual([])
  // What is not flagged came as it happened.
  const live = heard.filter(({ backfill }) => !backfill).map(key)
  if (faults.ids === 'counted' || faults.late === 0) expect(live).toEqual(live.toSorted((a, b) => a - b))
  return missing.length === 0 && open.length === 0
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const chance = (max: number) => fc.double({ min: 0, max, noNaN: true })

describe('whatever is lost', () => {
  test('of counted trades (losses, repeats, reorder, breaks; REST late, partial, down) is filled once, or an open gap covers it', () => {
    const faults = fc.record({
      ids: fc.constant('counted' as const),
      lost: chance(0.2),
      repeated: chance(0.2),
      late: chance(0.2),
      breaks: chance(0.2),
      fails: chance(1),
      lags: chance(0.5),
      page: fc.integer({ min: 1, max: 50 })
    })
    fc.assert(
      fc.property(seeds, faults, (seed, f) => void expectNothingUnannounced(seed, f)),
      { numRuns: 400 }
    )
  })

  test('in a break, of trades that have only names or none at all, is filled once, or an open gap covers it', () => {
    const faults = fc.record({
      ids: fc.constantFrom('named' as const, 'none' as const),
      lost: fc.constant(0),
      repeated: fc.constant(0),
      late: fc.constant(0),
      breaks: chance(0.2),
      fails: chance(1),
      lags: fc.constant(0),
      page: fc.integer({ min: 1, max: 50 })
    })
    fc.assert(
      fc.property(seeds, faults, (seed, f) => void expectNothingUnannounced(seed, f)),
      { numRuns: 400 }
    )
  })

  test('of a venue that counts the frames of each connection is filled once, or an open gap covers it; one loss is one gap', () => {
    const faults = fc.record({
      ids: fc.constantFrom('counted' as const, 'named' as const, 'none' as const),
      lost: fc.constant(0),
      repeated: fc.constant(0),
      late: fc.constant(0),
      breaks: chance(0.1),
      wide: chance(0.1),
      fails: chance(1),
      lags: fc.constant(0),
      page: fc.integer({ min: 1, max: 50 })
    })
    const countOf = ({ desk, providers }: ReturnType<typeof run>) => ({
      told: new Set(desk.notices().flatMap((n) => (n.type === 'gap' ? [n.id] : []))).size,
      cuts: providers.reduce((sum, { cuts }) => sum + cuts(), 0)
    })
    fc.assert(
      fc.property(seeds, faults, (seed, f) => {
        expectNothingUnannounced(seed, f)
        const { told, cuts } = countOf(run(seed, f))
        expect(told).toBeLessThanOrEqual(cuts)
      }),
      { numRuns: 300 }
    )
    expect(countOf(run(7, faultsOf({ wide: 0.1 }))).told).toBeGreaterThan(2)
  })

  test('is all there again where REST answers, and no gap is left open', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 5, max: 50 }), chance(0.1), (seed, page, wide) => {
        const faults = faultsOf({ lost: 0.1, breaks: 0.1, late: 0.1, repeated: 0.1, page, wide })
        expect(expectNothingUnannounced(seed, faults)).toBe(true)
      }),
      { numRuns: 400 }
    )
  })

  test('of a standby is missed by its own topic alone, and told with its provider', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { desk, providers, names } = run(seed, faultsOf({ lost: 0.05, breaks: 0.1, fails: 0.5 }), { others: ['b'] })
        const sizes = desk.trades().map(key)
        expect(new Set(sizes).size).toBe(sizes.length)
        names.forEach((name, i) => {
          const heard = desk.trades(name)
          const first = heard.find(({ backfill }) => !backfill)
          const has = new Set(heard.map(key))
          expect(has.size).toBe(heard.length)
          const last = Math.max(...heard.filter(({ backfill }) => !backfill).map(({ time }) => time))
          const open = ownOf(desk.notices(), name)
          for (const trade of providers[i]!.tape)
            // A loss after which nothing comes cannot be known.
            if (first && trade.time > first.time && trade.time < last && !has.has(key(trade)))
              expect(covers(open, trade)).toBe(true)
        })
      }),
      { numRuns: 400 }
    )
  })
})

describe('a gap', () => {
  const lossy = (change: Partial<Faults> = {}) => run(42, faultsOf({ breaks: 0.1, ...change }))

  test('has an id, goes on until its end is known, and is filled by REST with its trades flagged before the word', () => {
    const { desk } = lossy()
    const notices = desk.notices()
    const [opened, ended, word] = notices as [Gap, Gap, GapFilled]
    expect(opened).toMatchObject({
      type: 'gap',
      provider: 'a',
      kind: 'trade',
      cause: 'disconnect',
      action: 'open',
      lasting: true
    })
    expect(ended).toMatchObject({ type: 'gap', id: opened.id, from: opened.from })
    expect(ended).not.toHaveProperty('lasting')
    expect(word).toMatchObject({ type: 'gap_filled', gap: opened.id, how: 'rest', by: 'a', from: ended.from, to: ended.to })
    const inside = desk.trades().filter(({ time, backfill }: Trade) => backfill && time >= word.from && time <= word.to)
    expect(inside.length).toBe(word.items)
    expect(word.items).toBeGreaterThan(0)
    const [known] = gapsOf(desk.gaps, X)
    expect(known).toMatchObject({ id: opened.id, state: 'filled', fills: [word] })
  })

  test('between two numbers is told once: its end is known with it, and nothing is told of it again before it is filled', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const words = new Map<string, number>()
        for (const notice of run(seed, faultsOf({ lost: 0.1, late: 0.1 })).desk.notices())
          if (notice.type === 'gap') words.set(notice.id!, (words.get(notice.id!) ?? 0) + 1)
        expect(new Set(words.values())).toEqual(new Set(words.size > 0 ? [1] : []))
      }),
      { numRuns: 100, seed: 61 }
    )
  })

  test('that a provider itself has told, and that is filled in the quiet, is not told again by the trade that breaks it', () => {
    const trade = (id: number): Meaning => ({
      type: 'trade',
      symbol: 'X',
      id: `${id}`,
      price: 1,
      size: 1,
      side: 'buy',
      time: id * 1_000
    })
    const adapter = venueAdapter('a', {
      countsTrades: true,
      fill: (symbol) => ({ type: 'need', purpose: 'trades', symbol, path: '/trades' })
    })
    /** What is told of gaps when REST has the first `has` of the trades 5 and 6, which a heartbeat names, and `next` follows. */
    const tell = (has: number, next: number) => {
      const state = start(adapter, [{ kind: 'trade', symbol: 'X' }], 0)
      const told: string[] = []
      const needs: Need[] = []
      const feed = (input: Input) => {
        for (const effect of step(adapter, state, input, () => 0.5)) {
          if (effect.type === 'need') needs.push(effect.need)
          if (effect.type === 'gap') told.push(`${effect.gap.expected} to ${effect.gap.got}`)
        }
      }
      const say = (now: number, ...meanings: Meaning[]) => feed({ type: 'frame', now, frame: JSON.stringify(meanings) })
      feed({ type: 'tick', now: 0 })
      feed({ type: 'opened', now: 0 })
      say(4_000, trade(4))
      say(5_000, { type: 'gap', kind: 'trade', symbol: 'X', expected: 5, got: 7, cause: 'sequence' })
      for (let now = 5_000; now < 90_000; now += 500) {
        say(now)
        feed({ type: 'tick', now })
        for (const need of needs.splice(0))
          feed({ type: 'answer', now, need, body: JSON.stringify([trade(5), trade(6)].slice(0, has)) })
      }
      expect(state.holes.open.size).toBe(0)
      say(90_000, trade(next))
      return told
    }
    expect(tell(2, 7)).toEqual(['5 to 7'])
    // Given up, and what is lost beyond what was told.
    expect(tell(0, 7)).toEqual(['5 to 7'])
    expect(tell(2, 9)).toEqual(['5 to 7', '7 to 9'])
  })

  test('that nobody can fill is told once more, open for good, and stays listed with the reason', () => {
    const { desk } = lossy({ mute: true })
    const [opened] = desk.notices() as [Gap]
    const told = desk.notices().filter((n): n is Gap => n.type === 'gap' && n.id === opened.id)
    expect(told.length).toBeGreaterThanOrEqual(2)
    expect(told.at(-1)).toMatchObject({ action: 'open' })
    expect(desk.notices().some(({ type }) => type === 'gap_filled')).toBe(false)
    expect(gapsOf(desk.gaps, X)[0]).toMatchObject({ state: 'open', why: 'a serves no past trades of it' })
  })

  test('that a standby has filled is not filled again when its provider leads once more and brings its own past', () => {
    const arbiter = createArbiter({ order: ['a', 'b'], holdDown: 1_000 })
    const gaps = openGaps()
    const told: { topic: string; id?: string | undefined; type: string }[] = []
    const give = (input: ArbiterInput) => {
      for (const output of follow(gaps, (key) => arbiter.lanes.get(key), input, admit(arbiter, input)))
        if ('topic' in output)
          told.push({
            topic: output.topic,
            type: output.event.type,
            id: output.event.type === 'trade' ? output.event.id : undefined
          })
    }
    const place = (provider: string, now: number) => ({ provider, now, kind: 'trade' as const, instrument: X })
    const trade = (provider: string, at: number, more: Partial<Trade> = {}) =>
      give({
        type: 'event',
        event: {
          type: 'trade',
          provider,
          instrument: X,
          time: at,
          received: Math.max(at, now),
          id: `${provider}${at}`,
          price: 100,
          size: 1,
          side: 'buy',
          ...more
        }
      })
    let now = 0
    const tick = (until: number) => {
      for (; now <= until; now += 100) give({ type: 'tick', now })
    }
    for (const provider of ['a', 'b']) give({ type: 'subscribed', ...place(provider, 0) })
    for (let at = 0; at < 12_000; at += 100) {
      tick(at)
      if (at < 3_000 || at >= 5_000) trade('a', at)
      else if (at === 3_000) give({ type: 'closed', ...place('a', at), reason: 'reset' })
      trade('b', at)
    }
    expect(arbiter.lanes.get(`trade:${X}`)!.leader!.provider).toBe('a')
    const bridge = gapsOf(gaps, X)[0]!.fills.find(({ own }) => own !== true)!
    expect(bridge).toMatchObject({ how: 'provider', by: 'b' })
    told.length = 0
    const past = (bridge.from + bridge.to) / 2 + 1
    trade('a', past, { backfill: true, id: 'past' })
    expect(told.filter(({ id }) => id === 'past').map(({ topic }) => topic)).toEqual([`trade:${X}@a`])
  })
})
