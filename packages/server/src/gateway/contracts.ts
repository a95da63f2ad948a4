/** What was asked of a topic's delivery, what is in force, and what an event is under it. Pure. */
import {
  COUNTED_KINDS,
  DEFAULT_CONTRACT,
  SAMPLED,
  type AskedContract,
  type Contract,
  type Kind,
  type Published
} from '@tickwire/protocol'

export { narrow } from '@tickwire/protocol'

/** Whether each event of a topic counts: such are never replaced by newer ones. */
export const isCounted = (topic: string): boolean => COUNTED_KINDS.has(topic.slice(0, topic.indexOf(':')) as Kind)

function deliveryOf({ delivery = 'every', interval = 0, maxRate }: AskedContract): Contract {
  if (maxRate === undefined) return delivery === 'sampled' ? { delivery, interval } : { delivery }
  const kept = Math.min(SAMPLED.most, Math.max(SAMPLED.least, interval, Math.ceil(1_000 / maxRate)))
  return { delivery: 'sampled', interval: kept }
}

/** The contract in force for a topic of which this was asked. */
export function contractFor(topic: string, asked: AskedContract): Contract {
  const { fields, maxAge } = asked
  const counted = isCounted(topic)
  const contract: Contract = counted ? { delivery: 'every' } : deliveryOf(asked)
  if (fields !== undefined) contract.fields = fields === 'lite' ? fields : [...new Set(fields)].toSorted()
  if (maxAge !== undefined && !counted) contract.maxAge = maxAge
  return contract
}

/** What holds for a client that is slow: the newest instead of each. */
export const slowed = (topic: string, contract: Contract): Contract =>
  contract.delivery === 'every' && !isCounted(topic) ? { ...contract, delivery: 'latest' } : contract

/** Equal for equal contracts. */
export function keyOf({ delivery, interval, fields, maxAge }: Contract = DEFAULT_CONTRACT): string {
  const what = fields === undefined || fields === 'lite' ? (fields ?? '') : JSON.stringify(fields)
  return `${delivery[0]}${interval ?? ''}/${maxAge ?? ''}/${what}`
}

/** A closed candle is a bar of its own, for which only a revision of it may stand; nothing but closed ones have a start here. */
const barOf = (event: Published): number | undefined => (event.type === 'candle' && event.closed ? event.start : undefined)

/** What a newer event may stand for: one of the same type; but for a closed candle only one of the same bar. */
export const sameSort = (one: Published, other: Published): boolean => one.type === other.type && barOf(one) === barOf(other)

/** The newest of each sort, in their order. */
export function newestOf(events: readonly Published[]): readonly Published[] {
  const seen = new Set<string>()
  const newest: Published[] = []
  for (const event of events.toReversed()) {
    const sort = `${event.type} ${barOf(event) ?? ''}`
    if (!seen.has(sort)) newest.push(event)
    seen.add(sort)
  }
  return newest.reverse()
}
