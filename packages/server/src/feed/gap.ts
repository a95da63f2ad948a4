/** What is known of one gap, and how it is told. */
import { topicName, type Gap, type GapFilled } from '@tickwire/protocol'
import type { ArbiterOutput } from '../arbiter/arbiter.ts'
import type { Lane } from '../arbiter/lane.ts'
import type { Piece } from '../arbiter/reigns.ts'

export type NamedGap = Gap & { id: string }
/** A gap with what became of it; `open` is also what nobody can fill. */
export type KnownGap = NamedGap & { state: 'open' | 'filled'; fills: GapFilled[]; why?: string }

/** One of the two streams that may miss something: the provider's own, and the one of whoever leads. */
type Side = {
  end?: number
  open: boolean
  /** It opened without an end. */
  lasts: boolean
}
export type Own = Side & { from: number; items: number }
/** Of the arbitrated stream: what of it is not filled yet, and how many trades each provider has told of it that no word speaks of. */
export type Missing = Side & { rest: Piece[]; items: Map<string, number> }
export type Open = {
  gap: NamedGap
  known: KnownGap
  /** `expected` is the number of a trade: no other span than that number's is about it. */
  numbered: boolean
  own: Own
  lane: Missing
  /** The last word about it, so that none is said twice. */
  said?: string
}

export type Gaps = {
  count: number
  /** How many were told of each provider. */
  told: Map<string, number>
  /** `kind:instrument` → what is open there. */
  open: Map<string, Open[]>
  /** Instrument → the last ones, oldest first: so many of the arbitrated stream's, and so many of providers' own. */
  known: Map<string, KnownGap[]>
}

export const openGaps = (): Gaps => ({ count: 0, told: new Map(), open: new Map(), known: new Map() })
export const gapsOf = ({ known }: Gaps, instrument: string): readonly KnownGap[] => known.get(instrument) ?? []

/** The lane, after the arbiter has judged. */
export type FindLane = (key: string) => Lane | undefined

export const keyOf = ({ kind, instrument }: Pick<Gap, 'kind' | 'instrument'>): string => `${kind}:${instrument}`

/** Nothing where the word before said the same; that what lasts has lasted longer is no news. */
export function tell(one: Open, gap: NamedGap = one.gap): ArbiterOutput[] {
  const said = JSON.stringify({ ...gap, time: 0, received: 0, to: gap.lasting ? 0 : gap.to })
  if (said === one.said) return []
  one.said = said
  return [{ topic: topicName('gap', gap.instrument), event: { ...gap } }]
}

/** The gap as the provider's own topic has it, where it ends at another time than the arbitrated stream's. */
export function ownOf({ gap, own }: Open, now: number): NamedGap {
  const { lasting: _, ...told } = gap
  const mine: NamedGap = { ...told, from: own.from, to: own.end ?? gap.to, time: now, received: now, own: true }
  if (own.lasts && own.end === undefined) mine.lasting = true
  return mine
}

/** More is known of it than when it was told. */
export function amend({ gap, known }: Open, more: Partial<NamedGap>): NamedGap {
  Object.assign(gap, more)
  Object.assign(known, more)
  return gap
}

/** It ends there. */
export function endAt(one: Open, to: number, now: number): NamedGap {
  delete one.gap.lasting
  delete one.known.lasting
  return amend(one, { to, time: now, received: now })
}
