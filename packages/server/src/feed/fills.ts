/** What fills a gap: a standby's stream, the provider's own past by REST, or the next picture; and what nothing fills. */
import { topicName, type GapFilled, type Status, type Trade } from '@tickwire/protocol'
import type { ArbiterOutput } from '../arbiter/arbiter.ts'
import { give, piecesOf, type Piece, type Reigns } from '../arbiter/reigns.ts'
import { amend, endAt, keyOf, ownOf, tell, type FindLane, type Gaps, type Open } from './gap.ts'
import type { Span } from '../connection/holes.ts'
import type { Source } from '../arbiter/lane.ts'

/** A standby remembers so many trades: what it heard before them is gone. */
const REMEMBERED = 1_000

type Fill = Pick<GapFilled, 'how' | 'by' | 'items' | 'from' | 'to'> & { now: number; own?: true }

/** `own`: of the provider's own topic alone. */
export function fillOf({ gap, known }: Open, { now, ...fill }: Fill): ArbiterOutput {
  const { id, provider, instrument, kind } = gap
  const event: GapFilled = { type: 'gap_filled', provider, instrument, time: now, received: now, kind, gap: id, ...fill }
  known.fills.push(event)
  return { topic: topicName('gap', instrument), event }
}

/** What is over in both streams needs no remembering. */
export function settle(gaps: Gaps, one: Open): void {
  const { known, own, lane } = one
  if (!lane.open) {
    known.state = 'filled'
    delete known.why
  }
  if (!lane.open && !own.open) drop(gaps, one)
}

export function drop({ open: all }: Gaps, one: Open): void {
  const key = keyOf(one.gap)
  const left = all.get(key)?.filter((other) => other !== one) ?? []
  if (left.length === 0) all.delete(key)
  else all.set(key, left)
}

type By = { by: string; how: GapFilled['how']; now: number }

/** Tells of each part that is somebody's by now. What nobody has told any trade of is filled by whoever is whole there. */
function fillParts(one: Open, reigns: Reigns, { by, how, now }: By): ArbiterOutput[] {
  const { lane } = one
  const fills: { by: string; from: number; to: number }[] = []
  const rest: Piece[] = []
  for (const { from, to } of lane.rest)
    for (const piece of piecesOf(reigns, from, to)) {
      if (piece.provider === undefined || piece.to === Infinity) {
        rest.push(piece)
        continue
      }
      const who = lane.items.has(piece.provider) ? piece.provider : by
      const last = fills.at(-1)
      if (last?.by === who && last.to === piece.from) last.to = piece.to
      else fills.push({ ...piece, by: who })
    }
  lane.rest = rest
  if (rest.length === 0) lane.open = false
  return fills.map((fill) => {
    const items = lane.items.get(fill.by) ?? 0
    lane.items.delete(fill.by)
    return fillOf(one, { by: fill.by, from: fill.from, to: fill.to, items, now, how: fill.by === by ? how : 'provider' })
  })
}

/** Of a gap that is filled in part the rest is told anew, and what is filled between two rests once more. */
export function tellRest(one: Open, now: number): ArbiterOutput[] {
  const { gap, known, lane, own } = one
  const { from } = gap
  const begin = Math.max(from, lane.rest[0]?.from ?? from)
  amend(one, { from: begin })
  const told = tell(one)
  if (told.length === 0) return told
  const within = known.fills.filter((fill) => fill.own !== true && fill.from >= begin)
  told.push(...within.map((event) => ({ topic: topicName('gap', gap.instrument), event })))
  return begin > from && own.open ? [...told, ...tell(one, ownOf(one, now))] : told
}

/** The arbitrated stream goes on from there. */
export function resume(one: Open, end: number): void {
  const { lane } = one
  lane.end = end
  const rest = lane.rest.flatMap(({ from, to }) => (from < end ? [{ from, to: Math.min(to, end) }] : []))
  // Where all up to there is filled already, the end of it is told as a rest that is filled next.
  lane.rest = rest.length > 0 ? rest : [{ from: end - 1, to: end }]
}

/** A standby takes the lead, and what it heard since the leader's last word goes out: of gaps that lie there nothing is missing. */
export type Bridge = { next: Source; reigns: Reigns; over: readonly Open[]; trades: Trade[] }

export function bridgeOf(gaps: Gaps, lanes: FindLane, status: Status): Bridge | undefined {
  const { kind, instrument, leader, previous, cause } = status
  const key = keyOf({ kind, instrument })
  const lane = lanes(key)
  const next = leader === undefined || previous === undefined ? undefined : lane?.sources.get(leader)
  if (kind !== 'trade' || cause === 'failback' || !lane || !next) return undefined
  // What the arbitrated stream has gone beyond is not told again.
  const over = (gaps.open.get(key) ?? []).filter((one) => one.lane.open && one.lane.end === undefined)
  return { next, reigns: lane.reigns, over, trades: [] }
}

export function bridged(gaps: Gaps, { next, reigns, over, trades }: Bridge, now: number, told: ArbiterOutput[]): void {
  const { provider: by, cleanSince = Infinity } = next
  const first = trades.find(({ received }) => received >= cleanSince)
  for (const one of over) {
    const { gap, lane } = one
    // It was there all the time, and remembers all of it.
    const whole = gap.provider !== by && cleanSince <= gap.from && trades.length < REMEMBERED
    if (!whole && !first) continue
    // From here on the new leader's stream is whole, whether or not anything is traded.
    if (whole) give(reigns, by, gap.from, Infinity)
    const end = whole ? (lane.lasts ? Math.max(gap.to, now) : gap.to) : Math.max(first?.time ?? now, gap.from + 1)
    resume(one, end)
    const isNews = lane.lasts || end !== gap.to
    endAt(one, end, now)
    if (isNews) told.push(...tellRest(one, now))
    told.push(...fillParts(one, reigns, { by, how: 'provider', now }))
    settle(gaps, one)
  }
}

