/** From the configuration to what is recorded: the journal's writer and the readable log around the feed. A part of main.ts. */
import type { Mode, RecordedRun, RecordedWhat, RecordingStatus } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { overHttp } from './connection/http.ts'
import { openLink, openNothing } from './connection/link.ts'
import type { Feed } from './feed/feed.ts'
import { createConceal } from './journal/conceal.ts'
import type { Entry, JournalReader, JournalWriter } from './journal/journal.ts'
import { runName } from './journal/names.ts'
import { openReadableLog, type ReadableLog } from './journal/readable.ts'
import { openReader } from './journal/reader.ts'
import { recordEvents, recordTraffic } from './journal/recorder.ts'
import { openWriter } from './journal/writer.ts'
import type { Log } from './ops/log.ts'
import type { Plant } from './plant/plant.ts'
import { ConfigError } from './settings.ts'
import type { Source } from './sources.ts'

const WHAT: Record<NonNullable<Config['journal']['record']>, readonly RecordedWhat[]> = {
  off: [],
  events: ['events'],
  frames: ['frames'],
  both: ['events', 'frames']
}

export type Recording = {
  reader: JournalReader
  status: () => RecordingStatus
  runs: () => RecordedRun[]
  /** Lines of the readable log that could not be written. */
  logLost: () => number
  /** What the feed is handed in place of them. */
  plant: (plant: Plant) => Plant
  sources: (sources: Source[]) => Source[]
  feed: (feed: Feed) => Feed
  flush: () => Promise<void>
  stop: () => Promise<void>
}

/** Throws where another process records into the same directory or to the same file, or nothing can be written there. */
export function openRecording({ journal }: Config, mode: Mode, epoch: string, clock: () => number, log: Log): Recording {
  const { record = 'off', directory } = journal
  const what = WHAT[record]
  const disk = openReader({ directory })
  const readable = readableOf(journal, clock, log)
  const writer = what.length > 0 ? orElse(() => writerOf(journal, what, mode, epoch, clock, log), readable?.stop) : undefined
  const reader = writer ? withLosses(disk, writer) : disk
  const nothing: RecordingStatus = {
    state: 'off',
    reason: 'nothing is recorded: journal.record is off',
    what: [],
    since: clock(),
    bytes: 0,
    events: 0,
    frames: 0,
    lost: 0
  }
  const appendEvent = eventsTo(what.includes('events') ? writer : undefined, readable)
  const traffic = writer && what.includes('frames') ? trafficTo(writer, clock) : undefined

  return {
    reader,
    status: () => writer?.status() ?? nothing,
    runs: reader.runs,
    logLost: () => readable?.lost() ?? 0,
    plant: (plant) => (appendEvent ? recordEvents(plant, appendEvent) : plant),
    sources: (sources) => (traffic ? traffic.sources(sources) : sources),
    feed: (feed) => (traffic ? { ...feed, want: traffic.wanting(feed.want) } : feed),
    flush: async () => {
      await Promise.all([writer?.flush(), readable?.flush()])
    },
    stop: async () => {
      await Promise.all([writer?.stop(), readable?.stop()])
      reader.close()
    }
  }
}

/** What cannot be written now is in no header yet. */
export const withLosses = (reader: JournalReader, writer: Pick<JournalWriter, 'status'>): JournalReader => ({
  ...reader,
  async holes(query) {
    const holes = await reader.holes(query)
    const { state, run, since } = writer.status()
    if (run !== query.run || state === 'recording' || state === 'off') return holes
    const from = Math.min(since, reader.runs().find((each) => each.run === run)?.to ?? since)
    return [...holes, { from, to: Infinity, why: 'lost' }]
  }
})

function writerOf(
  { directory, segment, mostBytes, mostAge }: Config['journal'],
  what: readonly RecordedWhat[],
  mode: Mode,
  epoch: string,
  clock: () => number,
  log: Log
): JournalWriter {
  const onState = ({ state, reason, lost }: RecordingStatus) =>
    state === 'recording' ? log.info({ lost }, 'recording again') : log.error({ state, reason }, 'nothing is recorded now')
  return inWords('journal.directory', () => {
    const run = runName(clock(), epoch, mode)
    return openWriter({ directory, what, epoch, run, segmentBytes: segment, mostBytes, mostAge, clock, onState })
  })
}

function inWords<T>(option: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw new ConfigError(`${option}: ${(error as Error).message}`)
  }
}

/** What was opened before it is given back. */
function orElse<T>(open: () => T, undo: (() => Promise<void>) | undefined): T {
  try {
    return open()
  } catch (error) {
    void undo?.()
    throw error
  }
}

function readableOf({ logFile, logBytes, logKeep }: Config['journal'], clock: () => number, log: Log): ReadableLog | undefined {
  if (logFile === undefined) return undefined
  const onTrouble = (reason: string | undefined) =>
    reason === undefined
      ? log.info({ file: logFile }, 'the log of events is written again')
      : log.error({ file: logFile, reason }, 'the log of events cannot be written')
  return inWords('journal.logFile', () =>
    openReadableLog({ file: logFile, mostBytes: logBytes, keep: logKeep, clock, onTrouble })
  )
}

function eventsTo(writer: JournalWriter | undefined, readable: ReadableLog | undefined): ((entry: Entry) => void) | undefined {
  if (!readable) return writer?.append
  return (entry) => {
    writer?.append(entry)
    if (entry.type === 'event') readable.append(entry.event)
  }
}

function trafficTo(writer: JournalWriter, clock: () => number) {
  const conceal = createConceal()
  const { dialOf, transportOf, wanting } = recordTraffic(writer.append, conceal, clock)
  const sources = (all: Source[]): Source[] =>
    all.map((source) => {
      const { adapter, readAccess, dial = adapter.wsUrl === undefined ? openNothing : openLink, transport = overHttp } = source
      return {
        ...source,
        dial: dialOf(adapter.provider, dial),
        transport: transportOf(adapter.provider, transport),
        readAccess() {
          const access = readAccess()
          conceal.add([access.key, access.secret])
          return access
        }
      }
    })
  return { sources, wanting }
}
