/** The judgement of one lane on a tick: is its leader down, silent, or no longer the best? */
import { isFresh, preference, standbys, type Lane, type Source } from './lane.ts'
import { gapEvent, isAllowed, lead, leaderless, seconds, type ArbiterOutput, type ArbiterSettings } from './lead.ts'
import { silenceLimit, usualInterval, type Pulse } from './pulse.ts'

/** What is known at this tick. `silence`: whether silence may be judged. */
export type Bench = { settings: ArbiterSettings; pulses: ReadonlyMap<string, Pulse>; now: number; silence: boolean }

export function judge(lane: Lane, bench: Bench, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  if (!leader) return
  if (leader.state !== 'live') replaceDown(lane, leader, bench, outputs)
  else if (!bench.silence || !replaceSilent(lane, leader, bench, outputs)) failBack(lane, leader, bench, outputs)
}

function replaceDown(lane: Lane, leader: Source, { settings, now }: Bench, outputs: ArbiterOutput[]): void {
  const { order, outageAfter } = settings
  const downFor = now - leader.downSince
  const down = `${leader.provider} is down for ${seconds(downFor)}`
  const [next] = standbys(lane, order, now)
  if (next) {
    if (isAllowed(lane, now, downFor)) lead(lane, next, { order, now, cause: 'closed', why: down }, outputs)
  } else if (downFor >= outageAfter)
    outputs.push(leaderless(lane, leader, 'outage', `nobody delivers: ${down} and there is no standby`, now))
}

/** Silence matters only where another source spoke meanwhile: else the market itself is quiet. */
function replaceSilent(lane: Lane, leader: Source, { settings, pulses, now }: Bench, outputs: ArbiterOutput[]): boolean {
  const { order } = settings
  const whole = pulses.get(leader.provider) ?? leader.pulse
  // A provider that is silent on all instruments is noticed even where this one alone is thin.
  const all = now - whole.heard > silenceLimit(whole)
  const pulse = all ? whole : leader.pulse
  const silent = now - pulse.heard
  const limit = silenceLimit(pulse)
  if (silent <= limit || !isAllowed(lane, now, silent - limit)) return false
  const next = standbys(lane, order, now).find((s) => s.pulse.heard > pulse.heard && isFresh(s, now))
  if (!next) return false
  const { provider } = leader
  const said = `${provider} said nothing${all ? ' at all' : ''} for ${seconds(silent)} (usually speaks within ${seconds(usualInterval(pulse))})`
  const why = `${said} while ${next.provider} spoke ${seconds(now - next.pulse.heard)} ago`
  leader.cleanSince = undefined
  const place = { now, provider, instrument: lane.instrument, kind: lane.kind }
  outputs.push(gapEvent({ ...place, cause: 'silence', action: 'failover' }, leader.pulse.heard))
  lead(lane, next, { order, now, cause: 'silence', why }, outputs)
  return true
}

function failBack(lane: Lane, leader: Source, { settings, now }: Bench, outputs: ArbiterOutput[]): void {
  const { order, holdDown } = settings
  if (now - lane.switchedAt < holdDown) return
  const isBetter = (s: Source) => preference(order, s.provider) < preference(order, leader.provider)
  const isProven = (s: Source) => isFresh(s, now) && now - (s.cleanSince ?? now) >= holdDown
  const better = standbys(lane, order, now).find((s) => isBetter(s) && isProven(s))
  if (!better) return
  const why = `it is preferred to ${leader.provider} and was faultless for ${seconds(now - better.cleanSince!)}`
  lead(lane, better, { order, now, cause: 'failback', why }, outputs)
}
