/** The judgement of one lane on a tick: is its leader down, silent, or no longer the best? */
import { isTrading } from '../calendar/calendar.ts'
import {
  isSound,
  latencyOf,
  preference,
  ranked,
  rankOf,
  scoresOf,
  standbys,
  type Lane,
  type Scene,
  type Scored,
  type Source
} from './lane.ts'
import { isAllowed, lead, leaderless, lose, refuge, shelter, type ArbiterOutput, type ArbiterSettings } from './lead.ts'
import { seconds } from './liveness.ts'
import { muteLimit, silenceLimit, usualInterval, type Pulse } from './pulse.ts'

/** What is known at this tick. `silence`: whether silence may be judged. */
export type Bench = Scene & { settings: ArbiterSettings; silence: boolean }
/** Where the market has hours, silence is counted from their beginning. */
type Watch = Bench & { opened: number }

export function judge(lane: Lane, bench: Bench, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  if (!leader) return
  if (leader.state !== 'live') replaceDown(lane, leader, bench, outputs)
  else if (!isSilentLeaderReplaced(lane, leader, bench, outputs)) reconsider(lane, leader, bench, outputs)
}

/** In a halt, and while its market is closed or quiet, nobody needs to speak. */
function isSilentLeaderReplaced(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): boolean {
  const market = bench.market?.(lane.instrument, bench.now)
  if (!bench.silence || bench.halts.has(lane.instrument) || (market && !isTrading(market))) return false
  return replaceSilent(lane, leader, { ...bench, opened: market?.since ?? -Infinity }, outputs)
}

function replaceDown(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): void {
  const { now, silence, settings } = bench
  const downFor = now - leader.downSince
  const down = `${leader.provider} is down for ${seconds(downFor)}`
  const next = refuge(lane, bench, downFor)
  if (next) lead(lane, next, { ...bench, cause: 'closed', why: down }, outputs)
  else if (silence && downFor >= settings.outageAfter && standbys(lane, bench).length === 0)
    outputs.push(leaderless(lane, leader, 'outage', `nobody delivers: ${down} and there is no standby that speaks`, now))
}

type Silence = { pulse: Pulse; all: boolean; lasts: number }

/** A provider that is silent on all instruments is noticed even where this one alone is thin. */
function silenceOf(
  { provider, pulse }: Source,
  { pulses, now, opened }: Watch,
  limit: (pulse: Pulse) => number
): Silence | undefined {
  const whole = pulses.get(provider) ?? pulse
  const silentFor = ({ heard }: Pulse): number => now - Math.max(heard, opened)
  if (silentFor(whole) > limit(whole)) return { pulse: whole, all: true, lasts: silentFor(whole) }
  return silentFor(pulse) > limit(pulse) ? { pulse, all: false, lasts: silentFor(pulse) } : undefined
}

const describe = ({ provider }: Source, { pulse, all, lasts }: Silence): string =>
  `${provider} said nothing${all ? ' at all' : ''} for ${seconds(lasts)} (usually speaks within ${seconds(usualInterval(pulse))})`

/** True when the lane has another leader now, or none. */
function replaceSilent(lane: Lane, leader: Source, bench: Watch, outputs: ArbiterOutput[]): boolean {
  const { now } = bench
  const silence = silenceOf(leader, bench, silenceLimit)
  if (!silence) return false
  // Where another source spoke meanwhile the market is not quiet: one of them has failed.
  const speaking = standbys(lane, bench).filter((s) => s.pulse.heard > silence.pulse.heard)
  if (speaking.length === 0) return giveUpMute(lane, leader, bench, outputs)
  const next = refuge(lane, bench, silence.lasts - silenceLimit(silence.pulse), speaking)
  if (!next) return false
  const { provider } = leader
  const why = `${describe(leader, silence)} while ${next.provider} spoke ${seconds(now - next.pulse.heard)} ago`
  leader.cleanSince = undefined
  const place = { now, provider, instrument: lane.instrument, kind: lane.kind }
  outputs.push(lose(lane, leader, { ...place, cause: 'silence', action: 'failover' }))
  lead(lane, next, { ...bench, cause: 'silence', why }, outputs)
  return true
}

/** Nobody is better, but readers must know that the price they see grows old. No gap: nothing is known to be missing. */
function giveUpMute(lane: Lane, leader: Source, bench: Watch, outputs: ArbiterOutput[]): boolean {
  const silence = silenceOf(leader, bench, muteLimit)
  if (!silence) return false
  leader.cleanSince = undefined
  const reason = `nobody delivers ${lane.kind} of ${lane.instrument}: ${describe(leader, silence)}, ${restOf(lane, leader, silence, bench)}`
  outputs.push(leaderless(lane, leader, 'silence', reason, bench.now))
  return true
}

/** What the others did meanwhile: a thin one may be as alive as ever. */
function restOf(lane: Lane, leader: Source, { pulse }: Silence, bench: Bench): string {
  const others = [...lane.sources.values()].filter((source) => source !== leader && source.pulse.heard > pulse.heard)
  const last = others.sort((a, b) => b.pulse.heard - a.pulse.heard)[0]
  if (last) return `and ${last.provider}, the last to speak, did so ${seconds(bench.now - last.pulse.heard)} ago`
  const live = standbys(lane, bench).map(({ provider }) => provider)
  if (live.length === 0) return 'nor did anyone else since'
  return `nor did ${live.join(', ')} since, though live: ${live.length === 1 ? 'it speaks' : 'they speak'} seldom`
}

