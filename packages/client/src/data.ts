/** What a data frame means to the reader: events in order, each once; what the server dropped; what never came. */
import type { DataFrame, Published } from '@tickwire/protocol'
import { admit, forgo } from './position.ts'
import type { Connection, Effect } from './state.ts'

/** `status:` and `gap:` of a subscribed instrument arrive unasked. */
const isNotice = (topic: string): boolean => topic.startsWith('status:') || topic.startsWith('gap:')

export function data(c: Connection, frame: DataFrame): Effect[] {
  const effects: Effect[] = []
  let fresh: Published[] | undefined
  const say = (effect: Effect): void => {
    effects.push(effect)
    fresh = undefined
  }
  for (const item of frame) {
    const lane = c.lanes.get(item.topic)
    if ('op' in item) {
      if (lane) forgo(lane, item.to)
      say({ type: 'lost', report: { topic: item.topic, count: item.count, from: item.from, to: item.to, where: 'server' } })
      continue
    }
    const verdict = lane ? admit(lane, item.seq) : isNotice(item.topic) ? unasked(c, item) : undefined
    if (!verdict?.fresh) continue
    if (verdict.hole) say({ type: 'gap', report: { source: 'connection', topic: item.topic, ...verdict.hole } })
    if (!fresh) effects.push({ type: 'deliver', events: (fresh = []) })
    fresh.push(item)
  }
  return effects
}

/** A notice's place is kept in memory apart: nobody resumes it, and its holes are nobody's loss. */
function unasked(c: Connection, event: Published): { fresh: boolean; hole?: never } {
  const seen = c.notices.get(event.topic) ?? 0
  if (event.seq <= seen) return { fresh: false }
  c.notices.set(event.topic, event.seq)
  return { fresh: true }
}
