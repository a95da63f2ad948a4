/**
 * Pictures that were handed out on request. Of state the plant keeps the newest alone; but whoever was handed an older one, and is
 * told the differences from then on, must be told every level that has changed since: so for a while those stay known. Pure.
 */
import type { Published } from '@tickwire/protocol'
import type { Plant } from './plant.ts'

/** Nobody joins a snapshot that is older than this to a stream of differences. */
const KEPT_FOR = 30_000

export function createHanded({ last, recent }: Pick<Plant, 'last' | 'recent'>, clock: () => number) {
  const handed = new Map<string, { event: Published; until: number }[]>()
  const forget = (topic: string, now: number): void => {
    const kept = handed.get(topic)?.filter(({ until }) => until > now) ?? []
    if (kept.length > 0) handed.set(topic, kept)
    else handed.delete(topic)
  }
  return {
    /** The last value, remembered. */
    hand: (topic: string): Published | undefined => {
      const now = clock()
      for (const each of handed.keys()) forget(each, now)
      const event = last(topic)
      if (!event) return undefined
      const kept = handed.get(topic) ?? []
      const known = kept.find((one) => one.event === event)
      if (known) known.until = now + KEPT_FOR
      else handed.set(topic, [...kept, { event, until: now + KEPT_FOR }])
      return event
    },

    /** The last `count` events of a topic as far as they are known, oldest first. */
    recent: (topic: string, count: number): readonly Published[] => {
      const events = recent(topic, count)
      const kept = handed.get(topic)
      const newest = events.at(-1)
      if (!kept || !newest) return events
      const oldest = events[0]!.seq
      return [...kept.map(({ event }) => event).filter(({ seq }) => seq > newest.seq - count && seq < oldest), ...events]
    }
  }
}
