/** `tickwire simulate`: the whole product against simulated providers, networks and clients that fail, seed by seed. */
import { availableParallelism } from 'node:os'
import { ConfigError } from '@tickwire/server/settings.ts'
import { createProgress } from './progress.ts'
import { INVARIANTS } from './simulation/checks.ts'
import { outcomes } from './simulation/crew.ts'
import type { Failure } from './simulation/simulation.ts'

export type SimulateFlags = { seeds: string; seed?: string; minutes: string; jobs?: string; digest?: true; log?: true }

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= least) return value
  throw new ConfigError(`--${name} is ${JSON.stringify(text)}: it takes a number from ${least}`)
}

export async function simulateSeeds(flags: SimulateFlags): Promise<void> {
  const minutes = numberOf('minutes', flags.minutes, 1)
  const only = flags.seed === undefined ? undefined : numberOf('seed', flags.seed, 0)
  const first = only ?? 1
  const last = only ?? numberOf('seeds', flags.seeds, 1)
  const log = flags.log ? (line: string) => console.log(line) : undefined
  const failures: Failure[] = []
  const began = performance.now()
  const seeds = last - first + 1
  const progress = createProgress({ total: seeds, label: 'seeds' })
  let [simulated, done] = [0, 0]
  const jobs = flags.jobs === undefined ? availableParallelism() : numberOf('jobs', flags.jobs, 1)
  for await (const outcome of outcomes({ first, last, minutes, jobs, digest: flags.digest === true, log })) {
    const { seed } = outcome
    simulated += outcome.simulated
    if (outcome.failures.length > 0 || flags.digest) progress.clear()
    for (const failure of outcome.failures) console.log(sentence(failure, minutes))
    failures.push(...outcome.failures)
    if (flags.digest) console.log(`seed ${seed}: ${outcome.digest}`)
    const speed = speedOf(simulated, performance.now() - began)
    // With --log there is no line that a bar could stay on.
    if (!flags.log) progress.set(++done, `${failures.length} failures, ${speed} times real time`)
  }
  progress.end()
  const real = performance.now() - began
  console.log(
    `${seeds} seed${seeds === 1 ? '' : 's'}, ${hours(simulated)} simulated in ${(real / 1_000).toFixed(1)} s, ` +
      `${speedOf(simulated, real)} times real time, ${failures.length} failure${failures.length === 1 ? '' : 's'}`
  )
  if (failures.length > 0) process.exitCode = 1
}

const speedOf = (simulated: number, real: number): number => Math.round(simulated / real)
const hours = (ms: number): string => (ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(1)} h`)

const sentence = ({ seed, step, at, invariant, what }: Failure, minutes: number): string =>
  `seed ${seed} fails at step ${step} (${(at / 1_000).toFixed(3)} s): ${invariant}: ${what}\n` +
  `  ${INVARIANTS[invariant]}\n  again: tickwire simulate --seed ${seed} --minutes ${minutes} --log`
