/**
 * A price that jumps is not believed before it is borne out: by another source that is there, or by the same one saying it three
 * times in a row, while the others had time to say otherwise. Until then it is known on its provider's own topic alone. What
 * others said counts only if it came before this instant, so that events of one time may come in any order.
 */
import type { Book } from '@tickwire/protocol'
import { note, noteJump, settled, type View, type Voice } from './voice.ts'
import * as witness from './witness.ts'
import {
  BAND,
  bandOf,
  isContradicted,
  isNear,
  isShared,
  isWithin,
  MAJORITY,
  others,
  rangeOf,
  stepOf,
  TURN,
  type Priced,
  type Range
} from './witness.ts'

export type { Priced }

/** What one stream holds back. */
export type Held = {
  /** The prints that say so, oldest first. */
  prints: Priced[]
  since: number
  /** When it said so last. */
  at: number
  low: number
  high: number
  /** What bears it out: whoever has gone most of the way. */
  within: Range
  /** How many in a row, those included that were dropped meanwhile. */
  count: number
}

/** One stream of prices (a source of a lane), with the voice that it speaks with. */
export type Stream = { voice: Voice; held?: Held | undefined }

type Holder = Parameters<View['holding']['add']>[0]

const ENOUGH = 3
/** But not for ever: whoever keeps to his price so long has one of his own. */
const PATIENCE = 60_000
/** While the others may still follow all is kept, up to this. */
const KEPT = 5_000

/** What is a price of its own at its own time: not what was filled in later, nor a print that sets no price. */
export const isPriced = (event: Priced | Book): event is Priced =>
  event.type !== 'book' && !(event.type === 'trade' && (event.backfill === true || event.ineligible === true))

/** Near what it said itself if the others leave it at that, near what another one says, or the first word of all. */
function isPlain(view: View, { voice }: Stream, event: Priced, range: Range, now: number): boolean {
  const isOwn = (band: number): boolean =>
    // Also the latest of this very instant: one frame may bring the whole of a jump.
    isNear(range, voice.price, band) || isNear(range, settled(voice, now).price, band)
  const band = bandOf(voice, now)
  // A ticker tells what was: that others are further says nothing against it.
  if (isOwn(band)) return event.type === 'ticker' || isOwn(stepOf(view, voice)) || !isContradicted(view, voice, range, now)
  if (others(view, voice, now, (price) => isNear(range, price, band)) > 0) return !isContradicted(view, voice, range, now)
  return !(voice.price > 0) && others(view, voice, now, () => true) === 0
}

/** Two thirds of the way bear out the rest, and so does whoever has gone further by no more than the band. */
function withinOf(view: View, { voice }: Stream, { low, high }: Range, now: number): Range {
  const band = bandOf(voice, now)
  const middle = (low + high) / 2
  const from = voice.price > 0 ? voice.price : (view.opinion?.price ?? middle)
  const back = Math.min(band * middle, Math.abs(middle - from) / 3)
  const on = band * middle
  return middle > from ? { low: low - back, high: high + on } : { low: low - on, high: high + back }
}

/** `release`: what may go on now, oldest first, the event itself included if it may; `dropped`: how many came to nothing. */
export type Weighed = { release: Priced[]; dropped: number; why?: string; contradicted?: boolean }

