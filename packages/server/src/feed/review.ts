/** The judgement of one lane on a tick: is its leader down, silent, or no longer the best? */
import { preference, standbys, type Lane, type Scene, type Source } from './lane.ts'
import { gapEvent, isAllowed, lead, leaderless, seconds, type ArbiterOutput, type ArbiterSettings } from './lead.ts'
import { muteLimit, silenceLimit, usualInterval, type Pulse } from './pulse.ts'

/** What is known at this tick. `silence`: whether silence may be judged. */
export type Bench = Scene & { settings: ArbiterSettings; silence: boolean }

export function judge(lane: Lane, bench: Bench, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  if (!leader) return
  if (leader.state !== 'live') replaceDown(lane, leader, bench, outputs)
  else if (!bench.silence || !replaceSilent(lane, leader, bench, outputs)) failBack(lane, leader, bench, outputs)
}

function replaceDown(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): void {
  const { now, silence, settings } = bench
  const downFor = now - leader.downSince
  const down = `${leader.provider} is down for ${seconds(downFor)}`
  const [next] = standbys(lane, bench)
  if (next) {
    if (isAllowed(lane, now, downFor)) lead(lane, next, { ...bench, cause: 'closed', why: down }, outputs)
  } else if (silence && downFor >= settings.outageAfter)
    outputs.push(leaderless(lane, leader, 'outage', `nobody delivers: ${down} and there is no standby that speaks`, now))
}

type Silence = { pulse: Pulse; all: boolean; lasts: number }

/** A provider that is silent on all instruments is noticed even where this one alone is thin. */
function silenceOf({ provider, pulse }: Source, { pulses, now }: Bench, limit: (pulse: Pulse) => number): Silence | undefined {
  const whole = pulses.get(provider) ?? pulse
  if (now - whole.heard > limit(whole)) return { pulse: whole, all: true, lasts: now - whole.heard }
  return now - pulse.heard > limit(pulse) ? { pulse, all: false, lasts: now - pulse.heard } : undefined
}

const describe = ({ provider }: Source, { pulse, all, lasts }: Silence): string =>
  `${provider} said nothing${all ? ' at all' : ''} for ${seconds(lasts)} (usually speaks within ${seconds(usualInterval(pulse))})`

/** True when the lane has another leader now, or none. */
function replaceSilent(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): boolean {
  const { now } = bench
  const silence = silenceOf(leader, bench, silenceLimit)
  if (!silence) return false
  // Where another source spoke meanwhile the market is not quiet: one of them has failed.
  const next = standbys(lane, bench).find((s) => s.pulse.heard > silence.pulse.heard)
  if (!next) return giveUpMute(lane, leader, bench, outputs)
  if (!isAllowed(lane, now, silence.lasts - silenceLimit(silence.pulse))) return false
  const { provider } = leader
  const why = `${describe(leader, silence)} while ${next.provider} spoke ${seconds(now - next.pulse.heard)} ago`
  leader.cleanSince = undefined
  const place = { now, provider, instrument: lane.instrument, kind: lane.kind }
  outputs.push(gapEvent({ ...place, cause: 'silence', action: 'failover' }, leader.pulse.heard))
  lead(lane, next, { ...bench, cause: 'silence', why }, outputs)
  return true
}

/** Nobody is better, but readers must know that the price they see grows old. No gap: nothing is known to be missing. */
function giveUpMute(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): boolean {
  const silence = silenceOf(leader, bench, muteLimit)
  if (!silence) return false
  leader.cleanSince = undefined
  const reason = `nobody delivers ${lane.kind} of ${lane.instrument}: ${describe(leader, silence)}, nor did anyone else since`
  outputs.push(leaderless(lane, leader, 'silence', reason, bench.now))
  return true
}

function failBack(lane: Lane, leader: Source, bench: Bench, outputs: ArbiterOutput[]): void {
  const { order, now } = bench
  const { holdDown } = bench.settings
  if (now - lane.switchedAt < holdDown) return
  const isBetter = (s: Source) => preference(order, s.provider) < preference(order, leader.provider)
  const isProven = (s: Source) => now - (s.cleanSince ?? now) >= holdDown
  const better = standbys(lane, bench).find((s) => isBetter(s) && isProven(s))
  if (!better) return
  const why = `it is preferred to ${leader.provider} and was faultless for ${seconds(now - better.cleanSince!)}`
  lead(lane, better, { ...bench, cause: 'failback', why }, outputs)
}
