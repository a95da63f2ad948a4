/** What a broker says of its user's own account. Sent only where the operator asked for it (`providers.<name>.account`). */
import type { Side, Stamp } from './stamp.ts'

/** What is held of one instrument; a quantity of 0 says that it was closed. */
export type Holding = Stamp & {
  type: 'position'
  account: string
  /** Negative: short. */
  quantity: number
  averagePrice?: number
  marketPrice?: number
  marketValue?: number
  unrealised?: number
  realised?: number
  currency?: string
}

/** The figures of one account; `instrument` is `all`. */
export type Account = Stamp & {
  type: 'account'
  account: string
  currency?: string
  /** By the broker's own names. */
  values: Readonly<Record<string, number>>
}

/** What became of an order. */
export type OrderUpdate = Stamp & {
  type: 'order'
  account: string
  id: string
  state: 'pending' | 'open' | 'partial' | 'filled' | 'cancelled' | 'rejected' | 'unknown'
  side: Side
  quantity: number
  filled: number
  price?: number
  averagePrice?: number
  /** The broker's own words. */
  reason?: string
}
