/** The arbiter's view of one kind of one instrument as an event: who leads and why, how each source fares, and what all say together. */
import { ARBITRATED_KINDS, type Arbitration, type SourceReport } from '@tickwire/protocol'
import { sceneOf, type ArbiterState } from './state.ts'
import type { Opinion } from './consensus.ts'
import { evidenceOf, isSound, latencyOf, ranked, scoresOf, type Lane, type Scene, type Scored } from './lane.ts'
import { DAMPING_WINDOW, STANDBYS } from './lead.ts'
import { livenessOf, seconds } from './liveness.ts'
import { muteOf } from './mute.ts'
import { ageOf, basisOf, opinionAt, type Voice } from './voice.ts'

const rounded = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits
const significant = (price: number): number => Number(price.toPrecision(10))
/** For a person: a hundredth of a basis point is more than anybody reads. */
const spoken = (price: number): number => Number(price.toPrecision(7))

/** All kinds of one instrument that somebody asks for. */
export const arbitrationsOf = (state: ArbiterState, instrument: string, now: number): Arbitration[] =>
  ARBITRATED_KINDS.flatMap((kind) => {
    const lane = state.lanes.get(`${kind}:${instrument}`)
    return lane ? [arbitrationOf(state, lane, now)] : []
  })

export function arbitrationOf(state: ArbiterState, lane: Lane, now: number): Arbitration {
  const scene = sceneOf(state, now)
  const view = state.views.get(lane.instrument)
  // What came at this very instant counts too: it is told, not decided on.
  const opinion = view && opinionAt(view, now + 1, { mute: (voice) => muteOf(state, lane.instrument, voice, scene) })
  const next = ranked(lane, scene)
    .filter(({ source }) => isSound(source))
    .map(({ source }) => source.provider)
  const scored = scoresOf(lane, scene)
  const bench: Bench = { lane, scene, next, ...(opinion && { opinion }) }
  const sources = scored.map((each) => reportOf(each, bench)).sort(byRole)
  const { leader, kind, instrument } = lane
  const event: Arbitration = {
    type: 'arbitration',
    provider: leader?.provider ?? lane.previous ?? '',
    instrument,
    time: now,
    received: now,
    kind,
    since: lane.switchedAt,
    standbys: next.slice(0, STANDBYS),
    sentence: sentenceOf(bench, scored),
    sources,
    switches: lane.switches.filter((at) => now - at < DAMPING_WINDOW).length
  }
  if (leader) event.leader = leader.provider
  if (opinion) event.consensus = consensusOf(opinion, now)
  return event
}

type Bench = { lane: Lane; scene: Scene; next: readonly string[]; opinion?: Opinion }

const consensusOf = ({ price, toleranceBps, used, sources }: Opinion, now: number): NonNullable<Arbitration['consensus']> => ({
  price: significant(price),
  toleranceBps: rounded(toleranceBps, 1),
  used,
  sources,
  at: now
})

function roleOf({ lane, next }: Bench, provider: string): SourceReport['role'] {
  if (lane.leader?.provider === provider) return 'leader'
  const at = next.indexOf(provider)
  return at < 0 ? 'out' : at < STANDBYS ? 'standby' : 'candidate'
}

const ROLES = ['leader', 'standby', 'candidate', 'out'] as const
const byRole = (a: SourceReport, b: SourceReport): number =>
  ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || b.score - a.score || (a.provider < b.provider ? -1 : 1)

function reportOf({ source, score, inputs }: Scored, bench: Bench): SourceReport {
  const { scene, lane, opinion } = bench
  const { provider, voice, held } = source
  const { now } = scene
  const { state, why } = livenessOf(evidenceOf(lane, source, scene), now)
  const verdict = opinion?.verdicts.find((each) => each.provider === provider)
  const names = Object.keys(inputs) as (keyof typeof inputs)[]
  const report: SourceReport = {
    provider,
    role: roleOf(bench, provider),
    liveness: state,
    score: rounded(score),
    inputs: Object.fromEntries(names.map((name) => [name, rounded(inputs[name])])) as typeof inputs,
    weight: rounded(verdict?.weight ?? 0),
    reason: reasonOf(verdict?.reason ?? uncounted(voice, now), state === 'live' ? undefined : why, held?.prints.length)
  }
  if (voice.price > 0) {
    report.price = significant(voice.price)
    report.age = rounded(ageOf(voice, now + 1) - 1)
  }
  const latency = latencyOf(source, scene)
  if (latency !== undefined) report.latency = rounded(latency, 1)
  const basis = basisOf(voice)
  if (basis !== 0) report.basis = rounded(basis * 10_000, 1)
  return report
}

/** Where nobody's price counts any more there is no verdict. */
const uncounted = (voice: Voice, now: number): string =>
  voice.price > 0 ? `its last price is ${seconds(ageOf(voice, now))} old` : 'it has told no price yet'

function reasonOf(price: string, silent: string | undefined, held = 0): string {
  const waiting = held > 0 ? `; ${held} ${held === 1 ? 'price waits' : 'prices wait'} to be borne out` : ''
  return `${price}${silent === undefined ? '' : `; ${silent}`}${waiting}`
}

/** The decision, what it rests on, and what all say: for a person. */
function sentenceOf({ lane, next, opinion }: Bench, scored: readonly Scored[]): string {
  const score = (provider: string): string => scored.find(({ source }) => source.provider === provider)?.score.toFixed(2) ?? '?'
  const leader = lane.leader ? `; it scores ${score(lane.leader.provider)}` : ''
  const others = next.slice(0, STANDBYS).map((provider) => `${provider} (${score(provider)})`)
  const standby =
    others.length === 0 ? 'nobody else could lead now' : `next ${others.length === 1 ? 'is' : 'are'} ${others.join(', ')}`
  return `${lane.reason}${leader}; ${standby}; ${together(opinion)}.`
}

function together(opinion: Opinion | undefined): string {
  if (!opinion) return 'no source tells a price that still counts'
  const { price, used, sources, toleranceBps, disputed } = opinion
  const sum = `${spoken(price)}, from ${used} of ${sources} ${sources === 1 ? 'source' : 'sources'}`
  if (disputed) return `they do not agree: the middle is ${sum}, up to ${toleranceBps.toFixed(0)} bps apart`
  return sources === 1 ? `the price is ${sum}` : `together they say ${sum} within ${toleranceBps.toFixed(0)} bps`
}

export const topicOfLane = ({ verdictTopic }: Lane): string => verdictTopic

/** What makes it worth telling anew: not that a second has passed. */
export const gistOf = ({ leader, standbys, sentence, sources, consensus }: Arbitration): string =>
  [leader, standbys.join(), sentence, consensus?.used, ...sources.map(digestOf)].join('|')

const digestOf = ({ role, liveness, score, weight, price }: SourceReport): string =>
  [role, liveness, score.toFixed(2), weight.toFixed(2), price].join()
