/** Who listens to what: groups of members with equal topics, each hearing the plant through lanes that it shares. */
import type { Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import type { Plant } from '../plant/plant.ts'
import type { Group, Lane, Member } from './member.ts'

/** `hear` is called for each event of a topic that any group holds, once per family of groups. */
export function createGroups(plant: Plant, hear: (lane: Lane, event: Published) => void) {
  const groups = new Map<string, Group>()
  const lanes = new Map<string, Lane>()
  let solos = 0

  const laneOf = (family: string, topic: string): Lane => {
    const key = `${family} ${topic}`
    let lane = lanes.get(key)
    if (!lane) {
      const made: Lane = { topic, seq: 0, groups: new Set(), stop: () => {} }
      const { stop, position } = plant.subscribe(topic, (event) => {
        made.seq = event.seq
        hear(made, event)
      })
      made.seq = position.seq
      made.stop = () => {
        stop()
        lanes.delete(key)
      }
      lanes.set(key, (lane = made))
    }
    return lane
  }

  const openGroup = (key: string, dialect: Dialect<any>, topics: ReadonlySet<string>): Group => {
    const group: Group = { key, dialect, topics, lanes: [], members: new Set(), pending: [], weight: 0 }
    // Only a shared dialect's rendering may be shared, so the lanes of the others are common to them all.
    for (const topic of topics) {
      const lane = laneOf(dialect.shared ? dialect.name : '', topic)
      lane.groups.add(group)
      group.lanes.push(lane)
    }
    groups.set(key, group)
    return group
  }

  const closeGroup = (group: Group) => {
    for (const lane of group.lanes) {
      lane.groups.delete(group)
      if (lane.groups.size === 0) lane.stop()
    }
    groups.delete(group.key)
  }

  /** Groups of equal topics are found by a hash that does not depend on the order in which they were asked for. */
  const find = (member: Member): Group => {
    if (!member.dialect.shared) return openGroup(`solo ${++solos}`, member.dialect, new Set(member.topics))
    const hash = `${member.dialect.name} ${hashOf(member.topics)}`
    for (let nth = 0; ; nth++) {
      const key = `${hash} ${nth}`
      const group = groups.get(key)
      if (!group) return openGroup(key, member.dialect, new Set(member.topics))
      if (sameTopics(group.topics, member.topics)) return group
    }
  }

  return { find, close: closeGroup, stats: () => ({ groups: groups.size, lanes: lanes.size }) }
}

/** FNV-1a of each name, added up: equal sets have equal sums whatever their order. */
export function hashOf(topics: Iterable<string>): string {
  let low = 0
  let high = 0
  let size = 0
  for (const topic of topics) {
    let hash = 0x811c9dc5
    for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193)
    low = (low + hash) >>> 0
    high = (high + Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) >>> 0
    size++
  }
  return `${size}.${low}.${high}`
}

const sameTopics = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((topic) => b.has(topic))
