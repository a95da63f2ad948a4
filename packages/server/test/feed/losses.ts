/** A provider that loses, repeats and reorders trades, breaks off, and whose REST is late, partial or down; and a plant that hears it. */
import type { Gap, GapFilled, MarketEvent, Trade } from '@tickwire/protocol'
import { admit, createArbiter, type ArbiterInput, type ArbiterOutput } from '../../src/arbiter/arbiter.ts'
import type { Effect, Input } from '../../src/connection/connection.ts'
import { filled, unfilled } from '../../src/feed/fills.ts'
import { openGaps, type FindLane } from '../../src/feed/gap.ts'
import { follow } from '../../src/feed/gaps.ts'
import type { Admissible } from '../../src/arbiter/lane.ts'
import { start, step } from '../../src/connection/machine.ts'
import { stamp } from '../../src/feed/stamp.ts'
import type { Meaning, Need } from '../../src/providers/adapter.ts'
import { venueAdapter } from './venue.ts'

export const X = 'BTC-USD'
const SYMBOL = 'X'
const TICK = 250
const START = 1_000_000

export type Faults = {
  /** Ids count up, ids are only names, or there are none. */
  ids: 'counted' | 'named' | 'none'
  /** Chances per trade. */
  lost: number
  repeated: number
  late: number
  /** Per second: the connection breaks. */
  breaks: number
  /** Chances per call: it fails, and it has not the newest trades yet. */
  fails: number
  lags: number
  /** Rows per page; the next is named in the answer. */
  page: number
  /** Chance per trade: it is lost, and the connection's count of frames says so. */
  wide?: number
  /** Without REST for past trades. */
  mute?: boolean
}

type Row = Extract<Meaning, { type: 'trade' }>
type Random = () => number

