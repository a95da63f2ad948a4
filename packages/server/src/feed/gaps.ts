/** The gaps that are known: each has an id, is told when it opens and when it is filled, and stays listed when it cannot be. */
import { type Gap, type MarketEvent } from '@tickwire/protocol'
import type { ArbiterInput, ArbiterOutput } from '../arbiter/arbiter.ts'
import { bridged, bridgeOf, drop, fillOf, giveUp, resume, settle, tellRest, type Bridge } from './fills.ts'
import { amend, endAt, keyOf, ownOf, tell, type FindLane, type Gaps, type KnownGap, type NamedGap, type Open } from './gap.ts'

/** Open ones remembered per kind of an instrument, and known ones per instrument: of the arbitrated stream, and of providers' own. */
const OPEN = 16
const KNOWN = 50
const INSTRUMENTS = 2_000
/** Of no gap the ends are nearer to each other. */
const WIDTH = 1

/** What the arbiter says, with what it means for the gaps: each gets its id, and is told anew when its end is known. */
export function follow(gaps: Gaps, lanes: FindLane, input: ArbiterInput, outputs: ArbiterOutput[]): ArbiterOutput[] {
  if (input.type === 'event' && gaps.open.size === 0) return outputs
  const now = input.type === 'event' ? input.event.received : 'now' in input ? input.now : 0
  const told: ArbiterOutput[] = []
  const bridges: Bridge[] = []
  for (const output of outputs) {
    const event = 'event' in output ? output.event : undefined
    if (event?.type === 'gap') admitted(gaps, lanes, event, input.type === 'gap' && input.wide === true, told)
    else if (event && 'topic' in output && (event.type === 'trade' || isShown(event)))
      heard(gaps, lanes, output.topic, event, now, told)
    else told.push(output)
    const bridge = event?.type === 'status' ? bridgeOf(gaps, lanes, event) : undefined
    if (bridge) bridges.push(bridge)
    if (event?.type === 'trade' && event.backfill && (input.type !== 'event' || event !== input.event))
      bridges.at(-1)?.trades.push(event)
  }
  if (input.type === 'closed' && !outputs.some((o) => 'event' in o && o.event.type === 'gap'))
    lostByStandby(gaps, lanes, input, told)
  for (const bridge of bridges) bridged(gaps, bridge, now, told)
  if (input.type === 'unsubscribed') forget(gaps, input, told)
  return told
}

const isShown = (event: MarketEvent): event is Extract<MarketEvent, { type: 'quote' | 'ticker' | 'book' }> =>
  event.type === 'quote' || event.type === 'ticker' || event.type === 'book'

// ---- it opens ----------------------------------------------------------------------------------------------------

function admitted(gaps: Gaps, lanes: FindLane, gap: Gap, wide: boolean, told: ArbiterOutput[]): void {
  const lane = lanes(keyOf(gap))
  const last = lane?.sources.get(gap.provider)?.last
  // Of trades that were never heard there is no past to ask for: they begin with the first one.
  if (gap.kind === 'trade' && !last) return
  const from = last?.time ?? gap.from
  const led = gap.action === 'failover' || (lane?.leader?.provider ?? lane?.previous) === gap.provider
  const found: Gap = { ...gap, from: Math.min(from, gap.to) }
  // The two ends are told in whole milliseconds, and something was lost between them.
  found.to = Math.max(gap.to, found.from + WIDTH)
  // Nobody delivers since another one was lost: that is the hole of the arbitrated stream already.
  const isHole = gaps.open
    .get(keyOf(gap))
    ?.some((o) => o.lane.open && o.lane.end === undefined && o.gap.provider !== gap.provider)
  if (!led || isHole) found.own = true
  if (gap.cause === 'disconnect' && gap.action !== 'failover') found.lasting = true
  open(gaps, found, wide, told)
}

/** Nobody who reads the arbitrated stream misses what a standby lost; who reads the standby's own does. */
function lostByStandby(
  gaps: Gaps,
  lanes: FindLane,
  input: Extract<ArbiterInput, { type: 'closed' }>,
  told: ArbiterOutput[]
): void {
  const { kind, instrument, provider, now } = input
  const source = lanes(`${kind}:${instrument}`)?.sources.get(provider)
  if (kind !== 'trade' || source?.last === undefined || source.state !== 'closed' || source.downSince !== now) return
  const from = Math.min(source.last.time, now)
  const span = { from, to: Math.max(now, from + WIDTH) }
  const gap: Gap = {
    type: 'gap',
    provider,
    instrument,
    time: now,
    received: now,
    kind,
    ...span,
    cause: 'disconnect',
    action: 'open'
  }
  open(gaps, { ...gap, own: true, lasting: true }, false, told)
}

