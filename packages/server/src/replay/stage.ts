/** One playing of a span, from the start of its run: a plant of its own on a time of its own. Seeking begins another one. */
import { createHash, type Hash } from 'node:crypto'
import type { MarketEvent, Published, RecordedWhat } from '@tickwire/protocol'
import type { Desk } from '../dialects/dialect.ts'
import type { Entry, JournalReader } from '../journal/journal.ts'
import { keepFor } from '../plant/keep.ts'
import { createPlant, type Kept, type Plant } from '../plant/plant.ts'
import { createSchedule, settle, type Schedule } from './schedule.ts'
import { openScript, type Bookmark, type Span } from './script.ts'

/** What a stage is wired to: services on its plant and, where frames are played, a feed before it. */
export type World = {
  desk: Desk
  /** In the turn in which it comes; its time is that of the schedule. */
  play: (entry: Entry) => void
  /** All that it knows, to be copied before it goes on; absent: it cannot be copied. */
  keep?: () => KeptWorld
  stop: () => void
}
/** `opened`: at which time a world is to be opened that goes on from it; what more it is, that world alone knows. */
export type KeptWorld = { opened: number }
export type WorldOptions = { plant: Plant; schedule: Schedule; what: RecordedWhat; seed: string; kept?: KeptWorld | undefined }
export type OpenWorld = (options: WorldOptions) => World

export type StageOptions = {
  replay: string
  span: Span
  /** Where its run begins. */
  start: number
  /** Counts the playings: each has an epoch of its own. */
  turn: number
  reader: Pick<JournalReader, 'read'>
  openWorld: OpenWorld
  /** Keeps the SHA-256 over all that is published. */
  digests?: boolean
  /** Events that a topic remembers. */
  keep?: number
  /** It goes on from here, and not from the start of the run. */
  kept?: KeptStage | undefined
}

/** A playing as it stood between two moves, so that others go on from there. */
export type KeptStage = {
  at: number
  moves: number
  events: number
  bookmark: Bookmark
  plant: Kept
  world: KeptWorld
  heard: ReadonlyMap<string, Heard>
  hash: Hash | undefined
}

export type Stage = ReturnType<typeof createStage>
/** `due`: it is as far as it was to go; `cut`: whoever was asked said no; `over`: nothing is left in the span. */
export type Advance = 'due' | 'cut' | 'over'

/** Promises of a feed settle within so many turns, and so at the same point of every playing, at whatever speed. */
const DEPTHS = { usual: 24, answer: 48 }
/** Without a feed nothing awaits. */
const NONE = { usual: 0, answer: 0 }
const KEEP = 1_000

/** From what is played alone: whoever plays the same finds the same. */
const epochOf = ({ span: { run, what, from }, turn }: StageOptions): string =>
  `r${createHash('sha256')
    .update(JSON.stringify([run, what, from, turn]))
    .digest('hex')
    .slice(0, 12)}`

export const REPLAY_TOPIC = 'replay:all'

/** Marks what is published, counts it, and folds it into the digest. */
function markedPlant(options: StageOptions) {
  const { replay, digests = false, keep = KEEP, kept } = options
  const plant = createPlant({ epoch: epochOf(options), keep: keepFor(keep), ...(kept && { kept: kept.plant }) })
  const hash = digests ? (kept?.hash?.copy() ?? createHash('sha256')) : undefined
  let events = kept?.events ?? 0
  let told = 0
  /** How often the world itself listens. */
  const own = new Map<string, number>()
  const marked: Plant = {
    ...plant,
    publish(topic, event: MarketEvent, now) {
      const published = plant.publish(topic, { ...event, replay } as Published, now)
      events++
      if (plant.listeners(topic) > (own.get(topic) ?? 0)) told++
      hash?.update(`${JSON.stringify(published)}\n`)
      return published
    },
    subscribe(topic, ...asked) {
      own.set(topic, (own.get(topic) ?? 0) + 1)
      return plant.subscribe(topic, ...asked)
    }
  }
  return { plant, marked, events: () => events, told: () => told, hash: () => hash?.copy() }
}

export function createStage(options: StageOptions) {
  const { span, start, reader, openWorld, kept } = options
  const depths = span.what === 'frames' ? DEPTHS : NONE
  const schedule = createSchedule(kept?.world.opened ?? start, depths)
  const { plant, marked, events, told, hash } = markedPlant(options)
  const seed = `${span.run} ${span.what}`
  const world = openWorld({ plant: marked, schedule, what: span.what, seed, kept: kept?.world })
  const script = openScript(reader, span, kept?.bookmark)
  const heard = new Map(kept?.heard)
  let moves = kept?.moves ?? 0
  if (kept) schedule.skip(kept.at)
  let stopped = false

  const play = async (entry: Entry): Promise<void> => {
    schedule.skip(entry.time)
    if (entry.type === 'event') {
      const { topic, seq, published } = entry.event
      heard.set(topic, { seq, published })
    }
    world.play(entry)
    if (depths.usual > 0) await settle(depths.usual)
  }

  /** Plays what is due up to a recorded time; `goesOn` is asked after each move. */
  async function advance(until: number, goesOn: () => boolean): Promise<Advance> {
    for (;;) {
      if (stopped) return 'over'
      const entry = script.peek()
      if (!entry && (await script.more())) continue
      const due = schedule.next()
      // Beyond the last entry the span goes on to its end, where it has one.
      const last = entry?.time ?? (Number.isFinite(span.to) ? span.to : schedule.now())
      if (Math.min(due, last) > until) {
        schedule.skip(Math.min(until, last))
        return 'due'
      }
      if (due <= last) await schedule.step()
      else if (entry) await play(script.take() ?? entry)
      else {
        schedule.skip(last)
        return 'over'
      }
      moves++
      if (!goesOn()) return 'cut'
    }
  }

  return {
    plant,
    desk: world.desk,
    advance,
    now: schedule.now,
    moves: () => moves,
    entries: script.played,
    events,
    /** Of these, those that somebody who reads it listened to. */
    told,
    digest: () => hash()?.digest('hex'),
    /** How it stands, between two turns, its world to be copied yet; nothing where that cannot be, or is no more. */
    keep(): KeptStage | undefined {
      const kept = stopped ? undefined : world.keep?.()
      if (!kept) return undefined
      const place = { at: schedule.now(), moves, events: events(), bookmark: script.bookmark() }
      return { ...place, plant: plant.kept(), world: kept, heard: new Map(heard), hash: hash() }
    },
    /** Where each recorded topic stood in the plant that it was recorded of. */
    heard: (topic: string): Heard | undefined => heard.get(topic),
    stop(): void {
      if (stopped) return
      stopped = true
      script.close()
      world.stop()
    }
  }
}

export type Heard = { seq: number; published: number }
