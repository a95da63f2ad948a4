/** Hosts services over the plant: subscribes them to what they read, tells them the watermark, publishes what they return. */
import { INTERVALS, isState, isWhole, topicName, type Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { timers as real, type Timers } from '../timers.ts'
import type { Input, Output, Service } from './service.ts'

/**
 * What the watermark follows. `clock`: our own clock, for live and simulated data; a provider whose clock runs ahead closes
 * its candles later than it could, never too early, and one bad time stamp cannot drag everybody's watermark along.
 * `event`: the newest trade or quote heard, for recorded data, whose times lie in the past and pass at any speed.
 */
export type Time = 'clock' | 'event'

export type Services = ReturnType<typeof hostServices>

export type HostOptions = {
  plant: Plant
  // oxlint-disable-next-line typescript/no-explicit-any -- each service is folded with the state that it opened itself
  services: readonly Service<any>[]
  clock: () => number
  timers?: Timers
  log: { error: (fields: object, message: string) => void }
  time?: Time
  /** How long a provider's event may be under way and still count as in time, milliseconds. */
  lateness?: number
  /** Names of the providers, whose streams of a whole (news) are read one by one. */
  sources?: readonly string[]
  /** Milliseconds between watermarks; 0: none but by `tick`. */
  every?: number
  /** They go on from here, on a plant that does so too, opened at the time of the last watermark. */
  kept?: KeptServices
}

/** All that hosted services know: their own states, which they go on to change. */
export type KeptServices = { states: readonly unknown[]; watched: readonly string[]; newest: number; ticked: number }

/** One service: a throw loses that one input, and the next ones, and all other services, go on. Each message is logged once. */
function host(service: Service, { plant, clock, log }: HostOptions, kept: unknown) {
  const state = kept ?? service.open()
  const said = new Set<string>()
  let [inputs, outputs, errors] = [0, 0, 0]

  const fold = (input: Input): readonly Output[] => {
    try {
      inputs++
      return service.fold(state, input)
    } catch (error) {
      errors++
      const message = error instanceof Error ? error.message : String(error)
      if (said.size < 100 && !said.has(message)) {
        said.add(message)
        const { type, instrument } = input
        log.error({ service: service.name, input: type, instrument, err: error }, 'service failed on an input')
      }
      return []
    }
  }

  return {
    service,
    state,
    feed: (input: Input): void => {
      for (const { topic, event } of fold(input)) {
        outputs++
        plant.publish(topic, event, clock())
      }
    },
    forget: (instrument: string): void => service.forget?.(state, instrument),
    stats: () => ({ service: service.name, inputs, outputs, errors })
  }
}

export function hostServices(options: HostOptions) {
  const { plant, services, clock, sources = [], time = 'clock', lateness = 500, every = 250, timers = real, kept } = options
  const hosted = services.map((service, i) => host(service, options, kept?.states[i]))
  const watched = new Map<string, { count: number; stop: () => void }>()
  let newest = kept?.newest ?? -Infinity
  let ticked = clock()

  const join = (instrument: string, hasHeard = false): (() => void) => {
    const stops = hosted.flatMap(({ service, feed }) => {
      const listener = (event: Published): void => {
        if ((event.type === 'trade' || event.type === 'quote') && event.time > newest) newest = event.time
        feed(event)
      }
      return topicsOf(service, instrument, sources).map((topic) => {
        const { missed, stop } = plant.subscribe(topic, listener)
        // State still holds; an event of the past would be taken for a new one.
        if (!hasHeard) for (const event of missed) if (isState(event)) listener(event)
        return stop
      })
    })
    return () => {
      for (const stop of stops) stop()
      for (const { forget } of hosted) forget(instrument)
    }
  }

  for (const instrument of kept?.watched ?? []) watched.set(instrument, { count: 1, stop: join(instrument, true) })

  const tick = (): void => {
    ticked = clock()
    const watermark = (time === 'clock' ? clock() : newest) - lateness
    if (!Number.isFinite(watermark)) return
    for (const instrument of watched.keys())
      for (const { feed } of hosted) feed({ type: 'watermark', instrument, time: watermark })
  }

  const stopTicking = every > 0 ? timers.every(every, tick) : undefined

  return {
    /** Runs every service on this instrument until all who asked have let go. */
    watch(instrument: string): () => void {
      const entry = watched.get(instrument) ?? { count: 0, stop: join(instrument) }
      entry.count++
      watched.set(instrument, entry)
      let held = true
      return () => {
        if (!held) return
        held = false
        if (--entry.count > 0) return
        watched.delete(instrument)
        entry.stop()
      }
    },
    /** Asks a service for what it holds. */
    read<S, A extends unknown[], T>(service: Service<S>, ask: (state: S, ...args: A) => T, ...args: A): T {
      const host = hosted.find((each) => each.service === service)
      if (!host) throw new Error(`the service ${service.name} is not hosted here`)
      return ask(host.state as S, ...args)
    },
    /** One watermark now. */
    tick,
    /** To be copied in this turn. */
    kept: (): KeptServices => ({ states: hosted.map(({ state }) => state), watched: [...watched.keys()], newest, ticked }),
    stats: () => hosted.map(({ stats }) => stats()),
    stop(): void {
      stopTicking?.()
      for (const { stop } of watched.values()) stop()
      watched.clear()
    }
  }
}

/** What is of no one instrument is read as a whole, under `all`, from each provider. */
function topicsOf({ reads }: Service, instrument: string, sources: readonly string[]): string[] {
  if (instrument === 'all')
    return reads.filter(isWhole).flatMap((kind) => sources.map((source) => topicName(kind, 'all', source)))
  return reads
    .filter((kind) => !isWhole(kind))
    .flatMap((kind) =>
      kind === 'candle'
        ? INTERVALS.map((interval) => topicName(kind, instrument, undefined, interval))
        : [topicName(kind, instrument)]
    )
}
