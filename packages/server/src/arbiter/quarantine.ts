/**
 * A price that jumps is not believed before it is borne out: by another source that is there, or by the same one saying it three
 * times in a row. Until then it is known on its provider's own topic alone. What others said counts only if it came before this
 * instant, so that events of one time may come in any order.
 */
import type { Book, Quote, Ticker, Trade } from '@tickwire/protocol'
import { isHeard, note, noteJump, settled, type View, type Voice } from './voice.ts'

export type Priced = Trade | Quote | Ticker

/** What one stream holds back. */
export type Held = {
  /** The prints that say so, oldest first. */
  prints: Priced[]
  since: number
  low: number
  high: number
  /** How many in a row, those included that were dropped meanwhile. */
  count: number
}

/** One stream of prices (a source of a lane), with the voice that it speaks with. */
export type Stream = { voice: Voice; held?: Held | undefined }

type Holder = Parameters<View['holding']['add']>[0]

/** The nearest that a jump is: a share of the price. Where prices usually leap it is more, up to the widest. */
const BAND = { least: 0.02, most: 0.2, moves: 10, perMinute: 1 } as const
const ENOUGH = 3
/** Two others who say the opposite outweigh three in a row. */
const MAJORITY = 2
/** But not for ever: whoever keeps to his price so long has one of his own. */
const PATIENCE = 60_000

/** The longer ago it spoke, the further a price may have gone. */
function bandOf({ move, at }: Voice, now: number): number {
  const minutes = at === -Infinity ? 0 : Math.max(0, now - at) / 60_000
  return Math.min(BAND.most, Math.max(BAND.least, BAND.moves * move) * (1 + BAND.perMinute * minutes))
}

/** The prices that an event says: a quote says all between bid and ask, so a wide one contradicts nobody. */
type Range = { low: number; high: number }
function rangeOf(event: Priced): Range {
  if (event.type === 'quote') return { low: Math.min(event.bid, event.ask), high: Math.max(event.bid, event.ask) }
  const price = event.type === 'trade' ? event.price : event.last
  return { low: price, high: price }
}
const isNear = ({ low, high }: Range, price: number, band: number): boolean =>
  high >= price * (1 - band) && low <= price * (1 + band)

/** What is a price of its own at its own time: not what was filled in later, nor a print that sets no price. */
export const isPriced = (event: Priced | Book): event is Priced =>
  event.type !== 'book' && !(event.type === 'trade' && (event.backfill === true || event.ineligible === true))

function others({ voices }: View, own: Voice, now: number, test: (price: number, at: number) => boolean): number {
  let count = 0
  for (const voice of voices.values()) {
    if (voice === own || !isHeard(voice, now)) continue
    const { price, at } = settled(voice, now)
    if (test(price, at)) count++
  }
  return count
}

const isShared = (view: View, voice: Voice, range: Range, band: number, now: number): boolean =>
  others(view, voice, now, (price) => isNear(range, price, band)) > 0

/** Near what it said itself, near what another one says, or the first word of all. */
function isPlain(view: View, stream: Stream, range: Range, now: number): boolean {
  const { voice } = stream
  const band = bandOf(voice, now)
  // Also the latest of this very instant: one frame may bring the whole of a jump.
  if (isNear(range, voice.price, band) || isNear(range, settled(voice, now).price, band)) return true
  if (isShared(view, voice, range, band, now)) return true
  return !(voice.price > 0) && others(view, voice, now, () => true) === 0
}

/** `release`: what may go on now, oldest first, the event itself included if it may; `dropped`: how many came to nothing. */
export type Weighed = { release: Priced[]; dropped: number; why?: string; contradicted?: boolean }

export function weigh(view: View, stream: Stream, event: Priced, now: number): Weighed {
  const range = rangeOf(event)
  if (isPlain(view, stream, range, now)) return plain(stream, event, range, now)
  const band = bandOf(stream.voice, now)
  const before = stream.held
  const goesOn = before !== undefined && isNear(before, (range.low + range.high) / 2, band)
  const held: Held = goesOn ? before : { prints: [], since: now, ...range, count: 0 }
  stream.held = held
  held.prints.push(event)
  held.count++
  held.low = range.low
  held.high = range.high
  const dropped = before && !goesOn ? before.prints.length : 0
  if (held.count < ENOUGH) return { release: [], dropped, why: reasonOf(view, stream, range, now) }
  // Only those who spoke since: that a price stood before says nothing against its moving.
  const against = others(view, stream.voice, now, (price, at) => at > held.since && !isNear(range, price, band))
  if (against < MAJORITY) return { release: believe(stream, now), dropped }
  if (now - held.since < PATIENCE) {
    const extra = held.prints.splice(0, held.prints.length - ENOUGH).length
    return { release: [], dropped: dropped + extra, why: reasonOf(view, stream, range, now), contradicted: true }
  }
  const late = held.prints.splice(0, held.prints.length - 1).length
  return { release: believe(stream, now), dropped: dropped + late }
}

/** An event that may go on bears out what was held at its price, and shows that any other was nothing. */
function plain(stream: Stream, event: Priced, range: Range, now: number): Weighed {
  const { held, voice } = stream
  if (!held) {
    hear(voice, event, now)
    return { release: [event], dropped: 0 }
  }
  if (isNear(held, (range.low + range.high) / 2, bandOf(voice, now)))
    return { release: [...believe(stream, now), event], dropped: 0 }
  stream.held = undefined
  noteJump(voice)
  hear(voice, event, now)
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
  note(voice, (low + high) / 2, now)
}

/** Whether what is held was borne out before this instant, by whatever else was said; then it may go on. */
export function isBorneOut(view: View, stream: Holder, now: number): boolean {
  const { held, voice } = stream
  if (!held || held.since >= now) return false
  const band = bandOf(voice, now)
  return isNear(held, settled(voice, now).price, band) || isShared(view, voice, held, band, now) || isAlsoHeld(view, stream, now)
}

/** Two who jump to the same price bear each other out. */
function isAlsoHeld({ holding }: View, stream: Holder, now: number): boolean {
  const { held, voice } = stream
  if (!held) return false
  for (const other of holding)
    if (
      other.voice !== voice &&
      other.held &&
      other.held.since < now &&
      isNear(other.held, (held.low + held.high) / 2, BAND.least)
    )
      return true
  return false
}

function reasonOf(view: View, { voice }: Stream, { low, high }: Range, now: number): string {
  const price = (low + high) / 2
  const known = voice.price > 0 ? voice.price : view.opinion?.price
  const far =
    known === undefined ? 'far from what the others say' : `${(Math.abs(price / known - 1) * 100).toFixed(1)} % from ${known}`
  const witnesses = others(view, voice, now, () => true)
  return `${price} is ${far}, and ${witnesses === 0 ? 'there is nobody else to bear it out' : 'no other source bears it out'}`
}
