/** The topics that one session holds, what it asked upstream for each, and what a newly held one begins with. */
import {
  isPureState,
  type AskedContract,
  type Contract,
  type Position,
  type Published,
  type Topic,
  type TopicResult
} from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { contractFor, isCounted, keyOf, newestOf } from './contracts.ts'
import type { Limits } from './limits.ts'
import { askedOf, contractOf, type Member } from './member.ts'
import type { Place } from './quotas.ts'
import { refusal, type Understand, type Understood } from './understand.ts'

export type Demand = (topic: Topic) => { upstream: 'live' | 'pending'; release: () => void }

/** What a subscribe says of all its topics. */
export type Wanted = { resume?: Readonly<Record<string, Position>> | undefined; contract?: AskedContract | undefined }
/** What a subscribe still owes: the events, and where each topic's reader stands before them; `changed`: contracts. */
export type Missed = { events: Published[]; positions: Map<string, number>; changed: boolean }

const nothing = () => {}

/** What a member and the server agree on, topic by topic. */
function createTerms(member: Member) {
  return {
    /** The contract in force, to the clients that know of any. */
    inForce: (name: string): { contract?: Contract } => (member.dialect.contracts ? { contract: contractOf(member, name) } : {}),

    /** Returns whether another one is in force now, or will be once a slow client has caught up. */
    agree: (name: string, asked: AskedContract | undefined): boolean => {
      if (!asked) return false
      const before = keyOf(askedOf(member, name))
      member.contracts.set(name, contractFor(name, asked))
      return keyOf(askedOf(member, name)) !== before
    }
  }
}

const isConflated = (member: Member, { topic }: Published): boolean =>
  !isCounted(topic) && askedOf(member, topic).delivery !== 'every'

/** Closed candles are replaced by nothing but their revisions. */
const isNewestEnough = (member: Member, last: Published): boolean =>
  !isCounted(last.topic) && (isPureState(last) || (isConflated(member, last) && last.type !== 'candle'))

/**
 * A reader whose digest is another has lost or doubled something without knowing. It is no longer known only where so much is missed
 * that a reader of each event is refused anyhow, and one of the newest is given what replaced it all.
 */
function isProven(plant: Plant, name: string, { seq, digest }: Position): boolean {
  const ours = plant.digestAt(name, seq)
  return digest === undefined || ours === undefined || ours === digest
}

export function createHolding(
  member: Member,
  {
    plant,
    understand,
    demand,
    limits,
    place
  }: { plant: Plant; understand: Understand; demand: Demand; limits: Limits; place?: Place | undefined }
) {
  const releases = new Map<string, () => void>()
  const { topics } = member
  const { epoch } = plant
  const here = (name: string): Position => plant.position(name)

  const { inForce, agree } = createTerms(member)

  /** Notices (statuses, gaps) have a bound of their own, so that they never crowd out data. */
  const hasRoom = (data: boolean): boolean =>
    data ? releases.size < limits.topics : topics.size - releases.size < 2 * limits.topics

  const ask = ({ topic, name, data }: Understood): 'live' | 'pending' => {
    if (!data) return 'live'
    const { upstream, release } = demand(topic)
    releases.set(name, release)
    return upstream
  }

  /** As held, or as it would be. */
  const again = ({ topic, name, data }: Understood, asked: string): TopicResult => {
    if (!data) return { asked, topic: name, ok: true, position: here(name), ...inForce(name), upstream: 'live' }
    const { upstream, release } = demand(topic)
    release()
    return { asked, topic: name, ok: true, position: here(name), ...inForce(name), upstream }
  }

  /** Without a usable position a reader begins with the last value. */
  const begin = (name: string, missed: Missed): Position => {
    const last = plant.last(name)
    const position = here(name)
    missed.positions.set(name, last ? position.seq - 1 : position.seq)
    if (last) missed.events.push(last)
    return position
  }

  /** Where only the newest counts, whoever has an older one of this epoch is given that. */
  const goOnWithNewest = (name: string, since: Position, last: Published, missed: Missed): Position | undefined => {
    if (since.epoch !== epoch || since.seq > last.seq) return undefined
    if (since.seq < last.seq) missed.events.push(last)
    missed.positions.set(name, since.seq < last.seq ? last.seq - 1 : last.seq)
    return here(name)
  }

  /** Returns nothing when what was missed since then is no longer kept, or too much to be given. */
  const goOn = (name: string, since: Position, missed: Missed): Position | undefined => {
    const last = plant.last(name)
    if (since.epoch === epoch && !isProven(plant, name, since)) return undefined
    if (last && isNewestEnough(member, last)) return goOnWithNewest(name, since, last, missed)
    const joined = plant.subscribe(name, nothing, since)
    joined.stop()
    const events = last && isConflated(member, last) ? newestOf(joined.missed) : joined.missed
    if (!joined.recovered || missed.events.length + events.length > limits.replay) return undefined
    missed.positions.set(name, joined.position.seq - joined.missed.length)
    for (const event of events) missed.events.push(event)
    return here(name)
  }

  return {
    take(asked: string, { resume, contract }: Wanted, missed: Missed): TopicResult {
      const understood = understand(asked)
      if (!understood.ok) return understood
      const { name, data } = understood
      if (topics.has(name)) {
        if (agree(name, contract)) missed.changed = true
        return again(understood, asked)
      }
      if (!hasRoom(data)) {
        const message = `this client holds ${releases.size} topics and may hold ${limits.topics}; those stay`
        return refusal(asked, 'TOO_MANY_SYMBOLS', message)
      }
      if (data && place?.take() === false)
        return refusal(asked, 'TOO_MANY_SYMBOLS', 'the connections of this address or user hold all the topics they may')
      const upstream = ask(understood)
      topics.add(name)
      agree(name, contract)
      const since = resume && positionIn(resume, asked, name)
      if (since === undefined) return { asked, topic: name, ok: true, position: begin(name, missed), ...inForce(name), upstream }
      const position = goOn(name, since, missed)
      const recovered = position !== undefined
      return { asked, topic: name, ok: true, position: position ?? begin(name, missed), ...inForce(name), recovered, upstream }
    },

    letGo(asked: string): TopicResult {
      const understood = understand(asked)
      if (!understood.ok) return understood
      const { name } = understood
      topics.delete(name)
      member.contracts.delete(name)
      releases.get(name)?.()
      if (releases.delete(name)) place?.give()
      return { asked, topic: name, ok: true, position: here(name), upstream: 'live' }
    },

    end(): void {
      for (const release of releases.values()) {
        release()
        place?.give()
      }
      releases.clear()
    }
  }
}

/** A client may name the position as it wrote the topic, or by the canonical name. */
const positionIn = (resume: Readonly<Record<string, Position>>, asked: string, name: string): Position | undefined =>
  Object.hasOwn(resume, asked) ? resume[asked] : Object.hasOwn(resume, name) ? resume[name] : undefined
