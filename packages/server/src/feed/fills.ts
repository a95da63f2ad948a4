/** What fills a gap: a standby's stream, the provider's own past by REST, or the next picture; and what nothing fills. */
import { topicName, type GapFilled, type Status } from '@tickwire/protocol'
import type { ArbiterOutput } from '../arbiter/arbiter.ts'
import { endAt, keyOf, ownOf, tell, type FindLane, type Gaps, type Open, type Side } from './gap.ts'
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
  if (!one.lane.open) {
    one.known.state = 'filled'
    delete one.known.why
  }
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
    const { gap, lane } = one
    if (lane.items >= REMEMBERED) continue
    if (lane.end === undefined) {
      lane.end = lane.lasts ? Math.max(gap.to, now) : gap.to
      // From here on the new leader's stream is whole, whether or not anything is traded.
      if (lane.lasts) told.push(tell(endAt(one, lane.end, now)))
    }
    lane.open = false
    told.push(fillOf(gaps, one, { how: 'provider', by: next.provider, items: lane.items, now }, { own: false }))
  }
}

export type Report = { provider: string; instrument: string; span: Span; now: number }

/** A provider's own past is here: it fills its own stream, and the arbitrated one where its trades went there too. */
export function filled(gaps: Gaps, lanes: FindLane, report: Report & { how: 'rest' | 'provider' }): ArbiterOutput[] {
  const key = `trade:${report.instrument}`
  const leads = lanes(key)?.leader?.provider === report.provider
  return (gaps.open.get(key) ?? []).slice().flatMap((one) => fillWith(gaps, one, leads, report))
}

function fillWith(gaps: Gaps, one: Open, leads: boolean, report: Report & { how: 'rest' | 'provider' }): ArbiterOutput[] {
  const { provider: by, span, how, now } = report
  const { own, lane, gap } = one
  const concerned = gap.provider === by && own.open && concerns(span, one, own)
  const mine = concerned && reaches(span, one, own)
  const fits = mine ? leads || reaches(span, one, lane) : covers(span, one, lane)
  const all = lane.open && (one.by === by || (one.by === undefined && (leads || mine))) && fits
  if (!mine && !all) return concerned ? giveUp(gaps, one, `what ${by} has of its past ends before it`, now) : []
  const ended = all ? endedBy(one, lane, report) : endedBy(one, own, report)
  if (mine) own.open = false
  if (all) lane.open = false
  const items = all ? lane.items : own.items
  const fill = fillOf(gaps, one, { how, by, items, now }, { own: !all })
  // The provider's own stream is whole again, and the arbitrated one is not: the pasts of two would count the market twice.
  const part = one.by === undefined || one.by === by ? `what ${by} has of it is a part` : `${one.by} has told a part of it`
  return lane.open ? [...ended, fill, ...giveUp(gaps, one, part, now)] : [...ended, fill]
}

/** Nothing was traded since, and yet it is over: the stream is on again, and the past up to here is known. */
function endedBy(one: Open, side: Side, { span, now }: Report): ArbiterOutput[] {
  const { gap, own, lane } = one
  if (!side.lasts || side.end !== undefined || !Number.isFinite(span.to)) return []
  side.end = Math.max(gap.to, span.to)
  return side === (gap.own ? own : lane) ? [tell(endAt(one, side.end, now))] : []
}

const isNumber = (expected: number | string | undefined, span: Span): boolean =>
  typeof expected === 'number' && expected >= span.expected! && expected < (span.got ?? Infinity)

/** Numbers say it exactly, times where there are none: of two trades of one instant one may be missing between them. */
function concerns(span: Span, one: Open, side: Side): boolean {
  const { from, to, expected } = one.gap
  if (one.numbered && span.expected !== undefined) return isNumber(expected, span)
  const until = side.end ?? (side.lasts ? Infinity : to)
  return (span.from < until && from < span.to) || (span.from === from && until === from + 1)
}

/** What lasts ends with the span. */
function reaches(span: Span, { gap, numbered }: Open, { end, lasts }: Side): boolean {
  if (numbered && span.expected !== undefined) return isNumber(gap.expected, span)
  return (lasts && end === undefined) || (end ?? gap.to) <= Math.max(span.to, gap.from + 1)
}

const covers = (span: Span, one: Open, side: Side): boolean =>
  reaches(span, one, side) && ((one.numbered && span.expected !== undefined) || span.from <= one.gap.from)

/** Nobody will fill it any more: told once again, open for good. */
export function unfilled(gaps: Gaps, { provider, instrument, span, reason, now }: Report & { reason: string }): ArbiterOutput[] {
  return (gaps.open.get(`trade:${instrument}`) ?? [])
    .slice()
    .flatMap((one) =>
      one.gap.provider === provider && one.own.open && concerns(span, one, one.own) ? giveUp(gaps, one, reason, now) : []
    )
}

/** Another's past may fill the arbitrated stream all the same, so that stays open. */
export function giveUp(gaps: Gaps, one: Open, reason: string, now: number): ArbiterOutput[] {
  const { gap, known, own, lane } = one
  const told = own.open
  own.open = false
  known.why = reason
  if (!lane.open) drop(gaps, one)
  Object.assign(gap, { action: 'open', time: now, received: now })
  Object.assign(known, { action: 'open', time: now, received: now })
  const mine = gap.own || !told || (lane.open && own.end === lane.end) ? [] : [tell(ownOf(one, now))]
  return lane.open || gap.own ? [tell(gap), ...mine] : mine
}
