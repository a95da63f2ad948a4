/** When a connection is to be renewed: before its provider or its token ends it, or at a time of day. */
import type { Adapter } from '../providers/adapter.ts'
import type { State } from './connection.ts'

/** A token this near its end is used up: rotating again and again with it would help nobody, the next one may be there at its end. */
const NEAR_END = 600_000
/** When to rotate: between 80 and 90 % of what is left, so that connections opened together do not rotate together. */
export function endOf<S>(adapter: Adapter<S>, { access }: State<S>, now: number, random: () => number): number {
  const share = 0.8 + 0.1 * random()
  const expiry = adapter.expires?.(access) ?? Infinity
  const left = expiry - now
  const token = left <= 0 ? Infinity : left < NEAR_END || left === Infinity ? expiry : now + left * share
  return Math.min(token, now + (adapter.lifetime ?? Infinity) * share)
}

const DAY = 86_400_000
/** When it is `time` (ms since midnight, UTC) the next time after `now`. */
export const nextAt = (time: number, now: number): number => now + ((((time - now) % DAY) + DAY) % DAY || DAY)