export function weigh(view: View, stream: Stream, event: Priced, now: number): Weighed {
  const range = rangeOf(event)
  if (isPlain(view, stream, event, range, now)) return plain(view, stream, event, range, now)
  const before = stream.held
  const goesOn = before !== undefined && isWithin(range, before.within)
  const within = withinOf(view, stream, range, now)
  const held: Held = goesOn ? before : { prints: [], since: now, at: now, ...range, within, count: 0 }
  stream.held = held
  held.prints.push(event)
  held.count++
  Object.assign(held, { ...range, within, at: now })
  const dropped = (before && !goesOn ? before.prints.length : 0) + keep(held, KEPT)
  const why = reasonOf(view, stream, range, now)
  if (held.count < ENOUGH || witness.waitingFor(view, stream.voice, within, held.since, now) > 0)
    return { release: [], dropped, why }
  if (witness.against(view, stream.voice, within, held.since, now) < MAJORITY) return { release: believe(stream, now), dropped }
  // One of them may be first where the others follow at once: so long nobody is wrong.
  if (now - held.since < TURN.least) return { release: [], dropped, why }
  const isSlow = now - held.since < TURN.most
  if (now - held.since < PATIENCE)
    return { release: [], dropped: dropped + keep(held, isSlow ? KEPT : ENOUGH), why, contradicted: true }
  const late = keep(held, 1)
  return { release: believe(stream, now), dropped: dropped + late }
}

const keep = ({ prints }: Held, most: number): number => prints.splice(0, Math.max(0, prints.length - most)).length

/** An event that may go on bears out what was held at its price, and shows that any other was nothing. */
function plain(view: View, stream: Stream, event: Priced, range: Range, now: number): Weighed {
  const { held, voice } = stream
  if (!held) {
    hear(voice, event, now)
    return { release: [event], dropped: 0 }
  }
  if (isWithin(range, held.within)) return { release: [...believe(stream, now), event], dropped: 0 }
  stream.held = undefined
  hear(voice, event, now)
  // Beside others who did not leap it was a mistake, and teaches nothing.
  if (others(view, voice, now, () => true) < MAJORITY) noteJump(voice, now)
  return { release: [event], dropped: held.prints.length }
}

export function believe(stream: Stream, now: number): Priced[] {
  const { prints } = stream.held ?? { prints: [] }
  stream.held = undefined
  for (const print of prints) hear(stream.voice, print, now)
  return prints
}

/** Of a wide quote the middle is no price; a ticker repeats what was traded, so it counts where nothing else is told. */
function hear(voice: Voice, event: Priced, now: number): void {
  const { low, high } = rangeOf(event)
  if (event.type === 'quote' && high - low > low * BAND.least) return
  if (event.type === 'ticker' && now - voice.at < PATIENCE && voice.at !== -Infinity && voice.price !== low) return
  note(voice, (low + high) / 2, now, event.clock === undefined ? event.time : now)
}

/** Whether what is held was borne out before this instant, by whatever else was said; then it may go on. */
export function isBorneOut(view: View, stream: Holder, now: number): boolean {
  const { held, voice } = stream
  if (!held || held.since >= now) return false
  const { price } = settled(voice, now)
  const isOwn = price >= held.within.low && price <= held.within.high
  return isOwn || isShared(view, voice, held.within, now) || isAlsoHeld(view, stream, now)
}

/** Two who jump to the same price bear each other out, as long as both are there. */
function isAlsoHeld({ holding }: View, { held, voice }: Holder, now: number): boolean {
  for (const { voice: other, held: also } of holding)
    if (held && also && other !== voice && also.since < now && isThere(other, also.at, now))
      if (isWithin(also, held.within) || isWithin(held, also.within)) return true
  return false
}

/** What is held counts no longer than its source usually takes to speak again. */
const isThere = ({ downAt, mute, interval }: Voice, at: number, now: number): boolean =>
  at > downAt && at > (mute?.at ?? -Infinity) && now - at <= Math.max(LEAST_THERE, TURN.intervals * interval)
const LEAST_THERE = 1_000

function reasonOf(view: View, { voice }: Stream, { low, high }: Range, now: number): string {
  const price = (low + high) / 2
  const known = voice.price > 0 ? voice.price : view.opinion?.price
  const far =
    known === undefined ? 'far from what the others say' : `${(Math.abs(price / known - 1) * 100).toFixed(1)} % from ${known}`
  const witnesses = others(view, voice, now, () => true)
  return `${price} is ${far}, and ${witnesses === 0 ? 'there is nobody else to bear it out' : 'no other source bears it out'}`
}
