/** One run of a venue's book through the real machine and adapter with seeded faults, and what was found wrong in it. */
import type { Level } from '@tickwire/protocol'
import type { Frame, Need } from '../../src/providers/adapter.ts'
import { SETTINGS, type BookPicture, type Effect, type Input } from '../../src/connection/connection.ts'
import { start, step } from '../../src/connection/machine.ts'
import { Market, randomOf, type Change, type Sides, type Venue } from './book-venues.ts'

export type Faults = { share: number; rest: boolean; cuts: boolean; altered: boolean }
export type Run = {
  /** Books said to be valid that the venue never had (at that number, where it has numbers). */
  wrong: string[]
  valid: number
  events: number
  /** Damages, and after how long each was whole again, ms. */
  healed: number[]
  /** Damages that the auditor found. */
  audits: number
  /** At the end, after a quiet time: the book is the venue's, and what its state was. */
  right: boolean
  state: BookPicture['state'] | undefined
}

const START = 1_700_000_000_000
const STEP = 50
const DEEP = 50
type Book = { bids: readonly Level[]; asks: readonly Level[] }
/** A number that two books share with a chance of one in four thousand million. */
function markOf({ bids, asks }: Book, depth = DEEP): number {
  let mark = 0x811c9dc5
  for (const side of [bids, asks]) {
    for (let i = 0; i < Math.min(depth, side.length); i++) {
      const [price, size] = side[i]!
      mark = Math.imul(mark ^ Math.round(price * 10), 0x01000193)
      mark = Math.imul(mark ^ Math.round(size * 10) ^ (mark >>> 15), 0x85ebca6b)
    }
    mark = Math.imul(mark ^ Math.min(depth, side.length) ^ (mark >>> 13), 0x01000193)
  }
  return mark >>> 0
}
const textOf = ({ bids, asks }: Book): string => `${bids.join(' ')} | ${asks.join(' ')}`

/** All that the true book ever was, by its number and to the depth that can be proven. */
class History {
  states = new Map<string, Set<number>>()
  keep(book: Sides, sequence: number | undefined, depth: number): void {
    const key = `${sequence}/${depth}`
    const found = this.states.get(key)
    if (found) found.add(markOf(book, depth))
    else this.states.set(key, new Set([markOf(book, depth)]))
  }
  had({ proven = DEEP, sequence, ...book }: BookPicture, numbered: boolean): boolean {
    return this.states.get(`${numbered ? sequence : undefined}/${proven}`)?.has(markOf(book, proven)) ?? false
  }
}

/** In place. */
function changed(book: Sides, { side, price, size }: Change): Sides {
  const way = side === 'bids' ? -1 : 1
  const others = book[side].filter((level) => level[0] !== price)
  book[side] = size === 0 ? others : [...others, [price, size] as const].sort((a, b) => (a[0] - b[0]) * way)
  return { ...book }
}

const sliced = (frame: string, random: () => number) => frame.slice(0, Math.floor(random() * (frame.length - 1)) + 1)
/** A number that no market has, or (altered) another one. */
function spoilt(frame: string, random: () => number, altered: boolean): string {
  const numbers = [...frame.matchAll(/(?<=[:,["])\d+\.\d+(?=["\],}])/g)]
  const chosen = numbers[Math.floor(random() * numbers.length)]
  if (!chosen) return sliced(frame, random)
  const other = altered ? String(Number(chosen[0]) + 0.1) : '-1'
  return frame.slice(0, chosen.index) + other + frame.slice(chosen.index + chosen[0].length)
}

