/**
 * From the plant to the sockets. Sessions that hold the same topics in the same shared dialect are one group: what is due
 * to it is encoded once per flush and the same bytes are written to every member. A member that is behind leaves its
 * group, costs nothing while it is behind, and is brought up to date when it reads again, or is let go.
 */
import type { Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import { createDelivery, type FanoutLimits } from './delivery.ts'
import { createGroups } from './groups.ts'
import { joinTexts, pendingOf, type Group, type Lane, type Member } from './member.ts'
import type { Meters } from './meters.ts'
import { createPace } from './pace.ts'
import type { Patience } from './patience.ts'
import { createSnapshots } from './snapshots.ts'

export { FANOUT_LIMITS, type FanoutLimits } from './delivery.ts'
export type { Member, Sink } from './member.ts'

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
  const groups = createGroups(plant, hear)
  const delivery = createDelivery(plant, patience, limits, meters, watchLag)
  const snapshots = createSnapshots()
  const dirty = new Set<Group>()
  const pace = createPace(clock, timers, flushEvery, (now) => {
    for (const group of dirty) delivery.flushGroup(group, now)
    dirty.clear()
  })
  let stopWatching: Cancel | undefined

  function hear(lane: Lane, event: Published) {
    const item = pendingOf(event)
    for (const group of lane.groups) {
      group.pending.push(item)
      group.weight += item.weight
      if (group.weight > limits.burst) delivery.flushGroup(group, clock())
      else dirty.add(group)
    }
    pace.due()
  }

  /** While anyone is behind, looks after them at the pace of the flush, even when nothing is published. */
  function watchLag() {
    stopWatching ??= timers.after(Math.max(flushEvery, LAG_PACE), () => {
      stopWatching = undefined
      delivery.catchUp(clock())
      if (delivery.behind() > 0) watchLag()
    })
  }

  /** Takes a member out of its group; what was pending for it there is written first. */
  function leave(member: Member) {
    const { group } = member
    if (!group) return
    delivery.flushMember(member, group, clock())
    member.group = undefined
    group.members.delete(member)
    if (group.members.size === 0) {
      groups.close(group)
      dirty.delete(group)
    }
  }

  return {
    /** Writes what waits for this member, so that a message sent next stands after it. */
    settle(member: Member): void {
      if (member.group) delivery.flushMember(member, member.group, clock())
    },

    /**
     * Puts a member in the group of its topics, after `missed`: the events after `positions`. What is published from now
     * on follows, once.
     */
    join(member: Member, missed: readonly Published[], positions: ReadonlyMap<string, number>): void {
      const now = clock()
      leave(member)
      const { behind } = member
      if (behind) {
        const held = [...behind.positions].filter(([topic]) => member.topics.has(topic))
        behind.positions = new Map([...held, ...positions])
      } else {
        const texts = missed.map((event) => snapshots.textOf(member, event, now)).filter((text) => text !== undefined)
        delivery.write(member, joinTexts(member.dialect, texts))
      }
      if (member.topics.size === 0) {
        delivery.retire(member)
        return
      }
      const group = (member.group = groups.find(member))
      group.members.add(member)
      member.from = group.pending.length
      if (!behind && delivery.isBehind(member)) delivery.detach(member, group)
    },

    /** For good: the connection is gone. */
    drop(member: Member): void {
      leave(member)
      delivery.retire(member)
    },

    /** How many events a member that is behind has not been given yet. */
    owed(member: Member): number {
      let owed = 0
      for (const [topic, seq] of member.behind?.positions ?? []) owed += (plant.last(topic)?.seq ?? seq) - seq
      return owed
    },

    flush: pace.fire,
    catchUp: () => delivery.catchUp(clock()),
    stats: () => ({ ...groups.stats(), behind: delivery.behind() }),
    stop() {
      pace.stop()
      stopWatching?.()
    }
  }
}
