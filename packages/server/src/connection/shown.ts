/** What readers are told of a book: its picture with how far it can be trusted, and that it is no longer to be trusted. */
import type { Adapter, BookDelta } from '../providers/adapter.ts'
import { top, type BookState } from './books.ts'
import type { BookPicture, Effect, Missing, State } from './connection.ts'
import { broken, damage } from './shelf.ts'

/** A checksum is over the ten best levels a side: deeper ones may have missed a change that it does not see. */
const SUMMED = 10

/** Whether the book is the provider's after this delta, unless the provider itself is wrong. */
export const proves = ({ books }: Pick<Adapter, 'books'>, delta: BookDelta, verified: boolean): boolean => {
  if (books === 'numbered') return true
  if (books === 'summed') return verified
  return books !== 'pieced' && delta.snapshot
}

/** The book as it is now, as good as it is proven. */
export function show<S>({ books }: Pick<Adapter, 'books'>, s: State<S>, symbol: string, book: BookState): Effect {
  const { bookDepth } = s.settings
  const state = book.proven ? 'valid' : 'suspect'
  const event: BookPicture = {
    type: 'book',
    symbol,
    time: book.time,
    bids: top(book.bids, bookDepth),
    asks: top(book.asks, bookDepth),
    state
  }
  if (book.sequence !== undefined) event.sequence = book.sequence
  if (book.verified) event.verified = true
  if (books === 'summed' && state === 'valid' && bookDepth > SUMMED) event.proven = SUMMED
  if (book.checked !== undefined) event.checked = book.checked
  s.shelf.shown.set(symbol, event)
  return { type: 'event', event }
}

/** What was told last, once more, but no longer as good. Nothing where readers know already. */
export function doubt<S>({ shelf }: State<S>, symbol: string, state: 'suspect' | 'stale'): Effect[] {
  const last = shelf.shown.get(symbol)
  if (!last || last.state === state || last.state === 'stale') return []
  const { proven: _, verified: __, ...levels } = last
  const event: BookPicture = { ...levels, state }
  shelf.shown.set(symbol, event)
  return [{ type: 'event', event }]
}

/** The connection is silent, closed or about to be left: none of its books stands as good any more. */
export const doubtAll = <S>(s: State<S>): Effect[] => [...s.shelf.shown.keys()].flatMap((symbol) => doubt(s, symbol, 'stale'))

/** The same connection speaks again: nothing was lost on it, so its books are what they were. */
export function trustAgain<S>(adapter: Adapter<S>, s: State<S>): Effect[] {
  return [...s.shelf.shown].flatMap(([symbol, { state }]) => {
    const book = s.shelf.books.get(symbol)
    return state === 'stale' && book ? [show(adapter, s, symbol, book)] : []
  })
}

/** The connection is gone, and its books with it. */
export function lose<S>(s: State<S>, now: number): Effect[] {
  for (const symbol of s.shelf.shown.keys()) broken(s.shelf, symbol, 'disconnect', now)
  return doubtAll(s)
}

/** The book is thrown away and asked for anew; `why` is for people. */
export function damaged<S>(s: State<S>, missing: Missing & { symbol: string }, now: number, why: string, own = false): Effect[] {
  const { symbol } = missing
  damage(s.shelf, symbol, now, own, why)
  return [{ type: 'gap', gap: missing, action: 'resync' }, ...doubt(s, symbol, 'suspect')]
}
