/** What a lane keeps between flushes and what becomes of it: publishing only marks it, its segment is made once. */
import type { Contract, Published } from '@tickwire/protocol'
import { isCounted, sameSort } from './contracts.ts'
import type { Form, Gone } from './form.ts'
import type { Message } from './frame.ts'
import type { Lane, Pending } from './member.ts'
import { segmentOf, textSegment, type Segment, type Taking } from './segment.ts'

/** Before every event. */
export const START = -1

export const createLane = (
  key: string,
  topic: string,
  contract: Contract,
  form: Form | undefined,
  owesEach = contract.delivery === 'every'
): Lane => ({
  key,
  topic,
  contract,
  form,
  owesEach,
  counted: isCounted(topic),
  seq: 0,
  pending: [],
  isMarked: false,
  due: [],
  groups: new Set(),
  segments: new Map(),
  stop: () => {}
})

/** Keeps each event, or the newest of its sort. Returns how many were replaced. */
export function keep(lane: Lane, event: Published, at: number): number {
  const { contract, pending, segments } = lane
  if (segments.size > 0) segments.clear()
  const older = contract.delivery === 'every' ? -1 : pending.findIndex((item) => sameSort(item.event, event))
  if (older >= 0) pending.splice(older, 1)
  pending.push({ event, at })
  return older >= 0 ? 1 : 0
}

/** Where someone stands who was given all that is not pending, and of that what is not after `start`. */
export const standingIn = ({ pending, seq }: Lane, start = START): number =>
  Math.max(start, pending.length > 0 ? pending[0]!.event.seq - 1 : seq)

export type Told = Pending | (Gone & { at: number })
export const isGone = (told: Told): told is Gone & { at: number } => 'reason' in told

/** What is after `start`; in the place of those that are too old for the contract that they are missing, where each was promised. */
export function freshAfter({ contract, owesEach }: Lane, items: readonly Pending[], start: number, now: number): readonly Told[] {
  const own = items.length === 0 || items[0]!.event.seq > start ? items : items.filter(({ event }) => event.seq > start)
  const { maxAge } = contract
  if (maxAge === undefined) return own
  const out: Told[] = []
  for (const item of own) {
    const { topic, seq, received } = item.event
    const last = out.at(-1)
    if (now - received <= maxAge) out.push(item)
    else if (!owesEach) continue
    // Between those that are told of as the newest alone, others were replaced.
    else if (last && isGone(last) && last.to === seq - 1) {
      last.count++
      last.to = seq
    } else out.push({ topic, count: 1, from: seq, to: seq, reason: 'age', at: item.at })
  }
  return out
}

/** Parts in one form, and how many events they tell. */
export function renderAll(told: readonly { form: Form; what: Told }[], now: number): { parts: Message[]; events: number } {
  const parts: Message[] = []
  let events = 0
  for (const { form, what } of told) {
    const part = isGone(what) ? form.lost(what, now) : form.once(what.event, now)
    if (part === undefined) continue
    parts.push(part)
    if (!isGone(what)) events++
  }
  return { parts, events }
}

function makeSegment(lane: Lane, form: Form, told: readonly Told[], now: number, take: Taking): Segment | undefined {
  const isShared = form.isShared(lane.topic)
  if (form.renderAll && !isShared && told.length > 1 && !told.some(isGone)) {
    const events = told.map((what) => (what as Pending).event)
    return textSegment(form.renderAll(events), events.length, take)
  }
  const render = isShared ? form.once : form.render
  const parts: Message[] = []
  let events = 0
  for (const what of told) {
    const part = isGone(what) ? form.lost(what, now) : render(what.event, now)
    if (part === undefined) continue
    parts.push(part)
    if (!isGone(what)) events++
  }
  return parts.length > 0 ? segmentOf(parts, form.encoding, events, take) : undefined
}

/** What a shared lane has of these for all who stand at `start`, encoded once; nothing where there is nothing. */
export function segmentAfter(
  lane: Lane,
  form: Form,
  items: readonly Pending[],
  start: number,
  now: number,
  take: Taking
): Segment | undefined {
  if (lane.segments.has(start)) return lane.segments.get(start)
  const segment = makeSegment(lane, form, freshAfter(lane, items, start, now), now, take)
  lane.segments.set(start, segment)
  return segment
}
