/** One seed: a world, weather from bad to calm, and the invariants after every step. */
import { createHash } from 'node:crypto'
import type { MarketEvent, Published } from '@tickwire/protocol'
import { seedOf, stream } from '@tickwire/street/random.ts'
import { createChecks, type Complain, type Invariant } from './checks.ts'
import { wreak } from './faults.ts'
import { createSchedule, type Schedule } from '@tickwire/server/replay/schedule.ts'
import { createTruth } from './truth.ts'
import { unexplained } from './whole.ts'
import { BOUNDS, createWorld, type World } from './world.ts'

export type Failure = { seed: number; step: number; at: number; invariant: Invariant; what: string }
export type Outcome = {
  seed: number
  steps: number
  simulated: number
  published: number
  delivered: number
  failures: Failure[]
  digest: string
}
export type Broken = {
  publish?: (event: MarketEvent) => MarketEvent
  /** What a client hears instead. */
  deliver?: (event: Published) => Published
  world?: (world: World, schedule: Schedule) => void
}
export type SimulationOptions = {
  seed: number
  /** Simulated minutes. */
  minutes: number
  /** A hash of all that happened. */
  digest?: boolean
  /** Hears each line of the log. */
  log?: (line: string) => void
  /** Stops at the first failure unless named. */
  all?: boolean
  /** What breaks the product, so that tests see each invariant fail. */
  broken?: Broken
}

/** Twenty seconds into a minute, so that a candle closes within the calm. */
const START = Date.UTC(2026, 0, 7, 15, 0, 25)
const QUIET_START = 4_000
const CALM = 30_000
const STORM = 60_000
/** By then REST was asked for all that was missed in a minute, five times if need be, and of those who allow five calls a minute. */
const REFILLED = 240_000
const REFILL = 20_000
const LOOK_EVERY = 100
/** A batch may take a client this far beyond its bound, and the texts are longer than their weights. */
const MOST_WAITING = 3 * (BOUNDS.backlog + BOUNDS.burst + BOUNDS.outbox.maxWeight)

export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const { seed, minutes, digest = false, log, all = false, broken = {} } = options
  const schedule = createSchedule(START)
  const hash = digest ? createHash('sha256') : undefined
  const failures: Failure[] = []
  const counts = { published: 0, delivered: 0 }
  const isLogged = hash !== undefined || log !== undefined
  const say = (line: string): void => {
    if (!isLogged) return
    const text = `${schedule.now() - START} ${line}`
    hash?.update(`${text}\n`)
    log?.(text)
  }
  const complain = (invariant: Invariant, what: string): void => {
    say(`FAILED ${invariant}: ${what}`)
    failures.push({ seed, step: schedule.steps(), at: schedule.now() - START, invariant, what })
  }
  const truth = createTruth()
  const checks = createChecks(truth, complain)
  const hasLink = (provider: string): boolean => (world?.links.get(provider) ?? 0) > 0
  let world: World | undefined = undefined as World | undefined
  world = createWorld({
    seed,
    schedule,
    truth,
    reports: {
      event(person, heard) {
        const event = broken.deliver?.(heard) ?? heard
        counts.delivered++
        checks.delivered(person, event)
        if (isLogged) say(`${person} < ${event.topic} ${event.seq}`)
      },
      told(person, what, topic, from, to) {
        say(`${person} ${what} ${topic} ${from} ${to}`)
        if (what !== 'resumed') checks.excuse(person, topic, to)
        // A new connection begins with what was asked.
        if (what === 'resumed' || what === 'reset') checks.agree(person, topic, false)
      },
      agreed(person, topic, delivery) {
        say(`${person} ${delivery} ${topic}`)
        checks.agree(person, topic, delivery !== 'every')
      }
    },
    onPublished(event) {
      counts.published++
      checks.remember(event)
      checks.published(event, hasLink)
      if (isLogged) say(JSON.stringify(event))
    },
    complain,
    tamper: broken.publish
  })
  broken.world?.(world, schedule)
  const look = createLook(world, checks, complain, schedule.now)
  const goesOn = (): boolean => all || failures.length === 0
  const go = (until: number): Promise<void> =>
    schedule.run(until, () => {
      look()
      return goesOn()
    })
  const end = START + minutes * 60_000
  const draw = stream(seedOf(seed, 'faults'))
  await go(START + QUIET_START)
  for (let at = schedule.now(); goesOn() && at < end; at = schedule.now()) {
    const mend = wreak(world, schedule, draw, say)
    await go(Math.min(at + STORM, Math.max(at, end - CALM)))
    mend()
    await go(schedule.now() + CALM)
    if (goesOn()) checkLiveness(world, checks, complain, schedule.now())
  }
  if (goesOn()) await checkGaps(world, complain, schedule.now, go, minutes * REFILLED)
  return {
    seed,
    steps: schedule.steps(),
    simulated: schedule.now() - START,
    ...counts,
    failures,
    digest: hash?.digest('hex') ?? ''
  }
}

