/** Where a replay goes on with what the live plant publishes: each event once, in order, and a gap where some are not known any more. */
import { isPureState, nameOf, topicName, type DataKind, type Gap, type Published, type Topic } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Heard } from './stage.ts'

/** What is live, as a replay may use it: it reads, and asks for what its readers hold. */
export type Live = {
  plant: Pick<Plant, 'subscribe' | 'recent' | 'last' | 'position'>
  demand: (topic: Topic) => { release: () => void }
}

export type SeamOptions = {
  live: Live
  /** The replay's own: what comes from here on carries no mark. */
  plant: Pick<Plant, 'publish' | 'last'>
  /** Where the recording ended, and where live begins. */
  end: number
  seam: number
  /** Where each recorded topic stood at its end. */
  heard: (topic: string) => Heard | undefined
}

export type Seam = ReturnType<typeof openSeam>

/** As many as any topic remembers. */
const ALL = Number.MAX_SAFE_INTEGER
/** Of these each counts, so that it is told if some are missing. */
const COUNTS: ReadonlySet<string> = new Set(['trade', 'correction', 'news'])

/** What was published after the recording's last, oldest first, and whether nothing is missing before it. */
export function missedOf(
  kept: readonly Published[],
  last: Heard | undefined,
  end: number
): { events: Published[]; whole: boolean } {
  const found = last && kept.findIndex(({ seq, published }) => seq === last.seq && published === last.published)
  if (found !== undefined && found >= 0) return { events: kept.slice(found + 1), whole: true }
  const after = kept.findIndex(({ published }) => published > end)
  const events = after < 0 ? [] : kept.slice(after)
  // One that is older than the end is still remembered: so is all that came after it.
  return { events, whole: kept.length > 0 && kept[0]!.published <= end }
}

export function openSeam({ live, plant, end, seam, heard }: SeamOptions) {
  const held = new Map<string, () => void>()

  const pass = (event: Published): void => {
    // A copy: the plant writes its own sequence into what it publishes.
    plant.publish(event.topic, { ...event }, event.published)
  }
  const tellGap = ({ instrument, kind }: Topic, to: number): void => {
    const gap: Gap = {
      type: 'gap',
      provider: '',
      instrument,
      time: seam,
      received: seam,
      kind: kind as DataKind,
      from: end,
      to,
      cause: 'disconnect',
      action: 'open'
    }
    plant.publish(topicName('gap', instrument), gap, seam)
  }

  /** What came while the replay caught up. */
  const missed = (topic: Topic): readonly Published[] => {
    const name = nameOf(topic)
    const { events, whole } = missedOf(live.plant.recent(name, ALL), heard(name), end)
    if (COUNTS.has(topic.kind) && !whole) tellGap(topic, events[0]?.published ?? seam)
    const newest = events.at(-1)
    return newest && isPureState(newest) ? [newest] : events
  }

  const open = (topics: readonly Topic[]): void => {
    // All are listened to before any is asked for: whoever is asked may answer at once.
    const stops = topics.map((topic) => live.plant.subscribe(nameOf(topic), pass).stop)
    for (const [i, topic] of topics.entries()) {
      const { release } = live.demand(topic)
      held.set(nameOf(topic), () => {
        stops[i]?.()
        release()
      })
    }
  }

  return {
    /** In one turn, so that nothing is published in between. */
    begin(topics: readonly Topic[]): void {
      const events = topics.flatMap(missed).toSorted((a, b) => a.published - b.published)
      for (const event of events) pass(event)
      open(topics)
    },

    /** One more topic, from its last value on. */
    hold(topic: Topic): void {
      const name = nameOf(topic)
      const last = live.plant.last(name)
      if (last && (plant.last(name)?.published ?? -Infinity) < last.published) pass(last)
      open([topic])
    },

    letGo(topic: Topic): void {
      const name = nameOf(topic)
      held.get(name)?.()
      held.delete(name)
    },

    stop(): void {
      for (const stop of held.values()) stop()
      held.clear()
    }
  }
}
