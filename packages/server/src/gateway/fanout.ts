/**
 * From the plant to the sockets. A lane is one topic under one contract in one form; clients with equal lanes are one group. An
 * event only marks its lanes; at a flush each lane is encoded once, and each client is written once. A client that is behind
 * costs nothing while it is, and is brought up to date when it reads again, or is let go.
 */
import type { Encoding, Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import { weigh } from './arrears.ts'
import { createDelivery, type Backlog } from './delivery.ts'
import { joinedBatch } from './joining.ts'
import { createGrid } from './grid.ts'
import { createGroups } from './groups.ts'
import { createLaggards, type Endurance } from './laggards.ts'
import { keep } from './lane.ts'
import { contractOf, type Lane, type Member } from './member.ts'
import type { Meters } from './meters.ts'
import { createPace } from './pace.ts'
import type { Patience } from './patience.ts'

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

export function createFanout(options: {
  plant: Plant
  clock: () => number
  timers: Timers
  patience: Patience
  /** Milliseconds; 0 flushes at the end of each turn of the event loop. */
  flushEvery: number
  limits: FanoutLimits
  meters: Meters
}) {
  const { plant, clock, timers, patience, flushEvery, limits, meters } = options
  let dirty: Lane[] = []
  const groups = createGroups(plant, hear, (lane) => grid.leave(lane))
  const grid = createGrid(clock, timers, (lanes) => {
    for (const lane of lanes) mark(lane)
    pace.due()
  })
  const delivery = createDelivery(limits, meters, clock(), (member, _group, positions) => {
    laggards.detach(member, positions)
    watch()
  })
  const laggards = createLaggards(plant, patience, limits, meters, delivery, move)
  const pace = createPace(clock, timers, flushEvery, flush)
  let stopWatching: Cancel | undefined
  let arrivals = 0
  let weight = 0

  function mark(lane: Lane): void {
    if (lane.isMarked) return
    lane.isMarked = true
    dirty.push(lane)
  }

  function flush(now: number): void {
    const lanes = dirty
    dirty = []
    weight = 0
    delivery.flush(lanes, now)
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

  /** While anyone is behind or slow, looks after them at the pace of the flush, even when nothing is published. */
  function watch(): void {
    stopWatching ??= timers.after(Math.max(flushEvery, LAG_PACE), () => {
      stopWatching = undefined
      catchUp()
      if (laggards.isAnyone()) watch()
    })
  }

  /** `all`: also what a sampled topic has for its next time. */
  function settle(member: Member, all = false): void {
    const { group, behind, starts } = member
    if (!group || behind || (!all && dirty.length === 0)) return
    const lanes = [...group.lanes.values()].filter(
      (lane) => lane.pending.length > 0 && (all || lane.contract.delivery !== 'sampled') && (starts?.get(lane) ?? -1) < lane.seq
    )
    delivery.flushMember(member, lanes, clock())
  }

  function leave(member: Member): void {
    const { group } = member
    member.group = undefined
    if (!group?.members.delete(member) || group.members.size > 0) return
    groups.close(group)
  }

  /** To the group of what it holds now. What waits for it in a lane that it keeps goes with it; of the others it is given what comes. */
  function move(member: Member): void {
    const { group: old, starts: before } = member
    const group = member.topics.size > 0 ? groups.find(member) : undefined
    // The new one first, so that lanes of both stay open.
    group?.members.add(member)
    if (old !== group) leave(member)
    member.group = group
    const starts = new Map<Lane, number>()
    for (const lane of group?.lanes.values() ?? []) {
      const start = old?.lanes.get(lane.topic) === lane ? before?.get(lane) : lane.seq
      if (start !== undefined && lane.pending.length > 0) starts.set(lane, start)
    }
    member.starts = starts.size > 0 ? starts : undefined
  }

  return {
    settle,

    /**
     * Puts a member with those who hold the same, after `missed`: the events after `positions`, of the topics that are new to it.
     * What is published from now on follows, once.
     */
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
      // What was rendered for those who join together is forgotten with the next flush.
      pace.due()
    },

    /** From here on everything is in this encoding. */
    encode(member: Member, encoding: Encoding): void {
      settle(member, true)
      member.encoding = encoding
      move(member)
    },

    /** For good: the connection is gone. */
    drop(member: Member): void {
      settle(member)
      leave(member)
      laggards.drop(member)
    },

    /** Of each topic of which it is given each event, where it stands: `[seq, digest]`; of those alone that went on since then. */
    standing(member: Member, since = -Infinity): Record<string, [seq: number, digest: number]> {
      const digests: Record<string, [number, number]> = {}
      if (member.behind) return digests
      for (const { topic, seq } of member.group?.lanes.values() ?? []) {
        if (contractOf(member, topic).delivery !== 'every') continue
        if ((plant.last(topic)?.published ?? -Infinity) < since) continue
        const digest = plant.digestAt(topic, seq)
        if (digest !== undefined) digests[topic] = [seq, digest]
      }
      return digests
    },

    /** How many events a member that is behind has not been given yet. */
    owed(member: Member): number {
      let owed = 0
      for (const [topic, seq] of member.behind?.positions ?? []) owed += (plant.last(topic)?.seq ?? seq) - seq
      return owed
    },

    flush: pace.fire,
    catchUp,
    stats: () => ({ ...groups.stats(), behind: laggards.behind(), slow: laggards.slow(), flushEvery: pace.interval() }),
    stop() {
      pace.stop()
      grid.stop()
      stopWatching?.()
    }
  }
}
