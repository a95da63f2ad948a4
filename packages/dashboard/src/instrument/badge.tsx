/** How a book stands: whether it is by all we know its provider's, and when that was last checked. */
import type { Book, Published } from '@tickwire/client'
import { serverNow } from '../model/clock.ts'
import { age, clockTime } from '../model/format.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'

export const BOOK_LOOKS = {
  syncing: { tone: 'text-muted', light: 'bg-muted', words: 'It is being asked for' },
  valid: { tone: 'text-up', light: 'bg-up', words: 'By all we know this is its provider’s book' },
  suspect: {
    tone: 'text-amber',
    light: 'bg-amber',
    words: 'Nothing proves it, or something speaks against it: it is being checked'
  },
  stale: { tone: 'text-down', light: 'bg-down', words: 'Its connection is silent or down: this is how it was' }
} as const

/** Whole seconds, so that the badge does not flicker. */
const ago = (ms: number): string => age(Math.round(Math.max(0, ms) / 1_000) * 1_000).replace('.0', '')

export function Badge({ book }: { book: Published<Book> }) {
  useBeat(CLOCK, 1_000)
  const { state, checked, provider, verified, sequence, proven } = book
  const look = state && BOOK_LOOKS[state]
  const title = [
    look?.words,
    verified && 'this very state matched the provider’s checksum',
    checked !== undefined && `last agreed with a checksum or a snapshot at ${clockTime(checked)}`,
    proven !== undefined && `proven for the best ${proven} levels`,
    sequence !== undefined && `sequence ${sequence}`
  ]
  return (
    <span
      className="ml-auto flex min-w-0 items-center gap-1.5 text-[11px] whitespace-nowrap text-muted"
      title={title.filter(Boolean).join('; ')}
    >
      <span className="truncate">{provider}</span>
      {look && (
        <span data-testid="book-state" data-state={state} className={`inline-flex items-center gap-1 ${look.tone}`}>
          <span aria-hidden className={`size-1.5 rounded-full ${look.light}`} />
          {state}
        </span>
      )}
      {state === 'stale' ? (
        <span>{`as of ${clockTime(book.time)}`}</span>
      ) : (
        checked !== undefined && <span>{`checked ${ago(serverNow() - checked)} ago`}</span>
      )}
    </span>
  )
}
