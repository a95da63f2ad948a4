/** What the attack on a provider needs to know of it. */
import type { Frame } from '../../src/providers/adapter.ts'
import type { Malformed } from './hostile.kinds.ts'
import type { Road } from './hostile.roads.ts'

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
