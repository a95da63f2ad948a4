/** The invariants: each is told what happens and says what is wrong. Pure, so that a tampered log shows that each can fail. */
import {
  ARBITRATED_KINDS,
  isPureState,
  type ArbitratedKind,
  type Book,
  type Candle,
  type Level,
  type Published,
  type Status
} from '@tickwire/protocol'
import { createFold } from './fold.ts'
import { createReigns } from './reigns.ts'
import type { Truth } from './truth.ts'
import { createWhole } from './whole.ts'

export const INVARIANTS = {
  sequence: 'per client and topic sequences rise, and what is missing between them was announced',
  delivery: 'a client is given what the plant published, and nothing else',
  invention: 'no price, size or id comes out that its provider did not send',
  book: "a book published as valid is its provider's book, and never an older one than before",
  candle: 'a closed candle is the fold of the admitted trades',
  reign: 'no time of the arbitrated trades is told of by two providers, and no candle is whole over an open gap',
  leader: 'the events of a lane come from its leader, who has a connection; one who has none is left',
  queue: 'what waits for a client stays within its bound',
  limits: 'no provider is dialled, sent or asked more than it allows, nor asked while it wants quiet',
  defect: 'nothing throws',
  gap: 'after calm no gap is open without a reason, and new candles are whole',
  liveness: 'after 30 s of calm every provider is live and every client is up to date'
} as const
export type Invariant = keyof typeof INVARIANTS
export type Complain = (invariant: Invariant, what: string) => void

const ARBITRATED: ReadonlySet<Published['type']> = new Set(ARBITRATED_KINDS)

/** What a client was told of holes, and where it stands. */
type Stand = { seen: number; excused: number }

const sameEvent = (a: Published, b: Published): boolean =>
  a.type === b.type && a.time === b.time && a.provider === b.provider && a.published === b.published && sameValue(a, b)

/** Field by field: it is asked for each event of each client. */
function sameValue(a: Published, b: Published): boolean {
  if (a.type === 'trade' && b.type === 'trade') return a.id === b.id && a.price === b.price && a.size === b.size
  if (a.type === 'quote' && b.type === 'quote')
    return a.bid === b.bid && a.bidSize === b.bidSize && a.ask === b.ask && a.askSize === b.askSize
  if (a.type === 'book' && b.type === 'book') return sameLevels(a.bids, b.bids) && sameLevels(a.asks, b.asks)
  return valueOf(a) === valueOf(b)
}

const sameLevels = (a: readonly Level[], b: readonly Level[]): boolean =>
  a.length === b.length && a.every(([price, size], at) => b[at]?.[0] === price && b[at][1] === size)

function valueOf(event: Published): string {
  if (event.type === 'trade') return `${event.id} ${event.price} ${event.size}`
  if (event.type === 'quote') return `${event.bid} ${event.bidSize} ${event.ask} ${event.askSize}`
  if (event.type === 'candle') return `${event.start} ${event.close} ${event.volume} ${event.revision}`
  return event.type === 'book' ? `${event.bids.join(' ')} ${event.asks.join(' ')}` : ''
}

export function createChecks(truth: Truth, complain: Complain) {
  const plant = createPlantChecks(truth, complain)
  const clients = createClientChecks(complain)
  return { ...plant, ...clients }
}

/** Told as what it is, old: it needs neither a leader nor a connection. */
const isOld = (event: Published): boolean =>
  (event.type === 'trade' && event.backfill === true) || (event.type === 'book' && !isValid(event))

const isValid = ({ state }: Book): boolean => state === undefined || state === 'valid'

