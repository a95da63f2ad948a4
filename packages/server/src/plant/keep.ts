/** How much of each topic is remembered: of state the newest, of events `count`. Pure. */
import { COUNTED_KINDS, isPureState, type Kind, type MarketEvent } from '@tickwire/protocol'

/** Most of a candle topic is the forming one, told again and again; the closed ones are with the service that made them. */
const CANDLES = 100
/** Of statuses and halts each counts, and few come: a reader that was away for a while is told them all. */
const COUNTED_STATE = 100

export const keepFor =
  (count: number) =>
  (event: MarketEvent): number => {
    if (event.type === 'candle') return Math.min(count, CANDLES)
    if (!isPureState(event)) return count
    return COUNTED_KINDS.has(event.type as Kind) ? Math.min(count, COUNTED_STATE) : 1
  }
