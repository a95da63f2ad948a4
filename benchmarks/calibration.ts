/** Confidence held against the truth of a simulated market, and how soon a change is noticed. Prints the tables of docs/decisions/0012. */
import { reliabilityOf } from '@tickwire/server/arbiter/forecasts.ts'
import { eceOf, mean, play, type Said, type Speaker } from '../packages/server/test/arbiter/market.ts'

const MINUTE = 60_000
const SHARED = ['X', 'Y', 'Z']
const KNOWN: [name: string, more: Partial<Speaker>][] = [
  ['0.1 % wrong', { errors: 0.001 }],
  ['1 % wrong', { errors: 0.01 }],
  ['5 % wrong', { errors: 0.05 }],
  ['20 % wrong', { errors: 0.2 }],
  ['5 s late', { lag: 5_000 }],
  ['40 bps too high', { bias: 40 }]
]
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
const told = (said: readonly Said[]): string[] => [
  percent(mean(said.map(({ sure }) => sure))),
  percent(mean(said.map(({ hit }) => Number(hit)))),
  eceOf(said).toFixed(3)
]

const instruments = [...SHARED, ...KNOWN.map(([name]) => `only ${name}`)]
const speakers = KNOWN.map(([name, more]) => ({ provider: name, errors: 0, ...more, only: [...SHARED, `only ${name}`] }))
const { said, state } = play({ seed: 1, until: 60 * MINUTE, speakers, instruments, bps: 3 })
for (const [name] of KNOWN) {
  const own = said.filter(({ provider }) => provider === name)
  const first = own.filter(({ instrument }) => SHARED.includes(instrument)).slice(0, 100)
  const later = own.filter(({ at }) => at > 20 * MINUTE)
  const shared = told(later.filter(({ instrument }) => SHARED.includes(instrument)))
  const alone = told(later.filter(({ instrument }) => !SHARED.includes(instrument)))
  const early = told(first).slice(0, 2)
  console.log(`| ${[name, ...shared, ...alone, ...early, percent(reliabilityOf(state.forecasts, name))].join(' | ')} |`)
}

const CHANGED = 10 * MINUTE
/** Updates of a provider, on two shared instruments and one of its own, until its confidence where it is alone passes 90 %. */
function updates(seed: number, before: number, after: number): number {
  const errors = (at: number) => (at < CHANGED ? before : after)
  const turned: Speaker = { provider: 'a', errors, only: ['X', 'Y', 'L'] }
  const others = ['b', 'c', 'd'].map((provider) => ({ provider, errors: 0.01, only: ['X', 'Y'] }))
  const run = play({ seed, until: CHANGED + 6 * MINUTE, speakers: [turned, ...others], instruments: ['X', 'Y', 'L'] })
  const own = run.said.filter(({ provider, at }) => provider === 'a' && at >= CHANGED)
  const passed = own.findIndex(({ instrument, sure }) => instrument === 'L' && sure < 0.9 === after > before)
  return passed < 0 ? Infinity : passed
}
const CHANGES = [
  [0.001, 1],
  [0.001, 0.5],
  [0.001, 0.2],
  [0.01, 0.5],
  [0.3, 0.001]
] as const
for (const [before, after] of CHANGES) {
  const counts = Array.from({ length: 20 }, (_, k) => updates(k + 1, before, after)).sort((a, b) => a - b)
  console.log(`| ${percent(before)} to ${percent(after)} | ${counts[10]} | ${counts[19]} |`)
}
