/** A story. Its topics are `news:all` and `news:<instrument>` for each instrument it is about. */
import type { Stamp } from './stamp.ts'

/** `time` is when it was published; `instrument` is `all`. */
export type News = Stamp & {
  type: 'news'
  /** Stable: the source's guid, else the canonical link, else a hash of title and minute. A story told again under its id is an update. */
  id: string
  headline: string
  /** Plain text. */
  summary?: string
  url?: string
  author?: string
  /** Who wrote it, as in "Benzinga"; `provider` is who sent it. */
  source?: string
  image?: string
  categories?: readonly string[]
  /** The instruments it is about. */
  instruments: readonly string[]
  updated?: number
  /** It was there before we first looked: no alert is due. */
  backlog?: true
  /** The source gave no time: `time` is when we fetched it. */
  undated?: true
  /** From -1 (bearish) to 1 (bullish), as the source judges it. */
  sentiment?: number
  /** Per instrument. */
  sentiments?: Readonly<Record<string, number>>
}
