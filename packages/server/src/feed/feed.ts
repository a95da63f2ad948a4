/** The feed: providers in, the plant's topics out. It wires pools, arbiter and instruments, and asks upstream only for what is wanted. */
import { topicName, type Candle, type Interval, type ProviderStatus, type Topic } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Access, Adapter, Subscription } from '../providers/adapter.ts'
import { admit, createArbiter, type ArbiterInput } from './arbiter.ts'
import { keyOf } from './asks.ts'
import { SETTINGS, type Settings } from './connection.ts'
import { createDemand } from './demand.ts'
import type { Instruments } from './instruments.ts'
import type { Dial } from './link.ts'
import { fetchCandles, fetchListing, type Source } from './lookup.ts'
import { createPool, type Pool, type PoolHooks } from './pool.ts'
import { stamp } from './stamp.ts'

/** As pino writes: fields first, then a constant message. */
type Write = (fields: object, message: string) => void
export type FeedLog = { debug: Write; info: Write; warn: Write; error: Write }

export type FeedSettings = {
  /** How long an upstream subscription outlives its last reader, ms. */
  grace: number
  holdDown: number
  bookLevels: number
  backoff: Settings['backoff']
}

export type FeedOptions = {
  /** The preferred first. */
  providers: readonly { adapter: Adapter; wsUrl: string; restUrl: string; access: Access }[]
  plant: Plant
  instruments: Instruments
  clock: () => number
  random: () => number
  log: FeedLog
  simulated: boolean
  settings?: Partial<FeedSettings>
  dial?: Dial
}

/** A subscription and what it is called here. */
type Place = Subscription & { provider: string; instrument: string }
type Provider = { adapter: Adapter; pool: Pool; source: Source; listed: boolean; asking: Place[]; spokenAt: number }

const TICK = 100
const STATUS_EVERY = 1_000
/** A start does not wait longer than this for providers that are down; they are asked again in the background. */
const START_PATIENCE = 5_000
const LISTING_RETRY = { base: 1_000, cap: 30_000 }
const DEFAULTS: FeedSettings = { grace: 10_000, holdDown: 30_000, bookLevels: 50, backoff: SETTINGS.backoff }

export type Feed = ReturnType<typeof createFeed>

