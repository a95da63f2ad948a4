/** A change of leader: what is published for it, and how often it may happen. */
import { topicName, type ArbitratedKind, type Gap, type MarketEvent, type Status } from '@tickwire/protocol'
import type { Targets } from './forecasts.ts'
import { isSound, standbys, type Lane, type Scene, type Source } from './lane.ts'
import { cut, reign, takes } from './reigns.ts'
import type { Weights } from './score.ts'

/** One kind of data of one instrument at one provider, at a time. */
export type Place = { now: number; provider: string; instrument: string; kind: ArbitratedKind }

/** An event for a topic of the plant, or an event of this provider that was refused. */
export type ArbiterOutput = { topic: string; event: MarketEvent } | { refused: string; provider: string }

export type ArbiterSettings = {
  /** Providers, the preferred first. */
  order: readonly string[]
  /** What each input is worth in the score. */
  weights: Weights
  /** A better provider leads again only after it was faultless, and the leader in office, for this long. */
  holdDown: number
  /** The leader is down for this long and there is no standby: an outage. */
  outageAfter: number
  /** `recorded`: times in the events are of another day, so their age says nothing. */
  times: 'live' | 'recorded'
  /** What the market of an instrument does, where it has hours: out of them silence is no fault. */
  market?: Scene['market']
  /** What confidence is held to, by class; those not named have the usual one. */
  targets?: Partial<Targets>
}

/** Switches within this time are remembered; each beyond the second doubles the patience with the leader. */
export const DAMPING_WINDOW = 60_000
/** Warm standbys that are told. */
export const STANDBYS = 2

/** Two switches a minute are free; each further one, but to one that is steady, needs a reason that lasts twice as long: so flapping cannot drive us. */
export function isAllowed(lane: Lane, now: number, downFor: number): boolean {
  while (lane.switches.length > 0 && now - lane.switches[0]! >= DAMPING_WINDOW) lane.switches.shift()
  const beyond = lane.switches.length - 2
  return beyond < 0 || downFor >= 1_000 * 2 ** beyond
}

/** Faultless for so long it is no flapper, which comes and goes. */
const STEADY = 5_000
export const isSteady = ({ cleanSince }: Source, now: number): boolean => now - (cleanSince ?? now) >= STEADY

/**
 * To whom a leader is left that failed though its connection stands: to one that is sound and steady at once, however often that
 * happened, so that only the way back is damped; to a flapper with patience; to one whose price is contradicted never.
 */
export function shelter(lane: Lane, scene: Scene, failedFor: number, among = standbys(lane, scene)): Source | undefined {
  const { now } = scene
  const sound = among.filter(isSound)
  return sound.find((source) => isSteady(source, now)) ?? (isAllowed(lane, now, failedFor) ? sound[0] : undefined)
}

/** To whom a leader is left that delivers nothing: as above, and rather to one that is contradicted than to nobody. */
export function refuge(lane: Lane, scene: Scene, downFor: number, among = standbys(lane, scene)): Source | undefined {
  const { now } = scene
  return (
    shelter(lane, scene, downFor, among) ??
    among.find((source) => isSteady(source, now)) ??
    (isAllowed(lane, now, downFor) ? among[0] : undefined)
  )
}

export type Change = Scene & { cause: Status['cause']; why: string }

export function lead(lane: Lane, next: Source, change: Change, outputs: ArbiterOutput[]): void {
  const { now, cause, why } = change
  const afterOutage = lane.outage
  const previous = lane.leader?.provider ?? lane.previous
  lane.leader = next
  lane.outage = false
  lane.previous = undefined
  lane.switchedAt = now
  if (cause !== 'first') lane.switches.push(now)
  const others = standbys(lane, change)
    .slice(0, STANDBYS)
    .map((s) => s.provider)
  const reason = `${next.provider} leads ${lane.kind} of ${lane.instrument}: ${why}`
  outputs.push(status(lane, next.provider, { standbys: others, cause, reason, now, leader: next.provider, previous }))
  // After an outage the new leader's next word is here already; of trades those before it are missing too.
  if (cause !== 'first' || (afterOutage && lane.kind === 'trade')) bridge(lane, next, change, outputs)
}

