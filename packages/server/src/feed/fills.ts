/** What fills a gap: a standby's stream, the provider's own past by REST, or the next picture; and what nothing fills. */
import { topicName, type GapFilled, type Status } from '@tickwire/protocol'
import type { ArbiterOutput } from '../arbiter/arbiter.ts'
import { keyOf, ownOf, tell, type FindLane, type Gaps, type NamedGap, type Open, type Side } from './gap.ts'
import type { Span } from '../connection/holes.ts'
import type { Source } from '../arbiter/lane.ts'

/** A standby remembers so many trades: what it heard before them is gone. */
const REMEMBERED = 1_000

type Fill = Pick<GapFilled, 'how' | 'by' | 'items'> & { now: number }

export function fillOf(gaps: Gaps, one: Open, { how, by, items, now }: Fill, { own }: { own: boolean }): ArbiterOutput {
  const { id, provider, instrument, kind, from, to } = one.gap
  const end = (own ? one.own.end : one.lane.end) ?? to
  const event: GapFilled = {
    type: 'gap_filled',
    provider,
    instrument,
    time: now,
    received: now,
    kind,
    gap: id,
    from,
    to: end,
    how,
    by,
    items
  }
  if (own) event.own = true
  one.known.fills.push(event)
  if (!one.lane.open) one.known.state = 'filled'
  if (!one.lane.open && !one.own.open) drop(gaps, one)
  return { topic: topicName('gap', instrument), event }
}

export function drop({ open: all }: Gaps, one: Open): void {
  const key = keyOf(one.gap)
  const left = all.get(key)?.filter((other) => other !== one) ?? []
  if (left.length === 0) all.delete(key)
  else all.set(key, left)
}

/** A standby takes the lead, and what it heard since the leader's last word goes out: of gaps that lie there nothing is missing. */
export type Bridge = { next: Source; over: readonly Open[] }

export function bridgeOf(gaps: Gaps, lanes: FindLane, status: Status): Bridge | undefined {
  const { kind, instrument, leader, previous, cause } = status
  const key = keyOf({ kind, instrument })
  const next = leader === undefined || previous === undefined ? undefined : lanes(key)?.sources.get(leader)
  if (kind !== 'trade' || cause === 'failback' || !next) return undefined
  // It must have been there all the time; and what the arbitrated stream has gone beyond is not told again.
  const heardAll = ({ gap, lane, by = next.provider }: Open) =>
    lane.open &&
    lane.end === undefined &&
    gap.provider !== next.provider &&
    by === next.provider &&
    (next.cleanSince ?? Infinity) <= gap.from
  return { next, over: (gaps.open.get(key) ?? []).filter(heardAll) }
}

export function bridged(gaps: Gaps, { next, over }: Bridge, now: number, told: ArbiterOutput[]): void {
  for (const one of over) {
    if (one.lane.items >= REMEMBERED) continue
    one.lane.open = false
    one.lane.end ??= one.gap.to
    told.push(fillOf(gaps, one, { how: 'provider', by: next.provider, items: one.lane.items, now }, { own: false }))
  }
}

export type Report = { provider: string; instrument: string; span: Span; now: number }

/** A provider's own past is here: it fills its own stream, and the arbitrated one where its trades went there too. */
export function filled(gaps: Gaps, lanes: FindLane, report: Report & { how: 'rest' | 'provider' }): ArbiterOutput[] {
  const { provider, instrument, span, how, now } = report
  const key = `trade:${instrument}`
  const leads = lanes(key)?.leader?.provider === provider
  return (gaps.open.get(key) ?? []).slice().flatMap((one) => {
    const mine = one.gap.provider === provider && one.own.open && covers(span, one.gap, one.own)
    const all =
      one.lane.open && (one.by === provider || (one.by === undefined && (leads || mine))) && covers(span, one.gap, one.lane)
    if (!mine && !all) return []
    const ended = all ? endedBy(one, one.lane, report) : mine ? endedBy(one, one.own, report) : []
    if (mine) one.own.open = false
    if (all) one.lane.open = false
    const items = all ? one.lane.items : one.own.items
    return [...ended, fillOf(gaps, one, { how, by: provider, items, now }, { own: !all })]
  })
}

/** Nothing was traded since, and yet it is over: the stream is on again, and the past up to here is known. */
function endedBy({ gap, known, own, lane }: Open, side: Side, { span, now }: Report): ArbiterOutput[] {
  if (gap.lasting !== true || side.end !== undefined || !Number.isFinite(span.to)) return []
  side.end = Math.max(gap.to, span.to)
  if (side !== (gap.own ? own : lane)) return []
  Object.assign(gap, { to: side.end, time: now, received: now })
  delete gap.lasting
  delete known.lasting
  known.to = side.end
  return [tell(gap)]
}

/** Numbers say it exactly, times where there are none. */
function covers(span: Span, { expected, from, to, cause }: NamedGap, { end }: Side): boolean {
  if (cause === 'sequence' && typeof expected === 'number' && span.expected !== undefined)
    return expected >= span.expected && expected < (span.got ?? Infinity)
  return span.from <= from && (end ?? to) <= span.to
}

/** Nobody will fill it any more: told once again, open for good. */
export function unfilled(gaps: Gaps, report: Report & { reason: string }): ArbiterOutput[] {
  const { provider, instrument, span, reason, now } = report
  return (gaps.open.get(`trade:${instrument}`) ?? []).slice().flatMap((one) => {
    if (one.gap.provider !== provider || !one.own.open || !covers(span, one.gap, one.own)) return []
    one.own.open = false
    one.known.why = reason
    if (!one.lane.open) drop(gaps, one)
    Object.assign(one.gap, { action: 'open', time: now, received: now })
    const own = one.gap.own === true || one.own.end === one.lane.end ? [] : [tell(ownOf(one, now))]
    return one.lane.open || one.gap.own ? [tell(one.gap), ...own] : own
  })
}
