/** What goes wrong, when, and for how long: drawn from the seed. */
import type { Person } from './crowd.ts'
import { CALM } from './pipe.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'
import type { SimulatedVenue } from './venue.ts'

export type Damage = { venues: readonly SimulatedVenue[]; people: readonly Person[] }

type Draw = () => number
/** Does the damage and returns what ends it. */
type Fault<T> = (victim: T, draw: Draw, schedule: Schedule) => (() => void) | void

const between = (draw: Draw, from: number, to: number): number => from + Math.floor(draw() * (to - from))

const AT_VENUES: Record<string, Fault<SimulatedVenue>> = {
  cut: (venue) => venue.cut(),
  outage(venue) {
    venue.trouble.door = 'slam'
    venue.cut()
    return () => void (venue.trouble.door = 'open')
  },
  hang(venue) {
    venue.trouble.door = 'hang'
    venue.cut()
    return () => void (venue.trouble.door = 'open')
  },
  mute(venue) {
    venue.trouble.weather.mute = true
    return () => void (venue.trouble.weather.mute = false)
  },
  slow: ({ trouble }, draw) => {
    trouble.weather.latency = between(draw, 200, 2_500)
    return () => void (trouble.weather.latency = CALM.latency)
  },
  garbage: share('garbage', 0.3),
  duplicate: share('duplicate', 0.5),
  reorder: share('reorder', 0.5),
  loss: share('loss', 0.3),
  checksum: share('checksum', 0.5),
  reset: share('reset', 0.2),
  skew({ trouble }, draw) {
    trouble.skew = between(draw, -3_000, 3_000)
    return () => void (trouble.skew = 0)
  },
  rest({ trouble }, draw) {
    trouble.rest = [429, 500, 503, 0][Math.floor(draw() * 4)]
    return () => void (trouble.rest = undefined)
  },
  /** It takes the new token only, which we learn when the old one is refused. */
  token(venue, _draw, schedule) {
    venue.trouble.token = `token ${schedule.now()}`
    venue.cut()
  }
}

function share(what: 'garbage' | 'duplicate' | 'reorder' | 'loss' | 'checksum' | 'reset', most: number): Fault<SimulatedVenue> {
  return ({ trouble }, draw) => {
    trouble.weather[what] = draw() * most
    return () => void (trouble.weather[what] = 0)
  }
}

const AT_PEOPLE: Record<string, Fault<Person>> = {
  cut: (person) => person.cut(),
  mute(person) {
    person.weather.mute = true
    return () => void (person.weather.mute = false)
  },
  slow(person) {
    const { call } = person
    call?.pause()
    return () => call?.resume()
  },
  far(person, draw) {
    person.weather.latency = between(draw, 100, 1_500)
    return () => void (person.weather.latency = CALM.latency)
  }
}

const LONGEST = 8_000
const PAUSE = 1_500

/** Breaks one thing after the other until `stop`, which mends all. */
export function wreak({ venues, people }: Damage, schedule: Schedule, draw: Draw, say: (what: string) => void) {
  const endings = new Set<() => void>()
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)]!

  const strike = <T extends { provider: string } | { name: string }>(
    faults: Record<string, Fault<T>>,
    name: string,
    victim: T
  ): void => {
    const who = 'provider' in victim ? victim.provider : victim.name
    say(`${name} at ${who}`)
    const end = faults[name]!(victim, draw, schedule)
    if (!end) return
    endings.add(end)
    schedule.after(between(draw, 50, LONGEST), () => {
      if (endings.delete(end)) end()
    })
  }
  const blow = (): void => {
    const chance = draw()
    if (chance < 0.04) for (const venue of venues) strike(AT_VENUES, 'outage', venue)
    else if (chance < 0.7) strike(AT_VENUES, pick(Object.keys(AT_VENUES)), pick(venues))
    else strike(AT_PEOPLE, pick(Object.keys(AT_PEOPLE)), pick(people))
    cancel = schedule.after(between(draw, 10, PAUSE), blow)
  }
  let cancel = schedule.after(between(draw, 10, PAUSE), blow)

  return () => {
    cancel()
    say('calm')
    for (const end of endings) end()
    endings.clear()
  }
}
