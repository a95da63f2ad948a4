/** Who led as far as this client heard, and so which decision of the arbiter is a failover to it. */
import type { Published, Status } from '@tickwire/protocol'
import type { Failover } from './state.ts'

export function createReigns() {
  const reigns = new Map<string, { leader: string; out: boolean }>()
  return {
    /**
     * What is heard first of a topic tells how things stand, and may be long ago. A first choice among those that come in
     * replaces nobody, but after an outage.
     */
    heard({ topic, instrument, kind, leader, cause, reason }: Published<Status>): Failover | undefined {
      const before = reigns.get(topic)
      if (leader === undefined) {
        if (cause === 'unsubscribed') reigns.delete(topic)
        else if (before) before.out = true
        return undefined
      }
      reigns.set(topic, { leader, out: false })
      if (!before || before.leader === leader || (cause === 'first' && !before.out)) return undefined
      return { instrument, kind, previous: before.leader, leader, cause, reason }
    }
  }
}