/** What the standby heard since the leader's last event closes the hole; at a failback there is none. */
function bridge(lane: Lane, next: Source, change: Change, outputs: ArbiterOutput[]): void {
  const { topic } = lane
  if (lane.kind !== 'trade') {
    const { last } = next
    if (last && last.type !== 'trade' && mayReplace(lane.shown, last, change))
      outputs.push({ topic, event: (lane.shown = { ...last }) })
  } else if (change.cause !== 'failback')
    for (const trade of next.recent) {
      // What it heard before it was without fault may not be all.
      if (trade.received >= (next.cleanSince ?? Infinity)) reign(lane.reigns, next.provider, trade.time)
      else takes(lane.reigns, trade, true)
      outputs.push({ topic, event: { ...trade, backfill: true } })
    }
  next.recent.length = 0
}

/** The leader that is left is whole: what readers have of it is good until the next word. */
const UNHARMED: ReadonlySet<Status['cause']> = new Set(['better', 'failback'])

/**
 * State goes forward in the market's time, each clock's offset taken off: else the next word of the new leader is awaited, which
 * comes soon. But orders of a leader that is dead, damaged or wrong stand no more, and what a live one said last stands until it
 * says another: its quote or book is shown at once, though it changed earlier. A ticker tells what was, so it never goes back.
 */
function mayReplace(shown: Lane['shown'], last: NonNullable<Lane['shown']>, { cause, offsets }: Change): boolean {
  if (!shown || (last.type !== 'ticker' && !UNHARMED.has(cause))) return true
  const at = ({ time, provider }: typeof last): number => time - (offsets.get(provider) ?? 0)
  return at(last) > at(shown) || (shown.type === 'book' && shown.state === 'stale')
}

/** The lane has no leader any more. */
export function leaderless(
  lane: Lane,
  old: Source,
  cause: 'outage' | 'silence' | 'unsubscribed',
  reason: string,
  now: number
): ArbiterOutput {
  lane.leader = undefined
  lane.previous = old.provider
  lane.outage = cause !== 'unsubscribed'
  return status(lane, old.provider, { standbys: [], cause, reason, now, previous: old.provider })
}

type Said = Pick<Status, 'standbys' | 'cause' | 'reason'> & {
  now: number
  leader?: string | undefined
  previous?: string | undefined
}

function status(lane: Lane, provider: string, said: Said): ArbiterOutput {
  const { kind, instrument } = lane
  const { now, standbys: others, cause, reason, leader, previous } = said
  const event: Status = { type: 'status', provider, instrument, time: now, received: now, kind, standbys: others, cause, reason }
  lane.reason = reason
  lane.rival = undefined
  if (leader !== undefined) event.leader = leader
  if (previous !== undefined) event.previous = previous
  return { topic: topicName('status', instrument, undefined, kind), event }
}

type Missing = Place & Pick<Gap, 'cause' | 'action' | 'expected' | 'got'> & { until?: number | undefined }
/** What a source has lost; if it leads, nobody delivers from there on. */
export function lose(lane: Lane, source: Source, { until, ...missing }: Missing): ArbiterOutput {
  const { now, provider, instrument, kind, cause, action, expected, got } = missing
  const { heard } = source.pulse
  const to = until ?? now
  const from = heard === -Infinity ? to : Math.min(heard, to)
  const leads = lane.leader ? lane.leader === source : lane.previous === provider
  if (leads && source.last?.type === 'trade') cut(lane.reigns, Math.min(source.last.time, to))
  const event: Gap = { type: 'gap', provider, instrument, time: now, received: now, kind, from, to, cause, action }
  if (expected !== undefined) event.expected = expected
  if (got !== undefined) event.got = got
  return { topic: topicName('gap', instrument), event }
}
