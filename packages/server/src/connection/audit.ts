/**
 * The auditor: now and then one book is compared with a snapshot asked for by REST. Where both carry the provider's sequence they
 * are compared at the same number; else each level of the snapshot must be one that our book had while the snapshot was on its way.
 */
import type { Level } from '@tickwire/protocol'
import type { BookDelta } from '../providers/adapter.ts'
import { applyDelta, openBook, top, type BookState } from './books.ts'

/** One comparison under way. */
export type Audit = {
  symbol: string
  /** The book as it was when the comparison began, and what has changed since. */
  base: BookState
  changes: BookDelta[]
  askAt: number
  asked: boolean
  answer?: BookDelta
  /** Judged at the latest then. */
  until: number
}
export type Auditor = {
  nextAt: number
  /** Whose turn was last. */
  last: string
  running?: Audit | undefined
  /** Symbol → comparisons without a sequence in a row that found something: one may be chance. */
  strikes: Map<string, number>
}
export type Verdict = { agrees: true; now: boolean } | { agrees: false; what: string } | 'unknown' | 'wait'

/** More changes than this are not kept: the answer is long in coming. */
const CHANGES = 5_000
/** Levels a side that are compared; a side with fewer is taken for all there is, unless the snapshot says how deep it reaches. */
export const DEPTH = 100

export const openAuditor = (now: number, every: number): Auditor => ({ nextAt: now + every, last: '', strikes: new Map() })

type Sides = { bids: readonly Level[]; asks: readonly Level[] }
type Exempt = (side: 'bids' | 'asks', price: number) => boolean

export const copyOf = (book: BookState): BookState => ({ ...book, bids: [...book.bids], asks: [...book.asks] })
const bestFirst = ({ bids, asks }: BookState): Sides => ({ bids: top(bids, DEPTH), asks: top(asks, DEPTH) })
const snapshotSides = (answer: BookDelta): Sides => {
  const book = openBook()
  applyDelta(book, { ...answer, snapshot: true })
  return bestFirst(book)
}

/** The first level within the reach of both that is not the same, in words. */
export function difference(ours: Sides, theirs: Sides, depth = DEPTH, exempt: Exempt = () => false): string | undefined {
  for (const side of ['bids', 'asks'] as const) {
    const way = side === 'bids' ? 1 : -1
    const reach = Math.max(...[ours[side], theirs[side]].map((l) => (l.length >= depth ? l.at(-1)![0] * way : -Infinity)))
    const seen = new Map(theirs[side].filter(([price]) => price * way >= reach))
    for (const [price, size] of ours[side]) {
      if (price * way < reach) continue
      const other = seen.get(price) ?? 0
      seen.delete(price)
      if (other !== size && !exempt(side, price)) return `${side} ${price}: we have ${size}, the snapshot ${other}`
    }
    for (const [price, size] of seen) if (!exempt(side, price)) return `${side} ${price}: we have none, the snapshot ${size}`
  }
  return undefined
}

const found = (what: string | undefined, now: boolean): Verdict =>
  what === undefined ? { agrees: true, now } : { agrees: false, what }

export function verdictOf({ base, changes, answer, until }: Audit, book: BookState, now: number): Verdict {
  if (!answer) return now < until ? 'wait' : 'unknown'
  const theirs = snapshotSides(answer)
  const depth = Math.min(DEPTH, answer.depth ?? DEPTH)
  const current = difference(bestFirst(book), theirs, depth)
  if (current === undefined) return { agrees: true, now: true }
  const at = answer.sequence
  if (at === undefined || base.sequence === undefined || book.sequence === undefined) {
    const what = difference(bestFirst(book), theirs, depth, hadOf(base, changes, theirs))
    return what !== undefined && now < until ? 'wait' : found(what, false)
  }
  if (at < base.sequence) return 'unknown'
  if (book.sequence < at) return now < until ? 'wait' : found(current, true)
  const then = copyOf(base)
  for (const change of changes) if (change.sequence! <= at) applyDelta(then, change)
  // The next change may reach back to before the snapshot's number: what it touches is not compared.
  const next = changes.find((change) => change.sequence! > at)
  const touched = { bids: pricesOf(next?.bids), asks: pricesOf(next?.asks) }
  return found(
    difference(bestFirst(then), theirs, depth, (side, price) => touched[side].has(price)),
    false
  )
}

const pricesOf = (levels: readonly Level[] = []): Set<number> => new Set(levels.map(([price]) => price))

/** Levels whose size in the snapshot is one that we had meanwhile. */
function hadOf(base: BookState, changes: readonly BookDelta[], theirs: Sides): Exempt {
  const had = { bids: new Map<number, Set<number>>(), asks: new Map<number, Set<number>>() }
  const note = (side: 'bids' | 'asks', [price, size]: Level): void =>
    void had[side].set(price, (had[side].get(price) ?? new Set()).add(size))
  const said = { bids: new Map(theirs.bids), asks: new Map(theirs.asks) }
  for (const side of ['bids', 'asks'] as const) {
    for (const change of changes)
      for (const level of change[side]) if (!had[side].has(level[0])) note(side, [level[0], sizeAt(base[side], level[0])])
    for (const change of changes) for (const level of change[side]) note(side, level)
  }
  return (side, price) => had[side].get(price)?.has(said[side].get(price) ?? 0) ?? false
}

const sizeAt = (levels: readonly Level[], price: number): number => levels.find((level) => level[0] === price)?.[1] ?? 0

/** A change of the book under comparison; a snapshot makes it begin anew, and the comparison of no use. */
export function record({ auditor }: { auditor: Auditor }, delta: BookDelta): void {
  const { running } = auditor
  if (running?.symbol !== delta.symbol) return
  if (delta.snapshot || running.changes.length >= CHANGES) auditor.running = undefined
  else running.changes.push(delta)
}
