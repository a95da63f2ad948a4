/** The life of a comparison: whose turn it is, when its snapshot is asked for, and what becomes of a book that differs. */
import type { Adapter, BookDelta, Need } from '../providers/adapter.ts'
import { copyOf, DEPTH, verdictOf, type Audit } from './audit.ts'
import type { BookState } from './books.ts'
import type { Effect, State } from './connection.ts'
import { damaged, show } from './shown.ts'

/** What a REST answer may be older than our stream, and the stream than it. */
const MARGIN = 2_000
/** An answer is awaited no longer. */
const PATIENCE = 30_000
/** After a first difference that a chance may explain the same book comes again so soon. */
const AGAIN = 5_000

/** On each tick: begins a comparison, asks for its snapshot, judges it. */
export function auditDue<S>(adapter: Adapter<S>, s: State<S>, now: number): Effect[] {
  const { auditor, settings } = s
  const { running } = auditor
  if (running) return running.asked ? judged(adapter, s, running, now) : askFor(adapter, s, running, now)
  if (!adapter.audit || settings.auditEvery <= 0 || s.phase !== 'live' || now < auditor.nextAt) return []
  auditor.nextAt = now + settings.auditEvery
  const symbols = [...s.shelf.books.keys()]
  const symbol = symbols[(symbols.indexOf(auditor.last) + 1) % symbols.length]
  const book = symbol === undefined ? undefined : s.shelf.books.get(symbol)
  if (symbol === undefined || !book?.complete) return []
  auditor.last = symbol
  auditor.running = { symbol, base: copyOf(book), changes: [], askAt: now + MARGIN, asked: false, until: Infinity }
  return []
}

function askFor<S>({ audit }: Adapter<S>, s: State<S>, running: Audit, now: number): Effect[] {
  if (now < running.askAt) return []
  const need = audit?.(running.symbol, s.access)
  if (!need) s.auditor.running = undefined
  running.asked = true
  running.until = now + PATIENCE
  return need ? [{ type: 'need', need }] : []
}

/** The snapshot is here, or there will be none. */
export function audited<S>(
  adapter: Adapter<S>,
  s: State<S>,
  { symbol }: Need,
  answer: BookDelta | undefined,
  now: number
): Effect[] {
  const { running } = s.auditor
  if (!running || running.symbol !== symbol) return []
  if (!answer || answer.symbol !== symbol || !answer.snapshot) s.auditor.running = undefined
  else {
    running.answer = answer
    running.until = now + MARGIN
  }
  return judged(adapter, s, running, now)
}

function judged<S>(adapter: Adapter<S>, s: State<S>, running: Audit, now: number): Effect[] {
  const { auditor } = s
  const { symbol, answer } = running
  const book = s.shelf.books.get(symbol)
  const verdict = book ? verdictOf(running, book, now) : 'unknown'
  if (verdict === 'wait' && auditor.running) return []
  auditor.running = undefined
  if (!book || verdict === 'unknown' || verdict === 'wait') return []
  if (verdict.agrees) {
    auditor.strikes.delete(symbol)
    book.checked = now
    return [showAudited(adapter, s, symbol, book, verdict.now)]
  }
  const strikes = (auditor.strikes.get(symbol) ?? 0) + 1
  if (answer?.sequence === undefined && strikes < 2) {
    auditor.strikes.set(symbol, strikes)
    Object.assign(auditor, { nextAt: now + AGAIN, last: before(s, symbol) })
    return []
  }
  auditor.strikes.delete(symbol)
  return damaged(s, { kind: 'book', symbol, cause: 'checksum' }, now, `audit: ${verdict.what}`)
}

/** Whose turn is before this one's, so that this one is next. */
const before = <S>({ shelf }: State<S>, symbol: string): string => {
  const symbols = [...shelf.books.keys()]
  return symbols.at(symbols.indexOf(symbol) - 1) ?? ''
}

/** A book that nothing else proves is proven as it stands, until its next change. */
function showAudited<S>(adapter: Adapter<S>, s: State<S>, symbol: string, book: BookState, now: boolean): Effect {
  const { proven } = book
  if (now && s.settings.bookDepth <= DEPTH) book.proven = true
  const effect = show(adapter, s, symbol, book)
  book.proven = proven
  return effect
}
