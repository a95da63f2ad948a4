/**
 * From the plant to the sockets. A lane is one topic under one contract in one form; clients with equal lanes are one group. An
 * event only marks its lanes; at a flush each lane is encoded once, and each client is written once. A client that is behind
 * costs nothing while it is, and is brought up to date when it reads again, or is let go.
 */
import type { Encoding, Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Timers } from '../timers.ts'
import { weigh } from './arrears.ts'
import { createDelivery, type Backlog } from './delivery.ts'
import { joinedBatch } from './joining.ts'
import { createGrid } from './grid.ts'
import { createGroups } from './groups.ts'
import { createLaggards, type Endurance } from './laggards.ts'
import { keep } from './lane.ts'
import type { Lane, Member } from './member.ts'
import type { Meters } from './meters.ts'
import { createPace } from './pace.ts'
import type { Patience } from './patience.ts'
import { createSeating } from './seating.ts'
import { digestsOf, owedTo, type Digests } from './stands.ts'
import { createWatch } from './watch.ts'

export type { Member, Sink } from './member.ts'

export type FanoutLimits = Backlog &
  Endurance & {
    /** When what is pending weighs more, it is flushed at once. */
    burst: number
  }
export const FANOUT_LIMITS: FanoutLimits = {
  backlog: 256 * 1024,
  patience: 1_000,
  unanswered: 512 * 1024,
  cutAfter: 5_000,
  forgiveAfter: 10_000,
  outbox: { maxItems: 5_000, maxWeight: 512 * 1024 },
  burst: 8 * 1024 * 1024
}

const LAG_PACE = 10

export type Fanout = ReturnType<typeof createFanout>

export type FanoutOptions = {
  plant: Plant
  clock: () => number
  timers: Timers
  patience: Patience
  /** Milliseconds; 0 flushes at the end of each turn of the event loop. */
  flushEvery: number
  limits: FanoutLimits
  meters: Meters
}

export function createFanout(options: FanoutOptions) {
  const { plant, clock, timers, patience, flushEvery, limits, meters } = options
  const dirty: Lane[] = []
  const groups = createGroups(plant, hear, (lane) => grid.leave(lane))
  const { move, leave } = createSeating(groups)
  const grid = createGrid(clock, timers, (lanes) => {
    for (const lane of lanes) mark(lane)
    pace.due()
  })
  const delivery = createDelivery(limits, meters, clock(), (member, _group, positions) => {
    laggards.detach(member, positions)
    watch.begin()
  })
  const laggards = createLaggards(plant, patience, limits, meters, delivery, move)
  const pace = createPace(clock, timers, flushEvery, flush)
  // While anyone is behind or slow they are looked after at the pace of the flush, even when nothing is published.
  const watch = createWatch(timers, Math.max(flushEvery, LAG_PACE), () => {
    catchUp()
    return laggards.isAnyone()
  })
  let arrivals = 0
  let weight = 0

  function mark(lane: Lane): void {
    if (lane.isMarked) return
    lane.isMarked = true
    dirty.push(lane)
  }

  function flush(now: number): void {
    weight = 0
    delivery.flush(dirty.splice(0), now)
    groups.forget()
  }

  function hear(lane: Lane, event: Published): void {
    keep(lane, event, ++arrivals)
    if (lane.contract.delivery === 'sampled') return grid.wait(lane)
    mark(lane)
    weight += weigh(event)
    if (weight > limits.burst) pace.fire()
    else pace.due()
  }

  function catchUp(): void {
    laggards.catchUp(clock(), settle)
    groups.forget()
  }

  function settle(member: Member, all = false): void {
    // `all`: also what a sampled topic has for its next time.
    const { group, behind, starts } = member
    if (!group || behind || (!all && dirty.length === 0)) return
    const lanes = [...group.lanes.values()].filter(
      (lane) => lane.pending.length > 0 && (all || lane.contract.delivery !== 'sampled') && (starts?.get(lane) ?? -1) < lane.seq
    )
    delivery.flushMember(member, lanes, clock())
  }

  return {
    settle,
    say: (member: Member, text: string) => delivery.say(member, text, clock()),
    // Someone is at the door, who will ask for something.
    expect: pace.joined,
    /** After `missed`, the events after `positions` of the topics that are new to it, it is given what comes, each once. */
    join(member: Member, missed: readonly Published[], positions: ReadonlyMap<string, number>): void {
      move(member)
      const { behind, group } = member
      if (!group) return laggards.retire(member)
      if (behind) {
        const held = [...behind.positions].filter(([topic]) => member.topics.has(topic))
        behind.positions = new Map([...held, ...positions])
        return
      }
      const batch = joinedBatch(plant, member, group, missed, positions, clock())
      if (!batch) return
      delivery.write(member, batch)
      pace.joined()
      // What was rendered for those who join together is forgotten with the next flush.
      pace.due()
    },

    encode(member: Member, encoding: Encoding): void {
      // From here on everything is in this encoding.
      settle(member, true)
      member.encoding = encoding
      move(member)
    },

    drop(member: Member): void {
      // For good: the connection is gone.
      settle(member)
      leave(member)
      laggards.drop(member)
    },

    /** Of each topic of which it is given each event, where it stands; of those alone that went on since then. */
    standing: (member: Member, since?: number): Digests => (member.behind ? {} : digestsOf(plant, member, since)),

    /** How many events a member that is behind has not been given yet. */
    owed: (member: Member): number => owedTo(plant, member),

    flush: pace.fire,
    catchUp,
    stats: () => ({ ...groups.stats(), behind: laggards.behind(), slow: laggards.slow(), flushEvery: pace.interval() }),
    stop() {
      pace.stop()
      grid.stop()
      watch.stop()
    }
  }
}
