/** The gaps that are known: each has an id, is told when it opens and when it is filled, and stays listed when it cannot be. */
import { type Gap, type MarketEvent, type Trade } from '@tickwire/protocol'
import type { ArbiterInput, ArbiterOutput } from '../arbiter/arbiter.ts'
import { bridged, bridgeOf, drop, fillOf, type Bridge } from './fills.ts'
import { keyOf, ownOf, tell, type FindLane, type Gaps, type KnownGap, type NamedGap, type Open, type Side } from './gap.ts'

/** Open ones remembered per kind of an instrument, and known ones per instrument. */
const OPEN = 16
const KNOWN = 50
const INSTRUMENTS = 2_000

/** What the arbiter says, with what it means for the gaps: each gets its id, and is told anew when its end is known. */
export function follow(gaps: Gaps, lanes: FindLane, input: ArbiterInput, outputs: ArbiterOutput[]): ArbiterOutput[] {
  if (input.type === 'event' && gaps.open.size === 0) return outputs
  if (input.type === 'unsubscribed') forget(gaps, input)
  const told: ArbiterOutput[] = []
  const bridges: Bridge[] = []
  for (const output of outputs) {
    const event = 'event' in output ? output.event : undefined
    if (event?.type === 'gap') told.push(admitted(gaps, lanes, event))
    else if (event && 'topic' in output && (event.type === 'trade' || isShown(event)))
      heard(gaps, lanes, output.topic, event, told)
    else told.push(output)
    const bridge = event?.type === 'status' ? bridgeOf(gaps, lanes, event) : undefined
    if (bridge) bridges.push(bridge)
  }
  if (input.type === 'closed' && !outputs.some((o) => 'event' in o && o.event.type === 'gap'))
    lostByStandby(gaps, lanes, input, told)
  const now = input.type === 'event' ? input.event.received : 'now' in input ? input.now : 0
  for (const bridge of bridges) bridged(gaps, bridge, now, told)
  return told
}

const isShown = (event: MarketEvent): event is Extract<MarketEvent, { type: 'quote' | 'ticker' | 'book' }> =>
  event.type === 'quote' || event.type === 'ticker' || event.type === 'book'

// ---- it opens ----------------------------------------------------------------------------------------------------

function admitted(gaps: Gaps, lanes: FindLane, gap: Gap): ArbiterOutput {
  const lane = lanes(keyOf(gap))
  const from = lane?.sources.get(gap.provider)?.last?.time ?? gap.from
  const led = gap.action === 'failover' || (lane?.leader?.provider ?? lane?.previous) === gap.provider
  const found: Gap = { ...gap, from: Math.min(from, gap.to) }
  if (!led) found.own = true
  if (gap.cause === 'disconnect' && gap.action !== 'failover') found.lasting = true
  return tell(open(gaps, found))
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
  const span = { from: Math.min(source.last.time, now), to: now }
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
  told.push(tell(open(gaps, { ...gap, own: true, lasting: true })))
}

/** One that comes before the end of another of the same provider makes that longer. */
function open(gaps: Gaps, gap: Gap): NamedGap {
  const key = keyOf(gap)
  const here = gaps.open.get(key) ?? []
  const old = here.find((o) => o.gap.provider === gap.provider && o.own.open && o.own.end === undefined && isSame(o.gap, gap))
  if (old) {
    Object.assign(old.gap, { ...gap, from: Math.min(old.gap.from, gap.from), to: Math.max(old.gap.to, gap.to) })
    if (!gap.own) delete old.gap.own
    if (!gap.own) old.lane.open = true
    delete old.own.end
    delete old.lane.end
    Object.assign(old.known, old.gap)
    return old.gap
  }
  const named: NamedGap = { ...gap, id: `${Math.floor(gap.time).toString(36)}-${(++gaps.count).toString(36)}` }
  const known: KnownGap = { ...named, state: 'open', fills: [] }
  here.push({ gap: named, known, own: { items: 0, open: true }, lane: { items: 0, open: !gap.own } })
  if (here.length > OPEN) here.shift()
  gaps.open.set(key, here)
  list(gaps, known)
  return named
}

/** Skips of numbers in trades are told one by one. */
const isSame = (a: Gap, b: Gap): boolean => a.kind !== 'trade' || (a.cause !== 'sequence' && b.cause !== 'sequence')