export type Report = { provider: string; instrument: string; span: Span; now: number }
type Answer = Report & { how: 'rest' | 'provider' }

/** A provider's own past is here: it fills its own stream, and of the arbitrated one what nobody had. */
export function filled(gaps: Gaps, lanes: FindLane, report: Answer): ArbiterOutput[] {
  const key = `trade:${report.instrument}`
  const lane = lanes(key)
  const leads = lane?.leader?.provider === report.provider && lane.leader.state === 'live'
  return (gaps.open.get(key) ?? []).slice().flatMap((one) => fillWith(gaps, one, lane?.reigns, leads, report))
}

function fillWith(gaps: Gaps, one: Open, reigns: Reigns | undefined, leads: boolean, report: Answer): ArbiterOutput[] {
  const { provider: by, span, how, now } = report
  const { own, lane, gap } = one
  const concerned = gap.provider === by && own.open && concerns(span, one)
  const mine = concerned && reaches(span, one)
  const wasOpen = lane.open
  const told: ArbiterOutput[] = []
  if (wasOpen && reigns && (gap.provider !== by || concerned)) told.push(...fillLane(one, reigns, mine, leads, report))
  const isPart = lane.open && told.some((output) => 'event' in output && output.event.type === 'gap_filled')
  if (mine) {
    own.open = false
    // Who reads the provider's own topic takes its filling of the arbitrated one for its own.
    if (lane.open || !wasOpen) {
      if (own.end === undefined && Number.isFinite(span.to)) own.end = Math.max(own.from + 1, span.to)
      if (own.end !== undefined && (gap.own ? gap.lasting : own.lasts))
        told.push(...tell(one, gap.own ? endAt(one, own.end, now) : ownOf(one, now)))
      told.push(fillOf(one, { by, how, items: own.items, from: own.from, to: own.end ?? gap.to, now, own: true }))
    }
  }
  settle(gaps, one)
  if (concerned && !mine && !isPart) return [...told, ...giveUp(gaps, one, `what ${by} has of its past ends before it`, now)]
  // The provider's own stream is whole again, and the arbitrated one is not.
  return lane.open && concerned ? [...told, ...giveUp(gaps, one, `what ${by} has of it is a part`, now)] : told
}

function fillLane(
  one: Open,
  reigns: Reigns,
  mine: boolean,
  leads: boolean,
  { provider: by, span, how, now }: Answer
): ArbiterOutput[] {
  const { gap, lane } = one
  const told: ArbiterOutput[] = []
  const to = mine && leads ? Infinity : Math.max(span.to, span.from + 1)
  const from = mine ? gap.from : Math.max(span.from, gap.from)
  if (lane.end === undefined && leads && Number.isFinite(span.to) && span.to >= gap.from) {
    // Nothing was traded since, and yet it is over: the stream is on again, and the past up to here is known.
    give(reigns, by, from, Infinity)
    resume(one, Math.max(gap.to, span.to))
    endAt(one, lane.end ?? gap.to, now)
    told.push(...tellRest(one, now))
  } else give(reigns, by, from, Math.min(to, lane.end ?? to))
  told.push(...fillParts(one, reigns, { by, how, now }))
  return told
}

const isNumber = (expected: number | string | undefined, span: Span): boolean =>
  typeof expected === 'number' && expected >= span.expected! && expected < (span.got ?? Infinity)

/** Numbers say it exactly, times where there are none: of two trades of one instant one may be missing between them. */
function concerns(span: Span, { gap, numbered, own }: Open): boolean {
  if (numbered && span.expected !== undefined) return isNumber(gap.expected, span)
  const until = own.end ?? (own.lasts ? Infinity : gap.to)
  return (span.from < until && own.from < span.to) || (span.from === own.from && until === own.from + 1)
}

/** What lasts ends with the span. */
function reaches(span: Span, { gap, numbered, own }: Open): boolean {
  if (numbered && span.expected !== undefined) return isNumber(gap.expected, span)
  return (own.lasts && own.end === undefined) || (own.end ?? gap.to) <= Math.max(span.to, own.from + 1)
}

/** Nobody will fill it any more: told once again, open for good. */
export function unfilled(gaps: Gaps, { provider, instrument, span, reason, now }: Report & { reason: string }): ArbiterOutput[] {
  return (gaps.open.get(`trade:${instrument}`) ?? [])
    .slice()
    .flatMap((one) =>
      one.gap.provider === provider && one.own.open && concerns(span, one) ? giveUp(gaps, one, reason, now) : []
    )
}

/** Another's past may fill the arbitrated stream all the same, so that stays open. */
export function giveUp(gaps: Gaps, one: Open, reason: string, now: number): ArbiterOutput[] {
  const { gap, known, own, lane } = one
  const isNews = own.open
  own.open = false
  known.why = reason
  if (!lane.open) drop(gaps, one)
  amend(one, { action: 'open', time: now, received: now })
  delete one.said
  const told = lane.open ? tellRest(one, now) : gap.own ? tell(one) : []
  const isSame = lane.open && own.end === lane.end && own.from === gap.from
  return gap.own || !isNews || isSame ? told : [...told, ...tell(one, ownOf(one, now))]
}
