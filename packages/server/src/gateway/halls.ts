/** The rooms in which replays are heard: each has a plant, a desk and a fan-out of its own, in the native protocol alone. */
import { CLOSES, isTopicError, nameOf, parseTopic } from '@tickwire/protocol'
import type { Desk, Dialect } from '../dialects/dialect.ts'
import type { Replay } from '../replay/replay.ts'
import type { Replays } from '../replay/registry.ts'
import { findRoute, type Room, type Seat } from './door.ts'
import type { Fanout } from './fanout.ts'
import type { Plant } from '../plant/plant.ts'
import type { Redistribution } from './redistribution.ts'
import type { Shared } from './session.ts'
import { refusal, type Understand } from './understand.ts'

export type HallsOptions = {
  replays?: Replays | undefined
  dialects: readonly Dialect<any>[]
  /** What a hall shares with the live one: who comes in, and how much he may have. */
  base: Shared
  fanoutOf: (plant: Plant, clock: () => number) => Fanout
  redistributionOf: (desk: Desk) => Redistribution | undefined
  /** Heard where the live plant is heard elsewhere, in a process that plays one alone. */
  home?: string | undefined
}
export type Rooms = ReturnType<typeof createRooms>

export const ADDRESS = /^\/v1\/replay\/([\w-]{1,64})\/ws$/
const LIVE = '/v1/ws'
/** A reader who has not taken so many bytes, or has them in the kernel for all we know, is waited for: before anybody takes him for slow. */
const UNREAD = 64 * 1024
const isOwed = ({ session, line }: Seat): boolean =>
  Math.max(line.backlog(), line.unanswered?.() ?? 0) > UNREAD || session.info().pending > 0

/** What is recorded is known only once it was played: whatever has the form of a topic may come. */
const understanding =
  (replay: Replay): Understand =>
  (asked) => {
    const topic = parseTopic(asked)
    if (isTopicError(topic)) return refusal(asked, topic.code, topic.message)
    const found = topic.kind === 'provider' ? undefined : replay.shown().desk.resolve(topic.instrument)
    const canonical = found?.ok ? { ...topic, instrument: found.instrument } : topic
    return { ok: true, topic: canonical, name: nameOf(canonical), data: topic.kind !== 'replay' }
  }

/** The desk of what is shown at the moment. */
const deskFor = (replay: Replay): Desk => {
  const now = () => replay.shown().desk
  const { server, mode } = now()
  return {
    server,
    mode,
    get epoch() {
      return now().epoch
    },
    resolve: (text) => now().resolve(text),
    instruments: () => now().instruments(),
    unlisted: () => now().unlisted(),
    carries: (topic) => now().carries(topic),
    instrument: (id) => now().instrument(id),
    last: (topic) => now().last(topic),
    recent: (topic, count) => now().recent(topic, count),
    hand: (topic) => now().hand(topic),
    candles: (...question) => now().candles(...question),
    past: (...question) => now().past(...question),
    connections: () => now().connections()
  }
}

function createHall(replay: Replay, replays: Replays, { base, fanoutOf, redistributionOf }: HallsOptions, gone: () => void) {
  const seats = new Set<Seat>()
  const desk = deskFor(replay)
  const redistribution = redistributionOf(desk)
  const open = (): Shared => {
    const { plant } = replay.shown()
    const fanout = fanoutOf(plant, replay.clock)
    return { ...base, plant, desk, redistribution, fanout, understand: understanding(replay), demand: replay.demand }
  }
  let shared = open()
  const reader = {
    onShown(): void {
      const before = shared.fanout
      shared = open()
      for (const { session } of seats) session.renew(shared)
      before.stop()
    },
    isBehind(): boolean {
      shared.fanout.flush()
      return [...seats].some(isOwed)
    }
  }
  const leave = replays.join(replay.replay, reader, () => {
    for (const { session } of seats) session.close(4505, CLOSES[4505].name)
    shared.fanout.stop()
    gone()
  })
  const enter = (seat: Seat) => {
    seats.add(seat)
    replays.reads(replay.replay, seats.size)
    return () => {
      seats.delete(seat)
      replays.reads(replay.replay, seats.size)
    }
  }
  return {
    shared: () => shared,
    enter,
    stop(): void {
      leave?.()
      shared.fanout.stop()
    }
  }
}

/** The live plant's, and one for each replay. */
export function createRooms(options: HallsOptions) {
  const { replays, dialects, base, home } = options
  const halls = new Map<string, ReturnType<typeof createHall>>()

  /** Opened by its first reader. */
  const hallOf = (name: string): ReturnType<typeof createHall> | undefined => {
    const known = halls.get(name)
    if (known) return known
    const replay = replays?.find(name)
    if (!replays || !replay) return undefined
    const hall = createHall(replay, replays, options, () => void halls.delete(name))
    halls.set(name, hall)
    return hall
  }

  return {
    find(url: string): Room | undefined {
      const [path = '', query = ''] = url.split('?')
      const name = path === LIVE ? home : ADDRESS.exec(path)?.[1]
      const hall = name === undefined ? undefined : hallOf(name)
      const route = findRoute(dialects, hall ? `${LIVE}?${query}` : url)
      if (!hall) return route && { route, shared: base }
      return route && { route: { ...route, path }, shared: hall.shared(), enter: hall.enter }
    },
    /** Writes what is due, to all. */
    flush(): void {
      base.fanout.flush()
      for (const hall of halls.values()) hall.shared().fanout.flush()
    },
    stop(): void {
      for (const hall of halls.values()) hall.stop()
      halls.clear()
      base.fanout.stop()
    }
  }
}
