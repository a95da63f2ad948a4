/** Past trades as they are true now: what a correction or a cancel that was told of one later makes of it. */
import type { Correction, Published } from '@tickwire/protocol'
import type { TradeColumns } from '../journal/journal.ts'
import type { PastTrade } from './order.ts'

type Truth = NonNullable<Correction['corrected']>
/** What became of a trade, under all ids that it ever had. */
type Fate = { id: string; truth: Truth | 'cancelled'; by: HeardCorrection[] }
export type HeardCorrection = Published<Correction>
export type Fates = ReadonlyMap<string, Fate>

const keyOf = (provider: string, id: string): string => `${provider} ${id}`
const isUsable = (truth: Truth): boolean => Number.isFinite(truth.price) && Number.isFinite(truth.size)

function truthOf({ action, corrected }: Correction): Fate['truth'] | undefined {
  if (action === 'cancel') return 'cancelled'
  return corrected && isUsable(corrected) ? corrected : undefined
}

/** Told of in the order in which we heard them. A trade that was cancelled stays so; a correction of a correction is one of the trade. */
export function fatesOf(corrections: readonly HeardCorrection[]): Fates {
  const fates = new Map<string, Fate>()
  for (const correction of corrections) {
    const truth = truthOf(correction)
    const { provider, id, corrected } = correction
    const fate = fates.get(keyOf(provider, id)) ?? { id, truth: truth ?? 'cancelled', by: [] }
    if (!truth || (fate.by.length > 0 && fate.truth === 'cancelled')) continue
    fate.truth = truth
    fate.by.push(correction)
    fates.set(keyOf(provider, id), fate)
    if (corrected?.id === undefined) continue
    const later = fates.get(keyOf(provider, corrected.id))
    // What corrects this correction was heard before it.
    if (later && later !== fate) {
      fate.truth = later.truth
      fate.by.push(...later.by)
      for (const [key, each] of fates) if (each === later) fates.set(key, fate)
    }
    fates.set(keyOf(provider, corrected.id), fate)
  }
  return fates
}

export const fateOf = (fates: Fates, { provider, id }: PastTrade): Fate | undefined =>
  fates.size === 0 || id === undefined ? undefined : fates.get(keyOf(provider, id))

/** A corrected trade keeps its place, its time and the id by which it was told first; `was` is what was told then. */
function corrected<T extends PastTrade>(trade: T, { price, size, conditions }: Truth): T {
  const now: T = { ...trade, price, size }
  if (conditions) now.conditions = conditions
  if (price !== trade.price || size !== trade.size) now.was = { price: trade.price, size: trade.size }
  return now
}

/** Without those that were cancelled; and what was told of these trades. */
export function amended<T extends PastTrade>(rows: readonly T[], fates: Fates): { trades: T[]; corrections: HeardCorrection[] } {
  if (fates.size === 0) return { trades: [...rows], corrections: [] }
  const ids = new Set(rows.map(({ provider, id = '' }) => keyOf(provider, id)))
  const by = new Set<HeardCorrection>()
  const trades = rows.flatMap((row) => {
    const fate = fateOf(fates, row)
    if (!fate) return [row]
    for (const each of fate.by) by.add(each)
    // Who tells the past may tell the trade under the id that the correction gave it.
    const isTwice = fate.id !== row.id && ids.has(keyOf(row.provider, fate.id))
    return isTwice || fate.truth === 'cancelled' ? [] : [corrected(row, fate.truth)]
  })
  return { trades, corrections: [...by] }
}

/** By place; undefined: it never was. */
export type Changes = ReadonlyMap<string, Pick<Truth, 'price' | 'size'> | undefined>

/** Columns with what is true now; a trade that never was has a price that is no number, which nobody counts. */
export function changed(columns: TradeColumns, changes: Changes, nameAt: (at: number) => string): TradeColumns {
  if (changes.size === 0) return columns
  const price = columns.price.slice()
  const size = columns.size.slice()
  for (let i = 0; i < columns.count; i++) {
    const name = nameAt(i)
    if (!changes.has(name)) continue
    const truth = changes.get(name)
    price[i] = truth?.price ?? Number.NaN
    size[i] = truth?.size ?? Number.NaN
  }
  return { ...columns, price, size }
}
