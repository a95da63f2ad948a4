/** How one book of one provider stands, and what came of a command: the words of the table that people read. */
import type { Book } from '@tickwire/protocol'
import type { BookState } from './books.ts'
import type { Record, Shelf } from './shelf.ts'

/** One book of one provider, as it stands. */
export type BookReport = {
  instrument: string
  provider: string
  state: 'syncing' | NonNullable<Book['state']>
  sequence?: number
  /** When it last agreed with a checksum or an audit, and how old what was published last is, milliseconds. */
  checked?: number
  age?: number
  levels: { bids: number; asks: number }
  resyncs: number
  /** Its last damage, and after how long it was whole again. */
  damage?: Record['damage']
}

/** What came of a command. */
export type Outcome = { outcome: 'healed' | 'failed' | 'timeout'; message: string; after: number }

/** Something that is looked at on every tick until it is so. */
export type Pending = { done: () => Omit<Outcome, 'after'> | undefined; since: number; resolve: (outcome: Outcome) => void }

/** The provider's book as it stands, or as it is awaited. */
export function reportOf(shelf: Shelf, symbol: string, now: number): Omit<BookReport, 'instrument' | 'provider'> {
  const book: BookState | undefined = shelf.books.get(symbol)
  const shown = shelf.shown.get(symbol)
  const { resyncs = 0, damage } = shelf.records.get(symbol) ?? {}
  const report: Omit<BookReport, 'instrument' | 'provider'> = {
    state: shown?.state === 'stale' ? 'stale' : book ? (shown?.state ?? 'syncing') : 'syncing',
    levels: { bids: book?.bids.length ?? 0, asks: book?.asks.length ?? 0 },
    resyncs
  }
  if (shown?.sequence !== undefined) report.sequence = shown.sequence
  const checked = book?.checked ?? shown?.checked
  if (checked !== undefined) report.checked = checked
  if (shown) report.age = Math.max(0, now - shown.time)
  if (damage) report.damage = damage
  return report
}