export function createFeed(options: FeedOptions) {
  const { plant, instruments, clock, random, log, simulated } = options
  const settings = { ...DEFAULTS, ...options.settings }
  const arbiter = createArbiter({ order: options.providers.map((p) => p.adapter.provider), holdDown: settings.holdDown })
  const topics = createDemand<Topic>(settings.grace)
  /** Subscription of a provider → the topics that need it. */
  const users = new Map<string, { place: Place; topics: Set<string> }>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined

  const providers = new Map<string, Provider>()
  for (const { adapter, wsUrl, restUrl, access } of options.providers) {
    const poolSettings = { backoff: settings.backoff, bookDepth: settings.bookLevels }
    const { dial } = options
    const hooks = hooksOf(adapter.provider)
    const pool = createPool({
      adapter,
      wsUrl,
      restUrl,
      access,
      clock,
      random,
      hooks,
      settings: poolSettings,
      ...(dial && { dial })
    })
    const source = { adapter, restUrl, access, rest: pool.rest, clock }
    providers.set(adapter.provider, { adapter, pool, source, listed: false, asking: [], spokenAt: -Infinity })
  }

  // ---- down the road: provider → arbiter → plant -------------------------------------------------------------------

  function judge(input: ArbiterInput): void {
    for (const output of admit(arbiter, input)) {
      if ('refused' in output) {
        providers.get(output.provider)?.pool.refused(output.refused)
        continue
      }
      const { topic, event } = output
      if (event.type === 'status') {
        const { kind, leader, cause, reason } = event
        // Every start and every newcomer brings many a first leader.
        log[cause === 'first' ? 'debug' : 'info']({ topic, kind, leader, cause, reason }, 'arbiter decided')
        const { previous, time: at, instrument } = event
        if (previous !== undefined && ['closed', 'silence', 'gap'].includes(cause))
          providers.get(previous)?.pool.failover({ at, instrument, kind, reason })
      }
      plant.publish(topic, event, clock())
    }
  }

  function hooksOf(provider: string): PoolHooks {
    const placed = (subscriptions: readonly Subscription[]) =>
      subscriptions.flatMap((s) => {
        const instrument = instruments.instrumentOf(provider, s.symbol)
        return instrument === undefined ? [] : [{ provider, instrument, kind: s.kind }]
      })
    const refuse = (reason: string) => {
      providers.get(provider)!.pool.refused(reason)
      judge({ type: 'refused', provider })
    }
    return {
      onEvent(event, received, connection) {
        const instrument = instruments.instrumentOf(provider, event.symbol)
        if (instrument === undefined) refuse('unknown symbol')
        else judge({ type: 'event', event: stamp(event, provider, instrument, received), connection })
      },
      onGap({ symbol, kind, cause, expected, got }, carried, action, now) {
        const numbers = { ...(expected === undefined ? {} : { expected }), ...(got === undefined ? {} : { got }) }
        const hit = symbol === undefined ? carried : [{ symbol, kind }]
        for (const place of placed(hit)) judge({ type: 'gap', now, ...place, cause, action, ...numbers })
      },
      onClosed(carried, reason, now) {
        for (const place of placed(carried)) judge({ type: 'closed', now, ...place, reason })
      },
      onRejected(reason, subscription) {
        log.warn({ provider, ...subscription, reason }, 'provider rejected')
        judge({ type: 'refused', provider })
      },
      onRefused: () => judge({ type: 'refused', provider }),
      onListing: (rows) => listed(provider, rows),
      onPhase: (now) => speak(providers.get(provider)!, now),
      onNotice: (what, fields) => log.info({ provider, ...fields }, what)
    }
  }

  function speak(provider: Provider, now: number): void {
    provider.spokenAt = now
    const status = provider.pool.status(now, simulated)
    plant.publish(topicName('provider', status.provider), status, now)
  }

  // ---- up the road: topic → subscriptions of providers -------------------------------------------------------------

  /** What a topic needs, of whom; nothing of a provider whose listing is not there yet. */
  function placesOf({ kind, instrument, provider: only, interval }: Topic): Place[] {
    const places: Place[] = []
    for (const [provider, { adapter }] of providers) {
      const symbol = instruments.symbolOf(provider, instrument)
      const asked = only === undefined || only === provider
      if (!asked || symbol === undefined || kind === 'status' || kind === 'gap' || kind === 'provider') continue
      if (!adapter.kinds.includes(kind)) continue
      if (kind !== 'candle') places.push({ kind, symbol, provider, instrument })
      else if (interval !== undefined && (adapter.streams ?? adapter.intervals).includes(interval))
        places.push({ kind, symbol, interval, provider, instrument })
    }
    return places
  }

  function attach(topic: Topic): void {
    const name = nameOf(topic)
    for (const place of placesOf(topic)) {
      const key = `${place.provider}|${keyOf(place)}`
      const known = users.get(key)
      if (known) {
        known.topics.add(name)
        continue
      }
      users.set(key, { place, topics: new Set([name]) })
      const { kind, provider, instrument } = place
      if (kind !== 'candle') judge({ type: 'subscribed', now: clock(), kind, provider, instrument })
      ask(providers.get(provider)!, place)
    }
  }

  /** Topics wanted in one turn are asked of the provider together. */
  function ask(provider: Provider, place: Place): void {
    if (provider.asking.push(place) > 1) return
    queueMicrotask(() =>
      provider.pool.want(provider.asking.splice(0).map(({ kind, symbol, interval }) => subscription(kind, symbol, interval)))
    )
  }

  function detach(topic: Topic): void {
    const name = nameOf(topic)
    for (const [key, user] of users) {
      if (!user.topics.delete(name) || user.topics.size > 0) continue
      users.delete(key)
      const { kind, provider, instrument } = user.place
      providers.get(provider)!.pool.drop([user.place])
      if (kind !== 'candle') judge({ type: 'unsubscribed', now: clock(), kind, provider, instrument })
    }
  }

  // ---- listings ----------------------------------------------------------------------------------------------------

  function listed(provider: string, rows: Parameters<Instruments['add']>[1]): void {
    instruments.add(provider, rows)
    providers.get(provider)!.listed = true
    for (const topic of topics.all()) attach(topic)
  }

  /** Resolves after the first try; the further ones go on in the background. */
  async function list(provider: Provider, attempt = 0): Promise<void> {
    const name = provider.adapter.provider
    const found = await fetchListing(provider.source)
    if (stopping.signal.aborted) return
    if (found.ok) {
      log.info({ provider: name, instruments: found.value.length }, 'listing loaded')
      listed(name, found.value)
      return
    }
    const wait = LISTING_RETRY.base / 2 + random() * Math.min(LISTING_RETRY.cap, LISTING_RETRY.base * 2 ** attempt)
    log.warn({ provider: name, reason: found.reason, retryInMs: Math.round(wait) }, 'listing failed')
    setTimeout(() => void list(provider, attempt + 1), wait).unref()
  }

  function tick(): void {
    const now = clock()
    for (const provider of providers.values()) {
      provider.pool.tick(now)
      if (now - provider.spokenAt >= STATUS_EVERY) speak(provider, now)
    }
    judge({ type: 'tick', now })
    for (const topic of topics.expired(now)) detach(topic)
  }

  return {
    async start(): Promise<void> {
      tick()
      timer = setInterval(() => {
        try {
          tick()
        } catch (error) {
          log.error({ error }, 'defect in the feed')
        }
      }, TICK)
      const first = Promise.all([...providers.values()].map((provider) => list(provider)))
      await Promise.race([first, new Promise((resolve) => setTimeout(resolve, START_PATIENCE).unref())])
    },

    async stop(): Promise<void> {
      stopping.abort()
      clearInterval(timer)
      for (const { pool } of providers.values()) pool.stop()
    },

    /** Reference counted: call `release` once when done. `pending` also while no provider's listing is there yet. */
    want(topic: Topic): { upstream: 'live' | 'pending'; release: () => void } {
      const name = nameOf(topic)
      if (topics.hold(name, topic)) attach(topic)
      let released = false
      const release = () => {
        if (!released) topics.release(name, clock())
        released = true
      }
      const notice = topic.kind === 'status' || topic.kind === 'gap' || topic.kind === 'provider'
      const live = notice || placesOf(topic).some((place) => providers.get(place.provider)!.pool.isLive(place))
      return { upstream: live ? 'live' : 'pending', release }
    },

    providers: (): ProviderStatus[] => [...providers.values()].map(({ pool }) => pool.status(clock(), simulated)),

    /** A provider's own past candles, oldest first: the leader's if it serves them, else the next one's; empty if nobody does. */
    async history(instrument: string, interval: Interval, limit: number): Promise<Candle[]> {
      const leader = arbiter.lanes.get(`trade:${instrument}`)?.leader?.provider
      const ordered = [...providers.values()].sort(
        (a, b) => Number(b.adapter.provider === leader) - Number(a.adapter.provider === leader)
      )
      for (const { adapter, source } of ordered) {
        const symbol = instruments.symbolOf(adapter.provider, instrument)
        if (symbol === undefined) continue
        const found = await fetchCandles(source, instrument, symbol, interval, limit)
        if (found.ok) return found.value
        log.warn({ provider: adapter.provider, instrument, interval, reason: found.reason }, 'no history')
      }
      return []
    },

    /** Some provider is known and, if anything is wanted, some provider delivers. */
    ready(): boolean {
      const all = [...providers.values()]
      return all.some((p) => p.listed) && (users.size === 0 || all.some((p) => p.pool.anyLive()))
    }
  }
}

const nameOf = (topic: Topic): string => topicName(topic.kind, topic.instrument, topic.provider, topic.interval)
const subscription = (kind: Subscription['kind'], symbol: string, interval?: Interval): Subscription =>
  interval === undefined ? { kind, symbol } : { kind, symbol, interval }