/** mulberry32 */
export function seeded(seed: number): Random {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function tapeOf(random: Random, { ids }: Faults, count: number, first = 1): Row[] {
  let time = START + 500
  return Array.from({ length: count }, (_, i) => {
    // Some come at one time; without ids only their times tell trades apart.
    time += random() < 0.15 && ids !== 'none' ? 0 : 1 + Math.floor(random() * 400)
    const trade: Row = { type: 'trade', symbol: SYMBOL, price: 100, size: first + i, side: 'buy', time }
    if (ids !== 'none') trade.id = ids === 'counted' ? String(first + i) : `n${(first + i) * 7919}`
    return trade
  })
}

/** The plant's part: arbiter and gaps over as many providers as are named. */
export function openDesk(order: readonly string[]) {
  const arbiter = createArbiter({ order })
  const gaps = openGaps()
  const lanes: FindLane = (key) => arbiter.lanes.get(key)
  const told: { topic: string; event: MarketEvent }[] = []
  const say = (outputs: readonly ArbiterOutput[]) => {
    for (const output of outputs) if ('topic' in output) told.push({ topic: output.topic, event: { ...output.event } })
  }
  const give = (input: ArbiterInput) => say(follow(gaps, lanes, input, admit(arbiter, input)))
  const place = (provider: string, now: number) => ({ provider, now, instrument: X, kind: 'trade' as const })
  return {
    gaps,
    give,
    subscribe: (provider: string, now: number) => give({ type: 'subscribed', ...place(provider, now) }),
    closed: (provider: string, now: number) => give({ type: 'closed', reason: 'reset', ...place(provider, now) }),
    take(provider: string, effect: Effect, now: number) {
      if (effect.type === 'event') give({ type: 'event', event: stamp(effect.event, provider, X, now) as Admissible })
      else if (effect.type === 'filled')
        say(filled(gaps, lanes, { provider, instrument: X, span: effect.span, how: effect.how, now }))
      else if (effect.type === 'unfilled')
        say(unfilled(gaps, { provider, instrument: X, span: effect.span, reason: effect.reason, now }))
      else if (effect.type === 'gap') {
        const { cause, expected, got, symbol, until } = effect.gap
        const numbers = { ...(expected === undefined ? {} : { expected }), ...(got === undefined ? {} : { got }) }
        give({
          type: 'gap',
          cause,
          action: effect.action,
          wide: symbol === undefined,
          until,
          ...numbers,
          ...place(provider, now)
        })
      }
    },
    told,
    on: (topic: string) => told.flatMap((t) => (t.topic === topic ? [t.event] : [])),
    trades: (provider?: string) =>
      told.flatMap((t) => (t.topic === `trade:${X}${provider === undefined ? '' : `@${provider}`}` ? [t.event as Trade] : [])),
    notices: () => told.flatMap((t) => (t.topic === `gap:${X}` ? [t.event as Gap | GapFilled] : []))
  }
}
export type Desk = ReturnType<typeof openDesk>

/** One provider's connection under its faults; `advance` plays its tape up to a time. */
export function openProvider(desk: Desk, provider: string, tape: readonly Row[], faults: Faults, random: Random) {
  const pages = new Map<string, readonly Row[]>()
  const fill = (symbol: string, from: number, to: number): Need => ({
    type: 'need',
    purpose: 'trades',
    symbol,
    path: `/trades?from=${from}&to=${to}`
  })
  const counted = faults.ids === 'counted' ? { countsTrades: true as const } : {}
  const adapter = venueAdapter(provider, { ...counted, ...(faults.mute ? {} : { fill }), staleAfter: 1e9 })
  const state = start(adapter, [{ kind: 'trade', symbol: SYMBOL }], START)
  const calls: { need: Need; at: number }[] = []
  const flying: { at: number; trade: Row }[] = []
  const connected: number[] = []
  let next = 0
  let open = false
  let frames = 0
  let cuts = 0
  const feed = (input: Input) => {
    let hungUp = false
    for (const effect of step(adapter, state, input, random)) {
      const { now } = input
      if (effect.type === 'need') calls.push({ need: effect.need, at: now + 50 + random() * (random() < 0.2 ? 3_000 : 200) })
      else if (effect.type === 'dial') dialled = now
      else if (effect.type === 'hangup') hungUp = true
      else desk.take(provider, effect, now)
    }
    if (hungUp) cut(input.now)
  }
  let dialled = Infinity
  const hear = (trade: Row, now: number) => {
    frames++
    feed({ type: 'frame', now, frame: JSON.stringify([trade]) })
  }
  const cut = (now: number) => {
    cuts++
    open = false
    flying.length = calls.length = 0
    feed({ type: 'closed', now, reason: 'reset' })
    desk.closed(provider, now)
  }
  /** Its numbers are those of frames, which look like those of trades. */
  const skip = (now: number) => {
    const gap: Meaning = { type: 'gap', kind: 'trade', cause: 'sequence', expected: frames + 1, got: frames + 3 }
    feed({ type: 'frame', now, frame: JSON.stringify([gap]) })
  }

  function answer(need: Need, now: number): void {
    if (random() < faults.fails) return feed({ type: 'failed', now, need, reason: 'HTTP 503' })
    const query = new URLSearchParams(need.path.split('?')[1])
    const [from, to] = [Number(query.get('from')), Number(query.get('to'))]
    const newest = random() < faults.lags ? now - 5_000 : now
    const known = pages.get(need.path) ?? tape.filter(({ time }) => time >= from && time <= to && time <= newest)
    const meanings: Meaning[] = known.slice(0, faults.page)
    if (known.length > faults.page) {
      const more = `${need.path}&page=${pages.size}`
      pages.set(more, known.slice(faults.page))
      meanings.push({ ...need, path: more })
    }
    feed({ type: 'answer', now, need, body: JSON.stringify(meanings) })
  }

  function advance(now: number, faulty: boolean): void {
    feed({ type: 'tick', now })
    if (now > dialled) {
      dialled = Infinity
      open = true
      feed({ type: 'opened', now })
      feed({ type: 'frame', now, frame: JSON.stringify([{ type: 'ack', symbol: SYMBOL }]) })
      connected.push(now)
    }
    for (; next < tape.length && tape[next]!.time <= now; next++) {
      const trade = tape[next]!
      if (!open || (faulty && random() < faults.lost)) continue
      if (faulty && faults.wide !== undefined && random() < faults.wide) {
        skip(now)
        continue
      }
      flying.push({ at: faulty && random() < faults.late ? now + 300 + random() * 500 : now, trade })
      if (random() < faults.repeated) flying.push({ at: now + random() * 800, trade })
    }
    flying.sort((a, b) => a.at - b.at)
    if (!open) return
    while (flying.length > 0 && flying[0]!.at <= now) hear(flying.shift()!.trade, now)
    calls.sort((a, b) => a.at - b.at)
    while (calls.length > 0 && calls[0]!.at <= now) answer(calls.shift()!.need, now)
    if (faulty && random() < (faults.breaks * TICK) / 1_000) cut(now)
  }
  desk.subscribe(provider, START)
  return { advance, connected, tape, cuts: () => cuts }
}

export function run(seed: number, faults: Faults, { count = 60, others = [] as readonly string[] } = {}) {
  const random = seeded(seed)
  const names = ['a', ...others]
  const desk = openDesk(names)
  const providers = names.map((name, i) =>
    openProvider(desk, name, tapeOf(random, faults, count, 1 + i * 100_000), faults, random)
  )
  const end = Math.max(...providers.map(({ tape }) => tape.at(-1)!.time))
  for (let now = START; now <= end + 90_000; now += now < end + 5_000 ? TICK : 4 * TICK) {
    if (now > end + 5_000 && desk.gaps.open.size === 0) break
    for (const provider of providers) provider.advance(now, now < end - 2_000)
    desk.give({ type: 'tick', now })
  }
  return { desk, providers, names }
}