/** What is checked after each step: bounds at once, leaders now and then. */
function createLook(
  world: World,
  checks: ReturnType<typeof createChecks>,
  complain: (i: Invariant, what: string) => void,
  clock: () => number
) {
  let lookedAt = 0
  const spoke = new Map<string, number>()
  for (const venue of world.venues)
    for (const instrument of venue.instruments)
      for (const kind of ['trade', 'quote'] as const) {
        world.plant.subscribe(`${kind}:${instrument}@${venue.provider}`, (event) => void spoke.set(event.topic, event.published))
      }

  const leaders = (now: number): void => {
    for (const [lane, leader] of checks.leaders) {
      const since = leader === undefined ? undefined : world.downSince.get(leader)
      if (since === undefined) continue
      const patience = 1_500 + 1_000 * 2 ** checks.switchesSince(lane, now - 60_000)
      const other = world.venues.find(
        ({ provider }) => provider !== leader && (spoke.get(`${lane}@${provider}`) ?? -Infinity) > since + patience
      )
      if (other) complain('leader', `${lane} is led by ${leader}, down since ${now - since} ms, while ${other.provider} speaks`)
    }
  }
  return (): void => {
    for (const { call, name } of world.people)
      if (call && call.backlog() > MOST_WAITING) complain('queue', `${call.backlog()} bytes wait for ${name}`)
    const now = clock()
    if (now - lookedAt < LOOK_EVERY) return
    lookedAt = now
    leaders(now)
  }
}

/** In the calm that goes on each gap is filled, or it is said why not. */
async function checkGaps(
  world: World,
  complain: Complain,
  clock: () => number,
  go: (until: number) => Promise<void>,
  patience: number
) {
  const open = (): string[] => world.traded.flatMap((instrument) => unexplained(world.feed.gaps(instrument)))
  const refilled = clock() + patience
  for (let at = clock(); at < refilled && open().length > 0; at += REFILL) await go(at + REFILL)
  for (const what of open()) complain('gap', what)
}

/** In transit is what is younger than this. */
const TRANSIT = 1_000
/** A thin flow may be called stale for a moment. */
const MOMENT = 5_000

function checkLiveness(
  world: World,
  checks: ReturnType<typeof createChecks>,
  complain: (i: Invariant, what: string) => void,
  now: number
): void {
  for (const { provider, phase, reason } of world.feed.providers())
    if (phase !== 'live' && checks.liveAt(provider) < now - MOMENT) complain('liveness', `${provider} is ${phase}: ${reason}`)
  for (const { name, client, topics } of world.people) {
    const { phase, reason } = client.state()
    if (phase !== 'open') complain('liveness', `${name} is ${phase}: ${reason}`)
    for (const topic of topics) {
      const due = world.plant.recent(topic, 100).findLast(({ published }) => published < now - TRANSIT)
      const last = world.plant.last(topic)
      const want = due?.seq ?? (last && last.published < now - TRANSIT ? last.seq : 0)
      if (checks.seen(name, topic) < want)
        complain('liveness', `${name} has ${topic} up to ${checks.seen(name, topic)}, not ${want}`)
    }
  }
  for (const instrument of world.traded)
    if (checks.leaders.get(`trade:${instrument}`) === undefined && checks.leaders.get(`quote:${instrument}`) === undefined)
      complain('liveness', `nobody leads ${instrument}`)
  checks.foldedBy(now - TRANSIT)
  checks.wholeBy(now)
}