/** One loss is one gap: what comes before the end of another of the same provider makes that longer. */
function open(gaps: Gaps, gap: Gap, wide: boolean, told: ArbiterOutput[]): void {
  const key = keyOf(gap)
  const here = gaps.open.get(key) ?? []
  const numbered = gap.kind === 'trade' && gap.cause === 'sequence' && typeof gap.expected === 'number' && !wide
  const old = here.find((o) => o.gap.provider === gap.provider && o.own.open && o.own.end === undefined && !o.numbered)
  const isOver = old && !gap.own && !old.gap.own && (!old.lane.open || old.lane.end !== undefined)
  if (old && !isOver && (!numbered || old.own.lasts)) {
    const longer = lengthened(old, gap)
    return void told.push(...(longer === old.gap && old.lane.open ? tellRest(old, gap.time) : tell(old, longer)))
  }
  const span = isOver ? after(old, gap) : gap
  const named: NamedGap = { ...span, id: `${Math.floor(gap.time).toString(36)}-${(++gaps.count).toString(36)}` }
  const known: KnownGap = { ...named, state: 'open', fills: [] }
  const lasts = gap.lasting === true
  const own = { from: named.from, items: 0, open: true, lasts: lasts || gap.cause === 'disconnect' }
  const lane = { open: !gap.own, lasts, rest: [{ from: named.from, to: Infinity }], items: new Map<string, number>() }
  const one: Open = { gap: named, known, numbered, own, lane }
  gaps.told.set(gap.provider, (gaps.told.get(gap.provider) ?? 0) + 1)
  list(gaps, known)
  if (here.length >= OPEN) pushOut(gaps, here, gap.time, told)
  gaps.open.set(key, [...(gaps.open.get(key) ?? []), one])
  told.push(...tell(one))
}

/** Its provider leads again without a new word, and is lost again: what was filled stays filled, the rest is another gap. */
function after({ gap: old, own, lane }: Open, gap: Gap): Gap {
  own.end = lane.end ?? old.to
  const from = Math.max(gap.from, own.end)
  return { ...gap, from, to: Math.max(gap.to, from + WIDTH) }
}

function lengthened(old: Open, gap: Gap): NamedGap {
  const { known, own, lane } = old
  const lasts = gap.lasting === true
  own.lasts ||= lasts || gap.cause === 'disconnect'
  own.from = Math.min(own.from, gap.from)
  // What its readers are no longer given is lost by its own topic alone.
  if (gap.own && !old.gap.own) return ownOf(old, gap.time)
  if (old.gap.own && !gap.own) {
    delete old.gap.own
    delete known.own
    lane.open = true
    known.state = 'open'
  }
  lane.lasts ||= lasts
  const { from, to, cause, expected, got } = old.gap
  const [first] = lane.rest
  // What is filled of it stays so.
  const begin = first && first.from > from ? first.from : Math.min(from, gap.from)
  if (first) lane.rest[0] = { ...first, from: begin }
  const longer = { ...gap, from: begin, to: Math.max(to, gap.to) }
  // A connection that was given up because of what it lost.
  if (cause === 'sequence') longer.cause = cause
  if (cause === 'sequence' && expected !== undefined) longer.expected = expected
  if (cause === 'sequence' && got !== undefined) longer.got = got
  return amend(old, longer)
}

/** Those of which nothing is hoped go first, then those that only a provider's own topic misses, then those that are over. */
const rankOf = ({ known, lane }: Open): number =>
  known.why !== undefined && lane.end !== undefined ? 0 : lane.open ? (lane.end === undefined ? 3 : 2) : 1

/** It is told once more, so that nobody waits for it. */
function pushOut(gaps: Gaps, here: readonly Open[], now: number, told: ArbiterOutput[]): void {
  const one = here.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a))
  if (one.known.why === undefined) told.push(...giveUp(gaps, one, `more than ${OPEN} are open at once`, now))
  drop(gaps, one)
}

function list({ known }: Gaps, gap: KnownGap): void {
  const all = known.get(gap.instrument) ?? []
  all.push(gap)
  const alike = all.filter(({ own }) => own === gap.own)
  if (alike.length > KNOWN) all.splice(all.indexOf(alike[0]!), 1)
  known.delete(gap.instrument)
  known.set(gap.instrument, all)
  if (known.size > INSTRUMENTS) known.delete(known.keys().next().value!)
}

