/** The news of the street: invented headlines about what a venue trades, each marked as simulated. The same seed tells the same stories. */
import type { News } from '@tickwire/protocol'
import { hash, seedOf, uniform } from './random.ts'

/** One story at most in each slot. */
const SLOT = 10_000
const CHANCE = 0.5

const PHRASES: readonly ((n: number) => string)[] = [
  (n) => `orders up ${n} % on the year`,
  (n) => `analysts move their target by ${n} %`,
  (n) => `volume stands ${n} % above its average`,
  (n) => `a supplier reports a delay of ${n} days`,
  (n) => `a holder sells ${n} % of a stake`,
  (n) => `${n} contracts change hands in one block`,
  (n) => `the outlook is cut by ${n} %`,
  (n) => `a court hears the case in ${n} days`,
  (n) => `${n} analysts write about it today`,
  (n) => `costs fall ${n} % in the quarter`
]

type Subject = { instrument: string; name: string }

/** The stories after `from` up to `to`, oldest first. */
export function stories(seed: number, provider: string, subjects: readonly Subject[], from: number, to: number): News[] {
  const own = seedOf(seed, `news:${provider}`)
  const told: News[] = []
  for (let slot = Math.floor(from / SLOT); slot * SLOT <= to; slot++) {
    const time = slot * SLOT + Math.floor(uniform(own ^ 1, slot) * SLOT)
    if (time > from && time <= to && uniform(own, slot) < CHANCE) told.push(story(own, provider, subjects, slot, time))
  }
  return told
}

function story(own: number, provider: string, subjects: readonly Subject[], slot: number, time: number): News {
  const draw = (name: number, count: number): number => hash(own ^ name, slot) % count
  const { instrument, name } = subjects[draw(2, subjects.length)]!
  const other = subjects[draw(3, subjects.length)]!.instrument
  const phrase = PHRASES[draw(4, PHRASES.length)]!(2 + draw(5, 88))
  return {
    type: 'news',
    provider,
    instrument: 'all',
    time,
    received: time,
    id: String(slot),
    headline: `Simulated: ${name}, ${phrase}`,
    summary: 'A story of the simulated street: nothing of it happened.',
    source: 'Simulated wire',
    instruments: uniform(own ^ 6, slot) < 0.25 ? [...new Set([instrument, other])] : [instrument]
  }
}