function list({ known }: Gaps, gap: KnownGap): void {
  const all = known.get(gap.instrument) ?? []
  all.push(gap)
  if (all.length > KNOWN) all.shift()
  known.delete(gap.instrument)
  known.set(gap.instrument, all)
  if (known.size > INSTRUMENTS) known.delete(known.keys().next().value!)
}

// ---- what comes after it -----------------------------------------------------------------------------------------

type Shown = Extract<MarketEvent, { type: 'trade' | 'quote' | 'ticker' | 'book' }>

function heard(gaps: Gaps, lanes: FindLane, topic: string, event: Shown, told: ArbiterOutput[]): void {
  const key = `${event.type}:${event.instrument}`
  const arbitrated = topic === key
  const here = gaps.open.get(key)
  const fill = event.type === 'trade' && event.backfill === true
  if (fill && arbitrated && isFilledByAnother(gaps, event)) return
  if (!here) return void told.push({ topic, event })
  // The first event after a gap ends it; it is told before that event, so that no reader takes it for the whole.
  for (const one of here) {
    const side = sideOf(one, arbitrated, event.provider)
    if (!side?.open) continue
    if (!fill && side.end === undefined) ended(one, side, event, lanes(key)?.leader?.provider === event.provider, told)
    else if (fill && isWithin(one.gap, side, event) && (!arbitrated || (one.by ??= event.provider) === event.provider))
      side.items++
  }
  told.push({ topic, event })
  if (event.type === 'trade') {
    if (fill && !arbitrated && lanes(key)?.leader?.provider !== event.provider) route(here, key, event, told)
    return
  }
  for (const one of here.slice()) {
    const side = sideOf(one, arbitrated, event.provider)
    if (!side?.open || (!arbitrated && one.lane.open)) continue
    one.own.open = one.lane.open = false
    told.push(
      fillOf(gaps, one, { how: 'snapshot', by: event.provider, items: 1, now: event.received }, { own: one.gap.own === true })
    )
  }
}

/** What another provider's stream has filled is not told again with this one's: it would count the market twice. */
const isFilledByAnother = ({ known }: Gaps, { instrument, provider, time }: Shown): boolean =>
  known.get(instrument)?.some(({ kind, fills }) => {
    const other = kind === 'trade' ? fills.find(({ own, by }) => own !== true && by !== provider) : undefined
    return other !== undefined && time > other.from && time < other.to
  }) ?? false

const sideOf = (one: Open, arbitrated: boolean, provider: string): Side | undefined =>
  arbitrated ? one.lane : one.gap.provider === provider ? one.own : undefined

function ended(one: Open, side: Side, { time, received }: Shown, leads: boolean, told: ArbiterOutput[]): void {
  const { gap } = one
  side.end = Math.max(gap.from, time)
  const isLonger = gap.cause === 'disconnect' || gap.cause === 'silence'
  // Of the two ends the arbitrated stream's is the gap's, where it has that gap.
  if (side !== (gap.own ? one.own : one.lane)) {
    if (isLonger && gap.kind === 'trade' && !leads) told.push(tell(ownOf(one, received)))
    return
  }
  gap.to = side.end
  delete gap.lasting
  delete one.known.lasting
  gap.time = gap.received = received
  Object.assign(one.known, { to: gap.to })
  if (isLonger && gap.kind === 'trade') told.push(tell(gap))
}

const isWithin = ({ from }: Gap, { end = Infinity }: Side, { time }: Shown): boolean => time >= from && time <= end

/** Past trades of a provider that does not lead go where the arbitrated stream has a gap all the same. */
function route(here: readonly Open[], topic: string, event: Trade, told: ArbiterOutput[]): void {
  const one = here.find((o) => o.lane.open && isWithin(o.gap, o.lane, event) && (o.by ?? event.provider) === event.provider)
  if (!one) return
  one.by = event.provider
  one.lane.items++
  told.push({ topic, event: { ...event } })
}

function forget(gaps: Gaps, { kind, instrument, provider }: Pick<Gap, 'kind' | 'instrument' | 'provider'>): void {
  for (const one of (gaps.open.get(`${kind}:${instrument}`) ?? []).slice()) if (one.gap.provider === provider) drop(gaps, one)
}