// ---- what comes after it -----------------------------------------------------------------------------------------

type Shown = Extract<MarketEvent, { type: 'trade' | 'quote' | 'ticker' | 'book' }>

function heard(gaps: Gaps, lanes: FindLane, topic: string, event: Shown, now: number, told: ArbiterOutput[]): void {
  const key = `${event.type}:${event.instrument}`
  const arbitrated = topic === key
  const here = gaps.open.get(key)
  const fill = event.type === 'trade' && event.backfill === true
  if (!here) return void told.push({ topic, event })
  // The first event after a gap ends it; it is told before that event, so that no reader takes it for the whole.
  for (const one of here) {
    const side = sideOf(one, arbitrated, event.provider)
    if (!side?.open) continue
    if (!fill && side.end === undefined)
      ended(one, side, { time: event.time, now, leads: lanes(key)?.leader?.provider === event.provider }, told)
    else if (fill && isWithin(arbitrated ? one.gap : one.own, side, event)) count(side, event)
  }
  told.push({ topic, event })
  if (event.type === 'trade') {
    if (!fill && !arbitrated) stood(gaps, here, event.provider, now, told)
    return
  }
  for (const one of here.slice()) {
    const side = sideOf(one, arbitrated, event.provider)
    if (!side?.open || (!arbitrated && one.lane.open)) continue
    const { from, to, own } = one.gap
    one.own.open = one.lane.open = false
    const fill = {
      how: 'snapshot',
      by: event.provider,
      items: 1,
      from,
      to: (own ? one.own.end : one.lane.end) ?? to,
      now
    } as const
    told.push(fillOf(one, own ? { ...fill, own } : fill))
    settle(gaps, one)
  }
}

type Side = Open['own'] | Open['lane']
const sideOf = (one: Open, arbitrated: boolean, provider: string): Side | undefined =>
  arbitrated ? one.lane : one.gap.provider === provider ? one.own : undefined

type End = { time: number; now: number; leads: boolean }
function ended(one: Open, side: Side, { time, now, leads }: End, told: ArbiterOutput[]): void {
  const { gap } = one
  const isTrade = gap.kind === 'trade'
  // A picture may be older than the loss of the one before it; a trade by another's clock, too.
  const end = Math.max(time, isTrade ? gap.from + WIDTH : gap.to)
  if (side === one.lane) resume(one, end)
  else side.end = end
  const isLonger = side.lasts || gap.cause === 'disconnect' || gap.cause === 'silence'
  // Of the two ends the arbitrated stream's is the gap's, where it has that gap.
  if (side !== (gap.own ? one.own : one.lane)) {
    if (isLonger && isTrade && !leads) told.push(...tell(one, ownOf(one, now)))
    return
  }
  // Told anew, or what fills it would leave a rest that nothing fills.
  const isNews = isTrade && (isLonger || end !== gap.to)
  endAt(one, end, now)
  if (isNews) told.push(...tellRest(one, now))
}

/** It was silent and speaks again on the connection that it had: no past of it will be asked for. */
function stood(gaps: Gaps, here: readonly Open[], provider: string, now: number, told: ArbiterOutput[]): void {
  for (const one of here.slice()) {
    const { gap, own, lane } = one
    if (gap.cause !== 'silence' || gap.provider !== provider || !own.open) continue
    if (lane.open)
      told.push(...giveUp(gaps, one, `${provider} speaks again as if nothing were missing, and nobody else heard all of it`, now))
    else drop(gaps, one)
  }
}

const isWithin = ({ from }: { from: number }, { end = Infinity }: Side, { time }: Shown): boolean => time >= from && time <= end

function count(side: Side, { provider }: Shown): void {
  if (typeof side.items === 'number') side.items++
  else side.items.set(provider, (side.items.get(provider) ?? 0) + 1)
}

type Leaving = Pick<Gap, 'kind' | 'instrument' | 'provider'> & { now: number }
/** Its past is not asked for any more; the arbitrated stream's gap ends with the next trade of whoever leads then. */
function forget(gaps: Gaps, { kind, instrument, provider, now }: Leaving, told: ArbiterOutput[]): void {
  for (const one of (gaps.open.get(`${kind}:${instrument}`) ?? []).slice())
    if (one.gap.provider === provider && one.own.open)
      told.push(...giveUp(gaps, one, `${provider} is not asked for it any more`, now))
}
