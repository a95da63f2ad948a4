/** The order in which past trades are told, the same whichever source has one; and which of them are one and the same. */
import type { Trade } from '@tickwire/protocol'

/**
 * Stamped by the plant where we published it; `run`: in which run of a server, by its epoch. `was`: what was told first of one that
 * was corrected since.
 */
export type PastTrade = Trade & { seq?: number; published?: number; run?: string; was?: { price: number; size: number } }

/** A place between two trades. */
export type Key = Readonly<Pick<Trade, 'time' | 'id' | 'provider' | 'received'> & { seq?: number }>

const text = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/**
 * By time; among trades of one time by id, as numbers where they are, then by who says so. What no provider numbers stands as we
 * heard it.
 */
export function compare(a: Key, b: Key): number {
  if (a.time !== b.time) return a.time - b.time
  const [mine, yours] = [a.id ?? '', b.id ?? '']
  return (
    mine.length - yours.length ||
    text(mine, yours) ||
    text(a.provider, b.provider) ||
    a.received - b.received ||
    (a.seq ?? 0) - (b.seq ?? 0)
  )
}

/** Without an id no two trades are the same, except that the journal and the memory have one by its number. */
export const nameOf = ({ id, provider, time, received, seq }: Key): string | undefined =>
  id !== undefined ? `${provider} ${id}` : seq === undefined ? undefined : `${seq} ${time} ${received}`

/** Sorted, each once: of two the first given counts. */
export function joined<T extends PastTrade>(...sources: readonly (readonly T[])[]): T[] {
  const known = new Set<string>()
  const rows = sources.flat().filter((row) => {
    const name = nameOf(row)
    if (name === undefined) return true
    if (known.has(name)) return false
    known.add(name)
    return true
  })
  return rows.sort(compare)
}

export const keyOf = ({ time, id, provider, received, seq }: PastTrade): Key => {
  const key: { -readonly [K in keyof Key]: Key[K] } = { time, provider, received }
  if (id !== undefined) key.id = id
  if (seq !== undefined) key.seq = seq
  return key
}
