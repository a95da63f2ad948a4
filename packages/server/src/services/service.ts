/** The contract of a service: a fold from events to events. run.ts hosts it: subscribes, and publishes what it returns. */
import type { Kind, MarketEvent } from '@tickwire/protocol'

/** A watermark says: no event of this instrument with a `time` before it is still expected. */
export type Watermark = { type: 'watermark'; instrument: string; time: number }
export type Input = MarketEvent | Watermark

/** An event and the topic it belongs on. */
export type Output = { topic: string; event: MarketEvent }

export type Service<State = unknown> = {
  name: string
  /** The arbitrated kinds it reads. */
  reads: readonly Kind[]
  open: () => State
  fold: (state: State, input: Input) => readonly Output[]
}

export const service = <S>(s: Service<S>): Service<S> => s
