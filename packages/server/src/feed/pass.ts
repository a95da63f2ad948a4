/** What is passed on as it comes, without a leader: marks, indices, halts, bands, corrections; news and the user's own account. */
import { topicName, type DataEvent, type Halt } from '@tickwire/protocol'
import type { Decoded } from '../connection/connection.ts'
import { judge, type Hub } from './hub.ts'
import { impossible } from '../arbiter/possible.ts'
import { stamp, stampNews } from './stamp.ts'

const STOPPED: ReadonlySet<Halt['state']> = new Set(['halted', 'paused', 'quoting', 'closed'])

/** On the instrument's topic and on the provider's own. */
export function pass(hub: Hub, event: DataEvent): void {
  const { type, instrument, provider } = event
  if (isRefused(hub, event)) return
  if (type === 'halt') judge(hub, { type: 'halt', instrument, since: STOPPED.has(event.state) ? event.time : undefined })
  hub.plant.publish(topicName(type, instrument, provider), event, hub.clock())
  hub.plant.publish(topicName(type, instrument), event, hub.clock())
}

/**
 * News goes to `news:all@provider` alone: the news service makes one story of what several tell, and tells that. What is of the
 * user's account goes to `kind:all` and to the topic of its instrument.
 */
export function passWhole(hub: Hub, provider: string, m: Decoded, received: number): void {
  const { instruments, plant, clock } = hub
  const instrumentOf = (symbol: string) => instruments.instrumentOf(provider, symbol)
  const event =
    m.type === 'news'
      ? stampNews(m, provider, received, instrumentOf)
      : stamp(m, provider, (m.symbol === '*' ? 'all' : instrumentOf(m.symbol)) ?? m.symbol, received)
  if (isRefused(hub, event)) return
  plant.publish(topicName(event.type, 'all', provider), event, clock())
  if (event.type === 'news') return
  plant.publish(topicName(event.type, 'all'), event, clock())
  if (event.instrument !== 'all') plant.publish(topicName(event.type, event.instrument), event, clock())
}

function isRefused(hub: Hub, event: DataEvent): boolean {
  const refused = impossible(event)
  if (refused === undefined) return false
  hub.providers.get(event.provider)?.pool.refused(refused)
  judge(hub, { type: 'refused', provider: event.provider })
  return true
}