/** Over what the plant publishes. */
function createPlantChecks(truth: Truth, complain: Complain) {
  const leaders = new Map<string, string | undefined>()
  const switched = new Map<string, number[]>()
  const books = new Map<string, number>()
  const candles = new Map<string, Candle>()
  /** Providers whose books carry checksums: one that was not verified claims nothing. */
  const verified = new Set<string>()
  const liveAt = new Map<string, number>()
  const fold = createFold()
  const whole = createWhole()
  const reigns = createReigns()

  const book = (event: Published<Book>): void => {
    if (!isValid(event)) return
    if (event.verified) verified.add(event.provider)
    else if (verified.has(event.provider)) return
    // The lane changes its source; each source's own topic does not.
    if (!event.topic.includes('@')) return
    const at = truth.bookOf(event, books.get(event.topic) ?? 0)
    if (at < 0) complain('book', `${event.topic} ${event.seq} is no book of ${event.provider} since its last one`)
    else books.set(event.topic, at)
  }
  const lead = (event: Published<Status>): void => {
    const lane = `${event.kind}:${event.instrument}`
    leaders.set(lane, event.leader)
    switched.set(lane, [...(switched.get(lane) ?? []), event.published])
  }
  const value = (event: Published): void => {
    if (event.type === 'trade' && !truth.hasTrade(event))
      complain('invention', `${event.topic} ${event.seq}: ${event.provider} sent no trade ${valueOf(event)}`)
    if (event.type === 'quote' && !truth.hasQuote(event))
      complain('invention', `${event.topic} ${event.seq}: ${event.provider} sent no quote ${valueOf(event)}`)
  }
  const candle = (event: Published<Candle>): void => {
    if (event.interval === '1m' && event.closed) candles.set(`${event.instrument} ${event.start}`, event)
  }

  return {
    leaders,
    /** When a provider last said that it is live. */
    liveAt: (provider: string): number => liveAt.get(provider) ?? -Infinity,
    /** Changes of a lane's leader since then. */
    switchesSince: (lane: string, since: number): number => (switched.get(lane) ?? []).filter((at) => at >= since).length,

    published(event: Published, hasLink: (provider: string) => boolean): void {
      whole.published(event)
      const wrong = reigns.published(event)
      if (wrong !== undefined) complain('reign', wrong)
      if (event.type === 'status') return lead(event)
      if (event.type === 'provider' && event.phase === 'live') liveAt.set(event.provider, event.published)
      value(event)
      if (event.type === 'book') book(event)
      if (event.type === 'candle') candle(event)
      const isLane = ARBITRATED.has(event.type) && !event.topic.includes('@')
      if (!isLane) return
      if (event.type === 'trade') fold.add(event)
      const lane = `${event.type as ArbitratedKind}:${event.instrument}`
      // A fill of a gap is of whoever had it, a book called stale of whoever led; both say so.
      if (isOld(event)) return
      if (event.provider !== leaders.get(lane))
        complain('leader', `${event.topic} ${event.seq} is of ${event.provider}, and ${String(leaders.get(lane))} leads`)
      else if (!hasLink(event.provider))
        complain('leader', `${event.topic} ${event.seq} is of ${event.provider}, which has no connection`)
    },

    /** It has been calm for long enough. */
    wholeBy(now: number): void {
      for (const complaint of whole.broken(now)) complain('gap', complaint)
    },

    /** Candles that should be told by now. */
    foldedBy(before: number): void {
      for (const complaint of fold.compare(candles, before)) complain('candle', complaint)
    }
  }
}

/** Over what each client is given. */
function createClientChecks(complain: Complain) {
  const stands = new Map<string, Stand>()
  /** By topic and sequence. */
  const published = new Map<string, Map<number, Published>>()
  const standOf = (person: string, topic: string): Stand => {
    const key = `${person} ${topic}`
    let stand = stands.get(key)
    if (!stand) stands.set(key, (stand = { seen: 0, excused: 0 }))
    return stand
  }
  return {
    /** What the plant published, to compare. */
    remember(event: Published): void {
      let all = published.get(event.topic)
      if (!all) published.set(event.topic, (all = new Map()))
      all.set(event.seq, event)
    },

    delivered(person: string, event: Published): void {
      const { topic, seq } = event
      const stand = standOf(person, topic)
      const known = published.get(topic)?.get(seq)
      if (!known || !sameEvent(event, known))
        complain('delivery', `${person} was given ${topic} ${seq}, which was not published so`)
      if (seq <= stand.seen) complain('sequence', `${person} was given ${topic} ${seq} after ${stand.seen}`)
      const hole = stand.seen > 0 && seq > Math.max(stand.seen, stand.excused) + 1
      if (hole && !isPureState(event) && event.type !== 'candle')
        complain('sequence', `${person} was given ${topic} ${seq} after ${stand.seen}, and not told of what is missing`)
      stand.seen = seq
    },

    /** It was told that it misses what is up to `to`. */
    excuse(person: string, topic: string, to: number): void {
      const stand = standOf(person, topic)
      stand.excused = Math.max(stand.excused, to)
    },

    seen: (person: string, topic: string): number => standOf(person, topic).seen
  }
}
