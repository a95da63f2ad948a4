/** From one frame to what it means for its connection: events out, books folded, acks counted, damage noticed. */
import type { DataKind } from '@tickwire/protocol'
import type { Adapter, BookDelta, Frame, Meaning, Need } from '../providers/adapter.ts'
import { settle } from './asks.ts'
import { record } from './audit.ts'
import { audited } from './auditor.ts'
import { applyDelta, openBook } from './books.ts'
import type { Effect, Missing, State } from './connection.ts'
import { hear, told } from './holes.ts'
import { beat } from '../arbiter/pulse.ts'
import { paged, past } from './refill.ts'
import { arrived, confirmed, fetching, healed } from './shelf.ts'
import { damaged, doubt, proves, show } from './shown.ts'

/** A book that stays crossed for this long has missed a delete. */
const CROSSED_PATIENCE = 1_000
/** More replies than this waiting to be sent: the provider asks faster than it lets us answer. */
const REPLIES = 64

export function understand<S>(adapter: Adapter<S>, s: State<S>, text: Frame, now: number, need?: Need): Effect[] {
  let meanings: readonly Meaning[]
  try {
    meanings = adapter.decode(text, now, s.session, need)
  } catch {
    // decode promises not to throw; a defect in it must cost one frame, not the connection.
    return [{ type: 'refused', reason: 'undecodable' }]
  }
  if (need?.purpose === 'audit')
    return audited(
      adapter,
      s,
      need,
      meanings.find((m) => m.type === 'delta'),
      now
    )
  const effects: Effect[] = []
  for (const meaning of meanings) {
    // What REST refuses is that call, not the subscription; unless it refuses us.
    if (need && meaning.type === 'reject' && !meaning.fatal && !meaning.denied)
      effects.push({ type: 'rejected', reason: meaning.reason })
    else if (need?.purpose === 'trades' && meaning.type === 'trade')
      past(s.holes, need, meaning, adapter.countsTrades === true, effects)
    else if (need?.purpose === 'trades' && meaning.type === 'need' && !paged(s.holes, need, meaning)) continue
    else interpret(adapter, s, meaning, meanings, now, effects)
    // After a hole in the connection's own sequence the rest of the frame is of no use: a book folded from it would be wrong.
    if (effects.at(-1)?.type === 'hangup') {
      s.shelf.touched.clear()
      return effects
    }
  }
  // One picture per frame, however many deltas it holds.
  for (const symbol of s.shelf.touched) {
    const book = s.shelf.books.get(symbol)
    if (book) effects.push(show(adapter, s, symbol, book))
  }
  s.shelf.touched.clear()
  return effects
}

function interpret<S>(
  adapter: Adapter<S>,
  s: State<S>,
  m: Meaning,
  all: readonly Meaning[],
  now: number,
  effects: Effect[]
): void {
  switch (m.type) {
    case 'delta':
      proved(s, 'book', m.symbol, now, effects)
      fold(adapter, s, m, now, effects)
      return
    case 'ack':
      confirm(s, m.symbol, m.kind, now, effects)
      return
    case 'reject':
      reject(s, m, effects)
      return
    case 'reply':
      if (s.pace.urgent.push(m.frame) > REPLIES)
        effects.push({ type: 'hangup', reason: 'asks for replies faster than it allows' })
      return
    case 'gap':
      gap(s, m, all, now, effects)
      return
    case 'need':
      fetching(s.shelf, m, true)
      effects.push({ type: 'need', need: m })
      return
    case 'listing':
    case 'refused':
      effects.push(m)
      return
    case 'quiet':
      effects.push(m)
      return
    case 'hangup':
      effects.push(m)
      return
    case 'ending':
      s.rotateAt = Infinity
      effects.push({ type: 'rotate', reason: m.reason })
      return
    default:
      proved(s, m.type, m.symbol, now, effects)
      if (m.type === 'trade') hear(s.holes, m, adapter.countsTrades === true, now, effects)
      else effects.push({ type: 'event', event: m })
  }
}

