/** Simulated flows of market data, thin to thick, and how liveness fares on them: false alarms, and the delay until a mute is noticed. */
import { livenessOf, type Evidence } from '../../src/arbiter/liveness.ts'
import { beat, LEAST_LIMIT, openPulse, silenceLimit, type Pulse } from '../../src/arbiter/pulse.ts'

/** Seeded, from 0 to 1, neither of them included. */
export function chance(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296
  }
}

/** When the next event comes after one at `at`, milliseconds. */
export type Flow = (at: number) => number
type Make = (perSecond: number, random: () => number) => Flow

const exponential = (random: () => number) => -Math.log(random())
const normal = (random: () => number) => Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random())

const poisson: Make = (perSecond, random) => (at) => at + (1_000 / perSecond) * exponential(random)

const SIGMA = 1.5
/** Median far below the mean: most come close together, and then long nothing. */
const lognormal: Make = (perSecond, random) => (at) =>
  at + (1_000 / perSecond) * Math.exp(SIGMA * normal(random) - SIGMA ** 2 / 2)

/** Each event brings 0.7 others on, within three mean intervals or so (Ogata's thinning). */
const hawkes: Make = (perSecond, random) => {
  const base = (0.3 * perSecond) / 1_000
  const decay = perSecond / 3_000
  let excited = 0
  return (at) => {
    for (let now = at; ;) {
      const bound = base + excited
      const wait = exponential(random) / bound
      now += wait
      excited *= Math.exp(-decay * wait)
      if (random() * bound > base + excited) continue
      excited += 0.7 * decay
      return now
    }
  }
}

/** Asked at regular times, give or take 5 %; one answer in a hundred is lost. */
const poll: Make = (perSecond, random) => (at) => {
  let next = at
  do next += (1_000 / perSecond) * (0.95 + 0.1 * random())
  while (random() < 0.01)
  return next
}

const SESSION = 6.5 * 3_600_000
/** Eight times as many at open and close as at noon. */
const day: Make = (perSecond, random) => {
  const highest = 2.4
  return (at) => {
    for (let now = at; ;) {
      now += (1_000 / perSecond / highest) * exponential(random)
      if (random() * highest < 0.3 + 2.1 * ((2 * (now % SESSION)) / SESSION - 1) ** 2) return now
    }
  }
}

export const FLOWS = { poisson, lognormal, hawkes, poll, day } as const
export type FlowName = keyof typeof FLOWS
export const RATES = [0.01, 0.1, 1, 10, 100, 1_000] as const

/** One instrument at two providers, `a` with other instruments on its socket: what the arbiter would hold of it. */
export type Street = {
  now: number
  a: Pulse
  whole: Pulse
  words: number
  heard: number
  next: { a: number; rest: number; b: number }
}
type Flows = { a: Flow; rest: Flow; b: Flow }
/** `witness`: `alone`, or another provider that trades as much by itself, or in the same bursts (both see half of one market). */
export type Witness = 'alone' | 'other' | 'same market'
export type Setup = { flow: FlowName; perSecond: number; seed: number; witness?: Witness; siblings?: number }

export function openStreet({ flow, perSecond, seed, witness = 'other', siblings = 0 }: Setup): { street: Street; flows: Flows } {
  const random = chance(seed)
  const never: Flow = () => Infinity
  const [a, b] = witness === 'same market' ? halves(FLOWS[flow](2 * perSecond, random), random) : [FLOWS[flow](perSecond, random)]
  const flows = {
    a,
    rest: siblings > 0 ? FLOWS[flow](perSecond * siblings, random) : never,
    b: witness === 'alone' ? never : (b ?? FLOWS[flow](perSecond, random))
  }
  const next = { a: flows.a(0), rest: flows.rest(0), b: flows.b(0) }
  return { street: { now: 0, a: openPulse(), whole: openPulse(), words: 0, heard: -Infinity, next }, flows }
}

/** Each event of the market is seen by the one or the other. */
function halves(market: Flow, random: () => number): [Flow, Flow] {
  const seen: [number[], number[]] = [[], []]
  let last = 0
  const half =
    (mine: 0 | 1): Flow =>
    () => {
      while (seen[mine].length === 0) {
        last = market(last)
        seen[random() < 0.5 ? 0 : 1].push(last)
      }
      return seen[mine].shift() ?? Infinity
    }
  return [half(0), half(1)]
}

/** Lets the next word be said by whoever comes next of those who are not mute, none after `until`. */
export function speak(
  street: Street,
  flows: Flows,
  mute: readonly (keyof Flows)[] = [],
  until = Infinity
): keyof Flows | undefined {
  const { next } = street
  for (const name of mute) next[name] = Infinity
  const who = next.a <= next.rest && next.a <= next.b ? 'a' : next.rest <= next.b ? 'rest' : 'b'
  const at = next[who]
  if (at > until || at === Infinity) return undefined
  street.now = at
  next[who] = flows[who](at)
  if (who !== 'rest') street.words++
  if (who === 'b') street.heard = at
  else beat(street.whole, at)
  if (who === 'a') beat(street.a, at, street.words)
  return who
}

export function evidenceOf(street: Street, witness: Witness, siblings: boolean): Evidence {
  const evidence: Evidence = { state: 'live', since: 0, pulse: street.a }
  if (siblings) evidence.whole = street.whole
  if (witness !== 'alone') evidence.others = { words: street.words - street.a.word, heard: street.heard }
  return evidence
}

const isAlarm = (evidence: Evidence, now: number) => /stale|dead/.test(livenessOf(evidence, now).state)

/** How often within so many words of its own a healthy source was called stale, and how long that was, milliseconds. */
export function falseAlarms(setup: Setup, words: number): { alarms: number; time: number } {
  const { street, flows } = openStreet(setup)
  const { witness = 'other', siblings = 0 } = setup
  let alarms = 0
  for (let said = 0; said < words;) {
    // The longer a silence the stronger the proof: the moment before its end is the one to look at.
    if (street.next.a <= street.next.rest && street.next.a <= street.next.b) {
      const silence = street.next.a - street.a.heard
      if (silence > LEAST_LIMIT) if (isAlarm(evidenceOf(street, witness, siblings > 0), street.next.a)) alarms++
      said++
    }
    speak(street, flows)
  }
  return { alarms, time: street.now }
}

export type Mute = 'symbol' | 'socket' | 'all'
const MUTES = { symbol: ['a'], socket: ['a', 'rest'], all: ['a', 'rest', 'b'] } as const

/** From its last word until it is called stale or dead, looked at every 100 ms (of thin flows: every twentieth of an interval). */
export function detection(setup: Setup, mute: Mute, learnt: number): { delay: number; usual: number; limit: number } {
  const { street, flows } = openStreet(setup)
  const { witness = 'other', siblings = 0, perSecond } = setup
  for (let said = 0; said < learnt;) if (speak(street, flows) === 'a') said++
  const { heard } = street.a
  const limit = silenceLimit(street.a)
  const step = Math.max(100, 50 / perSecond)
  for (let now = heard + step; ; now += step) {
    while (speak(street, flows, MUTES[mute], now) !== undefined);
    if (isAlarm(evidenceOf(street, witness, siblings > 0), now)) return { delay: now - heard, usual: street.a.clock.usual, limit }
  }
}

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((x, y) => x - y)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN
