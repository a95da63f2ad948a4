/**
 * What a journal holds and what it can be asked: the words between those who write it (recorder), and those who read it (replays, history, export).
 *
 * `openReader({ directory })` (reader.ts) reads, also while it is written, and needs no lock; a directory that is not there is empty.
 * `openWriter({ directory, what, epoch, run?, segmentBytes?, mostBytes?, mostAge?, clock?, timers?, onState? })` (writer.ts) takes the
 * directory's lock and throws in words where another process holds it. Whoever appends faster than a disk writes awaits `flush` now and
 * then: beyond 64 MiB on their way entries are lost, and counted.
 */
import type { Published, RecordedRun, RecordedWhat, RecordingStatus } from '@tickwire/protocol'
import type { Frame } from '../providers/adapter.ts'

/** Raw traffic of one connection; `connection` counts those of its provider within the run. */
type Traffic = { time: number; provider: string; connection: number }

/** Entries come in the order of `time`, which is when this process saw them, epoch milliseconds. */
export type Entry =
  | { type: 'event'; time: number; event: Published }
  | (Traffic & { type: 'opened'; url: string })
  | (Traffic & { type: 'frame'; frame: Frame })
  | (Traffic & { type: 'sent'; frame: Frame })
  | (Traffic & { type: 'closed'; reason: string })
  /** What REST answered; `path` without credentials. */
  | {
      type: 'answer'
      time: number
      provider: string
      path: string
      status: number
      headers: Readonly<Record<string, string>>
      body: Uint8Array
    }
  /** A topic was asked of the providers, or is no longer. */
  | { type: 'want' | 'release'; time: number; topic: string }

export type Query = {
  run: string
  what: RecordedWhat
  /** Receive times, epoch milliseconds: from inclusive, to exclusive. */
  from?: number
  to?: number
  /** Of events: these topics alone. */
  topics?: ReadonlySet<string>
}

/** A stretch of a run that is not known whole: entries that could not be written, or what was written is damaged, torn or gone. */
export type Hole = { from: number; to: number; why: 'lost' | 'damaged'; entries?: number }

/** Trades of one topic as columns of equal length, oldest first. */
export type TradeColumns = {
  count: number
  seq: Float64Array
  time: Float64Array
  received: Float64Array
  price: Float64Array
  size: Float64Array
  /** 0 unknown, 1 buy, 2 sell. */
  side: Uint8Array
  /** 1: it sets neither last price nor extremes. */
  ineligible: Uint8Array
}

export type JournalReader = {
  /** Also those that nothing can be read of: they say why. */
  runs: () => RecordedRun[]
  /** In batches, in order. What is damaged, or cannot be read, is left out, and told by `runs` and `holes`. Throws where a newer version wrote it. */
  read: (query: Query) => AsyncIterable<readonly Entry[]>
  /**
   * Trades of `trade:<instrument>` over all runs, or these alone, by their own time: `from` inclusive, `to` exclusive. Blocks without
   * such trades are not unpacked.
   */
  trades: (instrument: string, from: number, to: number, runs?: ReadonlySet<string>) => AsyncIterable<TradeColumns>
  /**
   * Where the run does not have all of what is asked, by the times of the events themselves; they may overlap. Payloads that lie
   * in the span are compared with their checksums, each once.
   */
  holes: (query: Query) => Promise<Hole[]>
  close: () => void
}

export type JournalWriter = {
  /** Never waits and never throws: what cannot be written is counted. */
  append: (entry: Entry) => void
  /** Resolves when all that was appended is on the disk, or is known to be lost. */
  flush: () => Promise<void>
  status: () => RecordingStatus
  stop: () => Promise<void>
}
