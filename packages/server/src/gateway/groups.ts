/** Who listens to what: groups of members with equal lanes, and the lanes, which all groups share. */
import type { Contract, Encoding, Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import type { Plant } from '../plant/plant.ts'
import { keyOf } from './contracts.ts'
import { createForm, type Form } from './form.ts'
import { createLane } from './lane.ts'
import { askedOf, contractOf, type Group, type Lane, type Member } from './member.ts'

/** `hear` is called for each event of a topic that any group holds, once per lane. */
export function createGroups(plant: Plant, hear: (lane: Lane, event: Published) => void, gone: (lane: Lane) => void) {
  const groups = new Map<string, Group>()
  const lanes = new Map<string, Lane>()
  const forms = new Map<string, Form>()
  let solos = 0

  const formOf = (key: string, dialect: Dialect<any>, encoding: Encoding, fields: Contract['fields']): Form => {
    let form = forms.get(key)
    if (!form) forms.set(key, (form = createForm(dialect, encoding, fields)))
    return form
  }

  const openLane = (key: string, topic: string, member: Member, contract: Contract): Lane => {
    const { dialect, encoding } = member
    const { fields } = contract
    const look = `${dialect.name} ${encoding} ${JSON.stringify(fields)}`
    const form = dialect.shared ? formOf(look, dialect, encoding, fields) : undefined
    const lane = createLane(key, topic, contract, form, askedOf(member, topic).delivery === 'every')
    form?.open(topic)
    const { stop, position } = plant.subscribe(topic, (event) => {
      lane.seq = event.seq
      hear(lane, event)
    })
    lane.seq = position.seq
    lane.stop = () => {
      stop()
      lanes.delete(key)
      form?.close(topic)
      if (form?.isEmpty()) forms.delete(look)
      gone(lane)
    }
    lanes.set(key, lane)
    return lane
  }

  /** Only a shared dialect's renderings are shared, so the lanes of the others are common to them all. */
  const laneOf = (member: Member, topic: string): Lane => {
    const { dialect, encoding } = member
    const contract = contractOf(member, topic)
    // What is too old is told to those alone who asked for each.
    const owes = contract.maxAge !== undefined && askedOf(member, topic).delivery === 'every' ? '!' : ''
    const own = dialect.contracts ? `${keyOf(contract)}${owes} ${topic}` : topic
    const key = dialect.shared ? `${dialect.name} ${encoding} ${own}` : own
    return lanes.get(key) ?? openLane(key, topic, member, contract)
  }

  const open = (key: string, { dialect, encoding, deflate }: Member, held: ReadonlyMap<string, Lane>): Group => {
    const group: Group = { key, dialect, encoding, deflate, lanes: held, members: new Set(), due: [] }
    for (const lane of held.values()) lane.groups.add(group)
    groups.set(key, group)
    return group
  }

  /** Equal sets of lanes are found by a hash that does not depend on the order in which they were asked for. */
  const find = (member: Member): Group => {
    const held = new Map<string, Lane>()
    for (const topic of member.topics) held.set(topic, laneOf(member, topic))
    if (!member.dialect.shared) return open(`solo ${++solos}`, member, held)
    const hash = `${member.deflate ? 'deflate ' : ''}${hashOf([...held.values()].map(({ key }) => key))}`
    for (let nth = 0; ; nth++) {
      const key = `${hash} ${nth}`
      const group = groups.get(key)
      if (!group) return open(key, member, held)
      if (sameLanes(group.lanes, held)) return group
    }
  }

  const close = (group: Group): void => {
    for (const lane of group.lanes.values()) {
      lane.groups.delete(group)
      if (lane.groups.size === 0) lane.stop()
    }
    groups.delete(group.key)
  }

  return {
    find,
    close,
    /** The flush is over. */
    forget(): void {
      for (const form of forms.values()) form.forget()
    },
    stats: () => ({ groups: groups.size, lanes: lanes.size })
  }
}

/** FNV-1a of each name, added up: equal sets have equal sums whatever their order. */
export function hashOf(names: Iterable<string>): string {
  let low = 0
  let high = 0
  let size = 0
  for (const name of names) {
    let hash = 0x811c9dc5
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    low = (low + hash) >>> 0
    high = (high + Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) >>> 0
    size++
  }
  return `${size}.${low}.${high}`
}

const sameLanes = (a: ReadonlyMap<string, Lane>, b: ReadonlyMap<string, Lane>): boolean =>
  a.size === b.size && [...a].every(([topic, lane]) => b.get(topic) === lane)