/** How often it is asked whether another one is better: scores move slowly. */
const WEIGH_EVERY = 500
/** Points of the score by which another must be ahead, and for how long; half of it behind still leads again as the preferred one. */
const CLEAR = { by: 0.1, for: 3_000 } as const
/** Milliseconds by which another's events come sooner, and for how long, until the operator's preference counts no more. */
const FRESHER = { by: 300, for: 5_000 } as const
/** Ticks come about this often. */
const TICK = 100
/** The others have refused its price for this long. */
const REFUSED_FOR = 2_000

function reconsider(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): void {
  const { now } = bench
  const isDue = now - lane.weighedAt >= WEIGH_EVERY
  if (!isDue && !mayFailBack(lane, leader, bench)) return
  if (isDue) lane.weighedAt = now
  const next = ranked(lane, bench).filter(({ source }) => isSound(source))
  const mine = next.length === 0 ? undefined : scoresOf(lane, bench).find(({ source }) => source === leader)
  if (!mine || leaveRefused(lane, leader, next, bench, outputs)) return
  if (!failBack(lane, mine, next, bench, outputs) && isDue) preferBetter(lane, mine, next, bench, outputs)
}

const isProven = ({ cleanSince }: Source, { now, settings }: Bench): boolean => now - (cleanSince ?? now) >= settings.holdDown

/** Someone preferred has just been faultless for long enough: asked on each tick, so it costs next to nothing. */
function mayFailBack(lane: Lane, leader: Source, bench: Bench): boolean {
  const { order, now, settings } = bench
  if (now - lane.switchedAt < settings.holdDown || order[0] === leader.provider) return false
  const mine = preference(order, leader.provider)
  for (const source of lane.sources.values())
    if (preference(order, source.provider) < mine && isProven(source, bench) && !isProven(source, { ...bench, now: now - TICK }))
      return true
  return false
}

/** The leader's price keeps away from what the others agree on. */
function leaveRefused(lane: Lane, leader: Source, others: Scored[], bench: Bench, outputs: ArbiterOutput[]): boolean {
  const { now } = bench
  const since = leader.voice.refusedSince
  if (since === undefined || now - since < REFUSED_FOR) return false
  const among = others.map(({ source }) => source)
  const next = shelter(lane, bench, now - since - REFUSED_FOR, among)
  if (!next) return false
  leader.cleanSince = undefined
  const why = `the others refuse the price of ${leader.provider} for ${seconds(now - since)}`
  lead(lane, next, { ...bench, cause: 'outlier', why }, outputs)
  return true
}

function failBack(lane: Lane, mine: Scored, others: Scored[], bench: Bench, outputs: ArbiterOutput[]): boolean {
  const { order, now, settings } = bench
  if (now - lane.switchedAt < settings.holdDown) return false
  const leader = mine.source.provider
  // Against the best, not against the leader alone: whoever is clearly behind anybody would lose the lead again within seconds.
  const all = [mine, ...others]
  const isNear = (each: Scored) =>
    all.every((o) => each.score >= o.score - CLEAR.by / 2 && rankOf(each, bench) >= rankOf(o, bench) - CLEAR.by / 2)
  const isBetter = (each: Scored) => preference(order, each.source.provider) < preference(order, leader) && isNear(each)
  const better = others
    .filter((each) => isProven(each.source, bench) && isBetter(each))
    .sort((a, b) => preference(order, a.source.provider) - preference(order, b.source.provider))[0]?.source
  if (better?.cleanSince === undefined) return false
  const why = `it is preferred to ${leader} and was faultless for ${seconds(now - better.cleanSince)}`
  lead(lane, better, { ...bench, cause: 'failback', why }, outputs)
  return true
}

/** By a margin and for a time, so that two of a kind do not take turns; or by being fresher, whoever is preferred. */
function preferBetter(lane: Lane, mine: Scored, others: Scored[], bench: Bench, outputs: ArbiterOutput[]): void {
  const { now } = bench
  const [first] = others
  const isClear = first !== undefined && rankOf(first, bench) >= rankOf(mine, bench) + CLEAR.by
  const best = isClear ? first : others.find((each) => isFresher(each, mine, bench))
  if (!best) {
    lane.rival = undefined
    return
  }
  const { provider } = best.source
  if (lane.rival?.provider !== provider) lane.rival = { provider, since: now }
  const ahead = now - lane.rival.since
  const patience = isClear ? CLEAR.for : FRESHER.for
  if (ahead < patience || !isAllowed(lane, now, ahead - patience)) return
  mine.source.cleanSince = undefined
  const why = `it scores ${best.score.toFixed(2)} against ${mine.score.toFixed(2)} of ${mine.source.provider} for ${seconds(ahead)}, ${weakness(mine, best)}`
  lead(lane, best.source, { ...bench, cause: 'better', why }, outputs)
}

/** Its events come so much sooner that no preference makes up for it, and it is no worse otherwise. */
function isFresher(each: Scored, mine: Scored, bench: Bench): boolean {
  const [its, own] = [latencyOf(each.source, bench), latencyOf(mine.source, bench)]
  return bench.weights.latency > 0 && its !== undefined && own !== undefined && own - its > FRESHER.by && each.score >= mine.score
}

/** Where it is furthest behind. */
function weakness({ inputs, source }: Scored, best: Scored): string {
  const names = Object.keys(inputs) as (keyof typeof inputs)[]
  const behind = (name: keyof typeof inputs) => best.inputs[name] - inputs[name]
  const worst = names.reduce((a, b) => (behind(b) > behind(a) ? b : a))
  return `most of all in ${worst} (${source.provider} has ${inputs[worst].toFixed(2)})`
}