/** Market data proves the connection good, and the subscription confirmed even where its ack comes later or never. */
function proved<S>(s: State<S>, kind: DataKind, symbol: string, now: number, effects: Effect[]): void {
  s.attempt = s.denials = 0
  s.proven = true
  beat(s.pulse, now)
  if (s.asks.waiting > 0) confirm(s, symbol, kind, now, effects)
}

function confirm<S>(s: State<S>, symbol: string, kind: DataKind | undefined, now: number, effects: Effect[]): void {
  for (const subscription of settle(s.asks, 'confirmed', symbol, kind)) {
    if (subscription.kind === 'book') confirmed(s.shelf, symbol, now)
    effects.push({ type: 'confirmed', subscription })
  }
}

function reject<S>(s: State<S>, m: Extract<Meaning, { type: 'reject' }>, effects: Effect[]): void {
  const refused = m.symbol === undefined ? [] : settle(s.asks, 'refused', m.symbol, m.kind)
  for (const subscription of refused) effects.push({ type: 'rejected', subscription, reason: m.reason })
  if (refused.length === 0) effects.push({ type: 'rejected', reason: m.reason })
  if (m.denied) effects.push({ type: 'hangup', reason: m.reason, denied: true })
  if (!m.fatal) return
  s.phase = 'stopped'
  effects.push({ type: 'phase', phase: 'stopped', reason: m.reason }, { type: 'hangup', reason: m.reason })
}

function gap<S>(
  s: State<S>,
  m: Extract<Meaning, { type: 'gap' }>,
  all: readonly Meaning[],
  now: number,
  effects: Effect[]
): void {
  const { type: _, ...missing }: typeof m & Missing = m
  if (m.symbol === undefined) {
    effects.push({ type: 'gap', gap: missing, action: 'resync' })
    effects.push({ type: 'hangup', reason: `gap: expected ${m.expected ?? 'another'}, got ${m.got ?? 'this'}` })
    return
  }
  // An adapter that asks for a snapshot by REST in the same breath has chosen how to repair it.
  const own = all.filter((other): other is Need => other.type === 'need' && other.symbol === m.symbol)
  const ownRepair = own.length > 0
  if (m.kind === 'trade') {
    const after = all.slice(all.indexOf(m)).find((other) => other.type === 'trade' && other.symbol === m.symbol)
    if (after?.type === 'trade') missing.until = after.time
    told(s.holes, m.symbol, m, own, now)
  }
  if (m.kind !== 'book') effects.push({ type: 'gap', gap: missing, action: ownRepair ? 'resync' : 'open' })
  else {
    s.shelf.touched.delete(m.symbol)
    const met = m.expected === undefined ? m.cause : `${m.cause}: expected ${m.expected}, got ${m.got ?? 'another'}`
    effects.push(...damaged(s, { ...missing, symbol: m.symbol }, now, met, ownRepair))
  }
}

function fold<S>(adapter: Adapter<S>, s: State<S>, delta: BookDelta, now: number, effects: Effect[]): void {
  const { symbol } = delta
  let book = s.shelf.books.get(symbol)
  if (!book) {
    if (!delta.snapshot) {
      // Still in flight from before a resync, or its snapshot is lost: time will tell (shelf.ts).
      const waiting = s.shelf.expected.get(symbol)
      if (waiting) waiting.dropped = true
      return
    }
    s.shelf.books.set(symbol, (book = openBook()))
  }
  record(s, delta)
  const applied = applyDelta(book, delta)
  if (applied === 'ok') {
    book.proven = proves(adapter, delta, book.verified)
    if (book.verified) book.checked = now
    s.shelf.touched.add(symbol)
    if (s.shelf.expected.size > 0) arrived(s.shelf, symbol)
    if (s.shelf.records.size > 0) healed(s.shelf, symbol, now)
    return
  }
  effects.push({ type: 'refused', reason: `${applied} book` })
  s.shelf.touched.delete(symbol)
  if (applied === 'crossed' && delta.time - book.crossedSince! < CROSSED_PATIENCE) {
    effects.push(...doubt(s, symbol, 'suspect'))
    return
  }
  const cause = applied === 'checksum' ? 'checksum' : 'sequence'
  effects.push(...damaged(s, { kind: 'book', symbol, cause }, now, applied))
}
