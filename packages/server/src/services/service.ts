/** The contract of a service: a fold from events to events. run.ts hosts it: subscribes, and publishes what it returns. */
import type { Kind, MarketEvent } from '@tickwire/protocol'

/** A watermark says: no event of this instrument with a `time` before it is still expected. */
export type Watermark = { type: 'watermark'; instrument: string; time: number }
export type Input = MarketEvent | Watermark

/** An event and the topic it belongs on. */
export type Output = { topic: string; event: MarketEvent }

export type Service<State = unknown> = {
  name: string
  /** The arbitrated kinds it reads, of every instrument that is watched. */
  reads: readonly Exclude<Kind, 'provider'>[]
  open: () => State
  /** May change `state` in place. Equal inputs in equal order give equal outputs. */
  fold: (state: State, input: Input) => readonly Output[]
  /** Nobody watches the instrument any more: what is known of it would be stale when somebody does again. */
  forget?: (state: State, instrument: string) => void
}

export const service = <S>(s: Service<S>): Service<S> => s
