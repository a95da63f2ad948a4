/** How much of each topic is remembered: of state the newest, of events `count`. Pure. */
import { isPureState, type MarketEvent } from '@tickwire/protocol'

/** Most of a candle topic is the forming one, told again and again; the closed ones are with the service that made them. */
const CANDLES = 100

export const keepFor =
  (count: number) =>
  (event: MarketEvent): number =>
    isPureState(event) ? 1 : event.type === 'candle' ? Math.min(count, CANDLES) : count
