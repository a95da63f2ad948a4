/** The road up: from the topics that someone reads to the subscriptions that providers are asked for. */
import { ACCOUNT_KINDS, DATA_KINDS, isArbitrated, nameOf, type DataKind, type Kind, type Topic } from '@tickwire/protocol'
import type { Subscription } from '../providers/adapter.ts'
import { keyOf } from '../connection/asks.ts'
import { judge, type Hub, type Place, type Provider } from './hub.ts'

/** What we say ourselves comes by itself: nobody is asked for it. */
const isData = (kind: Kind): kind is DataKind => (DATA_KINDS as readonly Kind[]).includes(kind)
export const isNotice = ({ kind }: Topic): boolean => !isData(kind)

/** A user's own account is asked for only where he said so. */
const isPrivate = (kind: Kind): boolean => (ACCOUNT_KINDS as readonly Kind[]).includes(kind)

/** What a topic needs, of whom; nothing of a provider whose listing is not there yet. */
export function placesOf({ providers, instruments }: Hub, topic: Topic): Place[] {
  const { kind, instrument, interval } = topic
  const places: Place[] = []
  if (!isData(kind)) return places
  for (const [provider, { adapter, source }] of providers) {
    if ((topic.provider ?? provider) !== provider || !adapter.kinds.includes(kind)) continue
    if (isPrivate(kind) && source.readAccess().account !== true) continue
    const whole = adapter.whole?.includes(kind) ?? false
    const symbol = whole ? '*' : instruments.symbolOf(provider, instrument)
    if (symbol === undefined || adapter.carries?.({ kind, symbol }) === false) continue
    if (kind !== 'candle') places.push({ kind, symbol, provider, instrument: whole ? 'all' : instrument })
    else if (interval !== undefined && (adapter.streams ?? adapter.intervals).includes(interval))
      places.push({ kind, symbol, interval, provider, instrument })
  }
  return places
}

export function isLive(hub: Hub, topic: Topic): boolean {
  return placesOf(hub, topic).some((place) => hub.providers.get(place.provider)!.pool.isLive(place))
}

export function attach(hub: Hub, topic: Topic): void {
  const name = nameOf(topic)
  for (const place of placesOf(hub, topic)) {
    const key = `${place.provider}|${keyOf(place)}`
    const known = hub.users.get(key)
    if (known) {
      known.topics.add(name)
      continue
    }
    hub.users.set(key, { place, topics: new Set([name]) })
    const { kind, provider, instrument } = place
    if (isArbitrated(kind)) judge(hub, { type: 'subscribed', now: hub.clock(), kind, provider, instrument })
    ask(hub.providers.get(provider)!, place)
  }
}

/** Topics wanted in one turn are asked of the provider together. */
function ask({ asking, pool }: Provider, place: Place): void {
  if (asking.push(place) > 1) return
  queueMicrotask(() => pool.want(asking.splice(0).map(subscriptionOf)))
}

const subscriptionOf = ({ kind, symbol, interval }: Place): Subscription =>
  interval === undefined ? { kind, symbol } : { kind, symbol, interval }

export function detach(hub: Hub, topic: Topic): void {
  const name = nameOf(topic)
  for (const [key, { place, topics }] of hub.users) {
    if (!topics.delete(name) || topics.size > 0) continue
    hub.users.delete(key)
    const { kind, provider, instrument } = place
    hub.providers.get(provider)!.pool.drop([place])
    if (isArbitrated(kind)) judge(hub, { type: 'unsubscribed', now: hub.clock(), kind, provider, instrument })
  }
}
