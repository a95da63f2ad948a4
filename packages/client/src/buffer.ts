/** What waits for a reader that is slower than the stream: bounded, newest state per topic, events in order, drops counted. */
import { isState, type Published } from '@tickwire/protocol'
import type { Lost } from './state.ts'

/** `limit` bounds the events; state takes one place per topic beside them. */
export function createBuffer(limit: number) {
  // A Map keeps the order of insertion: state under its topic, events under a running number.
  const waiting = new Map<string | number, Published>()
  let oldest = 0
  let next = 0
  let dropped = new Map<string, Lost>()

  const drop = (): void => {
    const event = waiting.get(oldest)!
    waiting.delete(oldest++)
    const known = dropped.get(event.topic)
    if (known) Object.assign(known, { count: known.count + 1, to: event.seq })
    else dropped.set(event.topic, { topic: event.topic, count: 1, from: event.seq, to: event.seq, where: 'iterator' })
  }

  return {
    push(event: Published): void {
      if (isState(event)) {
        waiting.set(event.topic, event)
        return
      }
      waiting.delete(event.topic) // the forming candle that this closed one completes
      if (next - oldest >= limit) drop()
      waiting.set(next++, event)
    },

    take(): Published | undefined {
      for (const [key, event] of waiting) {
        waiting.delete(key)
        if (typeof key === 'number') oldest = key + 1
        return event
      }
      return undefined
    },

    /** What was dropped since the last call, one report per topic. */
    lost(): Lost[] {
      if (dropped.size === 0) return []
      const reports = [...dropped.values()]
      dropped = new Map()
      return reports
    },

    size: (): number => waiting.size
  }
}
