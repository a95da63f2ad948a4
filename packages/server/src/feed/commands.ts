/** What a person asks of the feed: a book anew, a connection anew; each is answered once it is healed, failed or too late. */
import type { Book } from '@tickwire/protocol'
import { keyOf } from './asks.ts'
import type { Hub } from './hub.ts'
import type { Shop, Slot } from './connections.ts'
import type { BookState } from './books.ts'
import type { Record } from './shelf.ts'

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

/** A command is not waited for longer. */
const PATIENCE = 10_000

/** The provider's book as it stands, or as it is awaited. */
export function reportOf({ state: { shelf } }: Slot, symbol: string, now: number): Omit<BookReport, 'instrument' | 'provider'> {
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

/** All books of a provider's connections, by its own symbols. */
export function booksOf(shop: Shop, now: number): (Omit<BookReport, 'instrument' | 'provider'> & { symbol: string })[] {
  return [...shop.where].flatMap(([key, slot]) => {
    const wanted = slot.wanted.get(key)
    return wanted?.kind === 'book' ? [{ symbol: wanted.symbol, ...reportOf(slot, wanted.symbol, now) }] : []
  })
}

export const slotOf = ({ where }: Shop, symbol: string): Slot | undefined => where.get(keyOf({ kind: 'book', symbol }))

/** Of this instrument, or of all, of every provider that is asked for it. */
export function books(hub: Hub, instrument?: string): BookReport[] {
  const now = hub.clock()
  return [...hub.providers].flatMap(([provider, { pool }]) =>
    pool.books(now).flatMap(({ symbol, ...report }) => {
      const found = hub.instruments.instrumentOf(provider, symbol)
      return found === undefined || (instrument ?? found) !== found ? [] : [{ instrument: found, provider, ...report }]
    })
  )
}

const wait = (hub: Hub, done: Pending['done']): Promise<Outcome> =>
  new Promise((resolve) => void hub.pending.add({ done, since: hub.clock(), resolve }))

const failed = (message: string): Promise<Outcome> => Promise.resolve({ outcome: 'failed', message, after: 0 })

/** The book of one provider is thrown away and asked for anew; all else goes on. */
export function resync(hub: Hub, instrument: string, provider: string): Promise<Outcome> {
  const pool = hub.providers.get(provider)?.pool
  const symbol = hub.instruments.symbolOf(provider, instrument)
  const name = `the book of ${instrument} at ${provider}`
  if (!pool || symbol === undefined || !pool.resync(symbol)) return failed(`${name} is not asked for now`)
  return wait(hub, () => {
    const record = pool.record(symbol)
    if (record === 'gone') return { outcome: 'failed', message: `${name} is not asked for any more` }
    if (record.brokenAt !== undefined) return undefined
    return { outcome: 'healed', message: `${name} is whole again` }
  })
}

/** All connections of a provider are renewed, the new one first where the provider allows two. */
export function reconnect(hub: Hub, provider: string): Promise<Outcome> {
  const pool = hub.providers.get(provider)?.pool
  const renewed = pool?.renew('asked for') ?? 0
  if (!pool || renewed === 0) return failed(`${provider} has no open connection`)
  return wait(hub, () => (pool.renewing() ? undefined : { outcome: 'healed', message: `${provider}: ${renewed} renewed` }))
}

/** To be called on every tick. */
export function settleDue({ pending, clock }: Hub): void {
  for (const each of pending) {
    const after = clock() - each.since
    const outcome =
      each.done() ??
      (after >= PATIENCE ? { outcome: 'timeout' as const, message: `nothing came of it in ${PATIENCE / 1_000} s` } : undefined)
    if (!outcome) continue
    pending.delete(each)
    each.resolve({ ...outcome, after })
  }
}
