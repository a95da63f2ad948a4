/** What a data frame means to the reader: events in order, each once; what the server dropped; what never came. */
import type { DataFrame, Published } from '@tickwire/protocol'
import { admit, check, forgo, type Verdict } from './position.ts'
import type { Connection, Contracted, Effect } from './state.ts'

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
      const { topic, count, from, to, reason } = item
      say({
        type: 'lost',
        report:
          c.via === 'polling' ? { topic, count, from, to, where: 'polling' } : { topic, count, from, to, where: 'server', reason }
      })
      continue
    }
    const verdict = lane ? admit(lane, item) : isNotice(item.topic) ? unasked(c, item) : undefined
    if (!verdict?.fresh) continue
    const hole = verdict.hole ?? verdict.broken
    if (hole) say({ type: 'gap', report: { source: verdict.hole ? 'connection' : 'digest', topic: item.topic, ...hole } })
    if (!fresh) effects.push({ type: 'deliver', events: (fresh = []) })
    fresh.push(item)
  }
  return effects
}

/** A notice's place is kept in memory apart: nobody resumes it, and its holes are nobody's loss. */
function unasked(c: Connection, event: Published): Verdict {
  const seen = c.notices.get(event.topic) ?? 0
  if (event.seq <= seen) return { fresh: false }
  c.notices.set(event.topic, event.seq)
  return { fresh: true }
}

/** Where the server says that we stand, against where we are. */
export function digests(c: Connection, told: Readonly<Record<string, readonly [seq: number, digest: number]>>): Effect[] {
  return Object.entries(told).flatMap(([topic, [seq, digest]]): Effect[] => {
    const lane = c.lanes.get(topic)
    const span = lane && check(lane, seq, digest)
    return span ? [{ type: 'gap', report: { source: 'digest', topic, ...span } }] : []
  })
}

/** The server delivers these otherwise from here on. */
export function agree(c: Connection, { topics, contract, reason }: Contracted): Effect[] {
  for (const topic of topics) {
    const lane = c.lanes.get(topic)
    if (!lane) continue
    lane.contract = contract
    lane.digest = undefined
  }
  return [{ type: 'contract', report: { topics, contract, reason } }]
}