export function run(venue: Venue, seed: number, faults: Faults): Run {
  const random = randomOf(seed)
  const { adapter, symbol } = venue
  const market = new Market(random)
  const there = venue.open(market)
  const truth = new History()
  const settings = { ...SETTINGS, auditEvery: 3_000, patience: 2_000 }
  let now = START
  const s = start(
    adapter,
    [{ kind: 'book', symbol }],
    now,
    { key: 'k', secret: 's' },
    settings,
    adapter.route?.({ kind: 'book', symbol })
  )
  const found: Run = { wrong: [], valid: 0, events: 0, healed: [], audits: 0, right: false, state: undefined }
  let wire: string[] = []
  let answers: { at: number; need: Need; body: string | undefined }[] = []
  const past: { book: Sides; sequence: number | undefined }[] = []
  let last: BookPicture | undefined
  let queue: Input[] = []
  let [faulty, broken, connected] = [true, false, false]
  const numbered = there.sequence() !== undefined

  const keep = (book = market.book()): void => {
    const sequence = there.sequence()
    for (const depth of [10, DEEP]) truth.keep(book, sequence, depth)
    past.push({ book, sequence })
    if (past.length > 60) past.shift()
  }

  /** The wire loses, doubles, swaps, cuts off and spoils. */
  const say = (frames: readonly string[]): void => {
    for (const frame of frames) {
      const kind = faulty && random() < faults.share ? Math.floor(random() * 5) : -1
      if (kind === 0) continue
      if (kind === 1) wire.push(frame, frame)
      else if (kind === 2 && wire.length > 0) wire.splice(-1, 0, frame)
      else if (kind === 3) wire.push(sliced(frame, random))
      else if (kind === 4) wire.push(spoilt(frame, random, faults.altered))
      else wire.push(frame)
    }
  }

  const ask = (need: Need): void => {
    const fault = faulty && faults.rest ? random() : 1
    const old = fault < 0.15 ? past[Math.floor(random() * past.length)]! : past.at(-1)!
    const body = fault > 0.15 && fault < 0.3 ? undefined : there.answer(need, old.book, old.sequence ?? 0)
    answers.push({ at: now + (faulty && faults.rest ? Math.floor(random() * 60) * STEP : 0), need, body })
  }

  const look = (event: BookPicture): void => {
    found.events++
    last = event
    if (event.state !== 'valid') return
    found.valid++
    if (!truth.had(event, numbered)) found.wrong.push(`${event.sequence}: ${textOf(event)}`)
  }

  const feed = (input: Input): void => {
    for (const effect of step(adapter, s, input, random)) perform(effect)
    const damage = s.shelf.records.get(symbol)
    if (damage?.brokenAt !== undefined) broken = true
    else if (broken) {
      broken = false
      found.healed.push(damage?.damage?.healedAfter ?? 0)
    }
  }

  const close = (reason: string): void => {
    connected = false
    wire = []
    answers = []
    queue = []
    feed({ type: 'closed', now, reason })
    if (last?.state === 'valid') found.wrong.push('valid after the connection was cut')
  }

  const perform = (effect: Effect): void => {
    if (effect.type === 'dial') {
      connected = true
      wire = []
      say(there.connect())
      queue.push({ type: 'opened', now })
    } else if (effect.type === 'hangup') close(effect.reason)
    else if (effect.type === 'send' && (typeof effect.frame === 'string' || effect.frame instanceof Uint8Array))
      say(there.receive(plain(effect.frame)))
    else if (effect.type === 'need') ask(effect.need)
    else if (effect.type === 'event' && effect.event.type === 'book') look(effect.event)
    else if (effect.type === 'gap' && s.shelf.records.get(symbol)?.damage?.cause.startsWith('audit')) found.audits++
  }
  const turn = (length: number, changes: boolean): void => {
    now += length
    if (changes) {
      const before = market.book()
      const made = market.change()
      for (const part of venue.single ? made.map((change) => [change]) : [made]) {
        const frames = there.told(part, now)
        keep(part === made ? market.book() : changed(before, part[0]!))
        say(frames)
      }
    }
    if (connected && random() < 0.1) say(there.beat(now))
    if (faulty && faults.cuts && connected && random() < 0.01) close('cut')
    if (faulty && faults.share > 0 && random() < 0.005) {
      there.reset()
      keep()
    }
    const due = queue
    queue = []
    for (const input of due) feed({ ...input, now })
    const heard = wire
    wire = []
    for (const frame of heard) if (connected) feed({ type: 'frame', now, frame })
    const come = answers.filter(({ at }) => at <= now)
    answers = answers.filter(({ at }) => at > now)
    for (const { need, body } of come)
      feed(body === undefined ? { type: 'failed', now, need, reason: 'lost' } : { type: 'answer', now, need, body })
    feed({ type: 'tick', now })
  }

  keep()
  for (let i = 0; i < 100; i++) turn(STEP, true)
  faulty = false
  // A venue that is asked again answers now; the auditor has its time too.
  for (let i = 0; i < 150; i++) turn(i % 3 === 0 ? 500 : STEP, i % 3 === 0)
  for (let i = 0; i < 40; i++) turn(STEP, false)
  found.right = last !== undefined && markOf(last) === markOf(market.book())
  found.state = last?.state
  return found
}

const decoder = new TextDecoder()
const plain = (frame: Frame): string => (typeof frame === 'string' ? frame : decoder.decode(frame))
