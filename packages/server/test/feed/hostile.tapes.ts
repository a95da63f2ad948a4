/** A tape for each provider of the map: what it sends when it is well, what it may send when it is not, and the road of both. */
import type { Frame } from '../../src/providers/adapter.ts'
import { answering } from './hostile.answers.ts'
import { malformed, type Malformed } from './hostile.kinds.ts'
import { packed } from './hostile.packed.ts'
import { socketRoad, type Road } from './hostile.roads.ts'
import { SPOKEN, type Spoken } from './hostile.spoken.ts'

export type Tape = {
  provider: string
  what: string
  good: (n: number) => Frame
  malformed: () => readonly Malformed[]
  road: () => Promise<Road>
  /** Fewer than 60 where a form has no more ways to be wrong. */
  least?: number
  /** What its form cannot tell from silence: nothing comes of it, and nothing is counted. */
  silent?: ReadonlySet<string>
  /** What it leaves out when it is well too: it comes through at the time at which it was heard. */
  through?: ReadonlySet<string>
  /** Refusals in the provider's own words count too: an error page in place of an answer. */
  rejects?: true
  /** The number of the next good one after this, where it is not 2. */
  next?: (malformed: Frame) => number
}

function spoken(provider: string, tape: Spoken): Tape {
  const { symbol, trade, sequence, price, size, time, name } = tape
  return {
    provider,
    what: 'JSON on a socket',
    good: (n) => JSON.stringify(trade(n)),
    malformed: () => malformed(trade(1), { price, size, time, name }),
    road: () => socketRoad({ provider, symbol, kind: 'trade' }),
    ...(tape.through && { through: tape.through }),
    next: (frame) => (sequence === undefined || usesUp(String(frame), sequence) ? 2 : 1)
  }
}

function usesUp(text: string, sequence: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object' && text.includes(`"${sequence}":`)
  } catch {
    return false
  }
}

export const tapes: readonly Tape[] = [
  ...Object.entries(SPOKEN).map(([provider, tape]) => spoken(provider, tape)),
  ...packed,
  ...answering
]
