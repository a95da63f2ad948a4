/** Last values for REST: a read keeps its topic subscribed upstream for a while, and waits for a first value. */
import { isTopicError, parseTopic, type Published, type Topic } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import type { Demand } from './holding.ts'

/** How long a topic stays subscribed after it was last read, and how long a first read waits. */
const HOLD = 60_000
const WAIT = 3_000
/** As many topics are held for all who read; for one more, that which nobody read for the longest time is let go. */
const MOST = 2_000

type ReaderOptions = { plant: Plant; demand: Demand; timers: Timers; most?: number }

export function createReader({ plant, demand, timers, most = MOST }: ReaderOptions) {
  /** The longest unread first. */
  const held = new Map<string, { release: () => void; cancel: Cancel }>()

  const letGo = (name: string): void => {
    const known = held.get(name)
    known?.cancel()
    known?.release()
    held.delete(name)
  }
  const letGoLater = (name: string): Cancel => timers.after(HOLD, () => letGo(name))

  /** Returns true when the value that is there may be old, because nobody had asked for it until now. */
  const hold = (name: string, topic: Topic): boolean => {
    const known = held.get(name)
    if (known) {
      known.cancel()
      known.cancel = letGoLater(name)
      held.delete(name)
      held.set(name, known)
      return false
    }
    const { upstream, release } = demand(topic)
    const [oldest] = held.keys()
    if (held.size >= most && oldest !== undefined) letGo(oldest)
    held.set(name, { release, cancel: letGoLater(name) })
    return upstream === 'pending'
  }

  const next = (name: string, within: number): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        cancel()
        stop()
        resolve()
      }
      const cancel = timers.after(within, done)
      const { stop } = plant.subscribe(name, done)
    })

  return {
    /** Keeps a canonical topic subscribed upstream, for who reads it later or by other means. */
    hold(name: string): void {
      const topic = parseTopic(name)
      if (!isTopicError(topic)) hold(name, topic)
    },
    /** The last value of a canonical topic, waiting for one when its stream has only just begun. */
    async last(name: string): Promise<Published | undefined> {
      const topic = parseTopic(name)
      if (isTopicError(topic)) return undefined
      const fresh = hold(name, topic)
      if (fresh || plant.last(name) === undefined) await next(name, WAIT)
      return plant.last(name)
    },
    stop(): void {
      for (const name of held.keys()) letGo(name)
    }
  }
}
