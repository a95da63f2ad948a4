/**
 * Whether a source is thin or dead: the evidence in, one judgement out.
 *
 * It is a sequential test. While a source is silent, the log-likelihood of "mute" against "quiet" grows: by the clock, as its own
 * usual intervals tell (rhythm.ts). Three usual intervals, and a second at least, are proof if others speak meanwhile, as much as
 * they usually do between two words of this source; with nobody to compare it takes half as long again. Its provider as a whole is
 * tested likewise, so that a broken socket is seen on its thin instruments too. Heartbeats prove the transport, never the data.
 */
import type { Liveness } from '@tickwire/protocol'
import { isTrading, type Market } from '../calendar/calendar.ts'
import { isLearnt, LEAST_LIMIT, muteLimit, silenceLimit, usualInterval, type Pulse } from './pulse.ts'
import { patience, SURPRISED, surprise } from './rhythm.ts'

/** What speaks for and against one source: one kind of one instrument at one provider, or a connection as a whole. */
export type Evidence = {
  /** `closed`: its connection is down. */
  state: 'asked' | 'live' | 'closed'
  /** Since when it is asked or down. */
  since: number
  pulse: Pulse
  /** All that its provider says, of whatever instrument. */
  whole?: Pulse | undefined
  /** Words of other providers on this instrument and kind since its own last one, and when they spoke last. */
  others?: { words: number; heard: number } | undefined
  /** When anything came, a heartbeat even, and after what silence the connection is hung up. */
  transport?: { heard: number; staleAfter: number } | undefined
  /** The part of its exchange's day that it is now. */
  market?: Market | undefined
  /** Since when its venue has it halted. */
  halted?: number | undefined
}

export type Judgement = {
  state: Liveness
  since: number
  /** One sentence, with the numbers. */
  why: string
}

/** Late is what happens once in a thousand intervals: worth a word, not worth a failover. */
const LATE = Math.log(1_000)
/** The others said so much that they would fall silent so long between two words of this source once in a thousand times. */
const WITNESSED = Math.log(1_000)
/** The same once in forty million times: proof without the clock. */
const CERTAIN = 1.5 * SURPRISED
const LEAST_LATE = 500

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

export function livenessOf(evidence: Evidence, now: number): Judgement {
  const { state, since, market, halted, pulse } = evidence
  if (state === 'closed') return { state: 'dead', since, why: `its connection is down for ${seconds(now - since)}` }
  if (market?.session === 'closed') return { state: 'closed', since: market.since, why: `its market is closed${until(market)}` }
  const broken = transport(evidence, now)
  if (broken) return broken
  if (halted !== undefined) return { state: 'halted', since: halted, why: `its venue halted it ${seconds(now - halted)} ago` }
  if (pulse.heard === -Infinity) return { state: 'asked', since, why: `asked ${seconds(now - since)} ago and never heard yet` }
  // Out of regular hours nobody needs to trade.
  if (market && !isTrading(market)) return spoken(pulse, now, `; out of regular hours silence is no fault`)
  const session = market?.since ?? -Infinity
  return whole(evidence, session, now) ?? own(evidence, session, now)
}

/** Half of the time after which the connection is hung up: not even a heartbeat comes. */
function transport({ transport: line }: Evidence, now: number): Judgement | undefined {
  const silent = now - (line?.heard ?? now)
  if (!line || silent <= line.staleAfter / 2) return undefined
  const why = `nothing heard for ${seconds(silent)}; hanging up at ${seconds(line.staleAfter)}`
  return { state: 'dead', since: line.heard + line.staleAfter / 2, why }
}

/** The socket: it is dead when others speak of the same instrument, else its market may be as quiet. */
function whole({ whole: all, pulse, others, transport: line }: Evidence, session: number, now: number): Judgement | undefined {
  if (!all || all === pulse) return undefined
  const heard = Math.max(all.heard, session)
  const witnessed = others !== undefined && others.heard > heard
  const limit = witnessed ? silenceLimit(all) : muteLimit(all)
  if (now - heard <= limit) return undefined
  const why = `${saidNothing(all, now - heard, ' at all')}${compared(others, heard, now)}${alive(line, heard, now)}`
  return { state: witnessed ? 'dead' : 'stale', since: heard + limit, why }
}

function own({ pulse, others, transport: line }: Evidence, session: number, now: number): Judgement {
  const heard = Math.max(pulse.heard, session)
  const silent = now - heard
  const limit = limitOf(pulse, others, heard)
  if (silent > limit) {
    const why = `${saidNothing(pulse, silent)}${compared(others, heard, now)}${alive(line, heard, now)}`
    return { state: 'stale', since: heard + limit, why }
  }
  if (!isLearnt(pulse)) return spoken(pulse, now, ', and too seldom so far to know what is usual')
  const late = Math.max(LEAST_LATE, patience(pulse.clock, LATE))
  if (silent <= late) return spoken(pulse, now, `, and usually within ${seconds(usualInterval(pulse))}`)
  return {
    state: 'late',
    since: heard + late,
    why: `${saidNothing(pulse, silent)}, as happens once in ${rarity(pulse, silent)} times`
  }
}

const saidNothing = (pulse: Pulse, silent: number, all = ''): string =>
  `it said nothing${all} for ${seconds(silent)} (${isLearnt(pulse) ? `usually speaks within ${seconds(usualInterval(pulse))}` : 'spoke too seldom to know what is usual'})`

/** After what silence it is stale, given what the others said meanwhile: the market's clock, which runs slow where the market is quiet. */
function limitOf(pulse: Pulse, others: Evidence['others'], heard: number): number {
  const { market } = pulse
  if (!others || others.heard <= heard) return muteLimit(pulse)
  if (!isLearnt(pulse) || market.count === 0) return silenceLimit(pulse)
  // Where bursts are common to all, the others' words are proof far sooner than the clock.
  if (others.words >= patience(market, CERTAIN)) return Math.max(LEAST_LIMIT, patience(pulse.clock, LATE))
  return others.words >= patience(market, WITNESSED) ? silenceLimit(pulse) : muteLimit(pulse)
}

const spoken = (pulse: Pulse, now: number, more: string): Judgement => ({
  state: 'live',
  since: pulse.heard,
  why: `it spoke ${seconds(now - pulse.heard)} ago${more}`
})

function compared(others: Evidence['others'], heard: number, now: number): string {
  if (!others) return ''
  if (others.heard <= heard) return ', nor did anyone else since'
  return ` while others spoke ${others.words} times, the last ${seconds(now - others.heard)} ago`
}

/** That it was heard before its silence began says nothing. */
const alive = (line: Evidence['transport'], heard: number, now: number): string =>
  line && line.heard > heard ? `, though its connection is open and was heard ${seconds(now - line.heard)} ago` : ''
const until = ({ until: end }: Market): string => (end === Infinity ? '' : ` until ${new Date(end).toISOString()}`)

/** One in how many usual intervals is as long: two digits, the rest would claim a precision that a guess at a tail has not. */
const rarity = ({ clock }: Pulse, silent: number): number =>
  Number(Math.exp(Math.min(surprise(clock, silent), 20)).toPrecision(2))
