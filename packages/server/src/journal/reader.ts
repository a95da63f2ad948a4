/** Reads a journal, while it is written too: runs, entries in order, and the trades of an instrument. It needs no lock. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordedWhat } from '@tickwire/protocol'
import { entriesInto, tradesIn } from './batch.ts'
import type { BlockHead } from './block.ts'
import { holeOf, holesOf, outlineOf, type Part } from './holes.ts'
import type { Entry, Hole, JournalReader, Query, TradeColumns } from './journal.ts'
import { openRun } from './lock.ts'
import { isRunName, segmentNumber, startIn } from './names.ts'
import { runOf, type Known, type Unread } from './run.ts'
import { damagedOf, NewerFormat, openSegment, payloadsOf, type Segment } from './scan.ts'

/** Segments whose index is kept in memory. */
const KEPT = 32
/** Entries that are handed out at a time. */
const HANDED = 8_192
/** Events are told at most so long after they happen. */
const LATE = 3_600_000

/** A directory that is not there is an empty journal. Throws, when it is asked, where a newer version wrote a segment of what is asked. */
export function openReader({ directory }: { directory: string }): JournalReader {
  const known = new Map<string, Known>()
  const indexes = new Map<string, Segment>()

  function load(path: string): Segment | undefined {
    const about = statSync(path, { throwIfNoEntry: false })
    if (!about) return forget(path)
    const had = indexes.get(path)
    indexes.delete(path)
    const segment = had?.size === about.size && had.changed === about.mtimeMs ? had : opened(path, had)
    if (!segment) return forget(path)
    indexes.set(path, segment)
    for (const oldest of indexes.keys()) {
      if (indexes.size <= KEPT) break
      indexes.delete(oldest)
    }
    const before = known.get(path)
    const isSame = before?.size === segment.size && before.changed === segment.changed
    if (!isSame) known.set(path, knownIn(segment, before))
    return segment
  }
  const forget = (path: string): undefined => {
    known.delete(path)
    indexes.delete(path)
  }

  function knownOf(path: string): Known | undefined {
    const about = statSync(path, { throwIfNoEntry: false })
    const had = known.get(path)
    if (had && about?.size === had.size && about.mtimeMs === had.changed) return had
    load(path)
    return known.get(path)
  }

  const pathsOf = (run: string): string[] => segmentsOf(directory, run)
  const lookAt = (path: string): Known | Unread | undefined => orWhy(path, () => knownOf(path))
  function toldOf(run: string, open: string | undefined) {
    const all = pathsOf(run).flatMap((path) => lookAt(path) ?? [])
    const segments = all.filter((each): each is Known => !isUnread(each))
    const changed = all.length === 0 ? changedAt(join(directory, run)) : undefined
    return runOf({ run, segments, unread: all.filter(isUnread), open: run === open, ...(changed !== undefined && { changed }) })
  }
  /** Throws where a newer version wrote it; what cannot be read otherwise is told as damage is. */
  function knownWhole(path: string): Known | undefined {
    const found = lookAt(path)
    if (found && isUnread(found)) {
      if (found.isNewer) throw new NewerFormat(found.why)
      return undefined
    }
    return found
  }
  /** Payloads, those that are damaged noted and left out. */
  const payloads = (path: string, blocks: readonly BlockHead[]): (Uint8Array | undefined)[] => {
    const found = payloadsOf(path, blocks)
    found.forEach((payload, i) => payload ?? known.get(path)?.broken.set(blocks[i]!.offset, blocks[i]!))
    return found
  }

  /** Compares what was not yet compared; other work of this process has its turns meanwhile. */
  async function check(path: string, kind: BlockHead['kind']): Promise<void> {
    const { blocks = [] } = load(path) ?? {}
    const { broken, checked } = known.get(path) ?? {}
    const due = blocks.filter((block) => block.kind === kind && block.offset >= (checked?.get(kind) ?? 0))
    for (let i = 0; i < due.length; i += TOGETHER) {
      for (const head of damagedOf(path, due.slice(i, i + TOGETHER))) broken?.set(head.offset, head)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const last = due.at(-1)
    if (last) checked?.set(kind, last.offset + last.length)
  }

  return {
    runs: () => {
      const open = openRun(directory)
      return runsIn(directory).flatMap((run) => toldOf(run, open) ?? [])
    },

    async *read(query) {
      if (!isRunName(query.run)) throw new Error(`there is no run ${JSON.stringify(query.run)}`)
      const { from = -Infinity, to = Infinity } = query
      for (const path of pathsOf(query.run)) {
        // What lies outside is not opened: a long run has hundreds of segments.
        const { summary } = knownWhole(path) ?? {}
        if (!summary || summary.to < from || summary.from >= to) continue
        const segment = load(path)
        if (segment) yield* entriesOf(segment, query, payloads)
      }
    },

    async *trades(instrument, from, to, runs) {
      const topic = `trade:${instrument}`
      for (const run of runsIn(directory).filter((each) => runs?.has(each) !== false))
        for (const path of pathsOf(run)) {
          const segment = knownWhole(path) && load(path)
          if (segment) yield* tradesOf(segment, topic, from, to, payloads)
        }
    },

    async holes(query) {
      const { run, what, from = -Infinity, to = Infinity, topics } = query
      const kind = kindOf(what)
      const holes: Hole[] = []
      const parts: Part[] = []
      const open = openRun(directory)
      for (const path of isRunName(run) ? pathsOf(run) : []) {
        const before = lookAt(path)
        if (!before) continue
        if (isUnread(before)) {
          const since = parts.findLast(({ outline }) => outline.last)?.outline.last?.heard ?? startIn(run) ?? before.changed
          if (since !== undefined) holes.push({ from: since, to: Math.max(before.changed ?? since, since) + 1, why: 'damaged' })
          continue
        }
        const { summary } = before
        // What an event tells of may have happened long before we heard of it.
        if (summary.to >= from && summary.from < to + LATE) await check(path, kind)
        const { outline, header, broken } = known.get(path) ?? before
        parts.push({ outline, lost: header?.lost, silent: !header })
        for (const head of broken.values())
          if (head.kind === kind && (!topics || head.topics.some((topic) => topics.has(topic)))) holes.push(holeOf(head))
      }
      holes.push(...holesOf(parts, run === open))
      if (!parts.some(({ outline }) => outline.first)) {
        const told = isRunName(run) ? toldOf(run, open) : undefined
        if (told?.reason !== undefined && holes.length === 0) holes.push({ from: told.from, to: told.to + 1, why: 'damaged' })
      }
      return holes.filter((hole) => hole.to > from && hole.from < to).sort((a, b) => a.from - b.from)
    },

    close: () => {
      known.clear()
      indexes.clear()
    }
  }
}

const isUnread = (found: Known | Unread): found is Unread => 'why' in found

/** One file that cannot be read (a bad sector, rights that were taken away) hides neither its run nor others. */
function orWhy(path: string, read: () => Known | undefined): Known | Unread | undefined {
  try {
    return read()
  } catch (error) {
    const found: Unread = { why: (error as Error).message, isNewer: error instanceof NewerFormat }
    const changed = changedAt(path)
    if (changed !== undefined) found.changed = changed
    return found
  }
}

function changedAt(path: string): number | undefined {
  try {
    return Math.ceil(statSync(path).mtimeMs)
  } catch {
    return undefined
  }
}

/** One that is removed meanwhile is not there; one that cannot be read throws. */
function opened(path: string, known: Segment | undefined): Segment | undefined {
  try {
    return openSegment(path, known)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const kindOf = (what: RecordedWhat): BlockHead['kind'] => (what === 'events' ? 'events' : 'traffic')

/** What was found of one that has only grown stays true. */
function knownIn({ blocks, ...rest }: Segment, before: Known | undefined): Known {
  const ends = new Map(blocks.map(({ kind, offset, length }) => [kind, offset + length]))
  const what: RecordedWhat[] = []
  if (ends.has('events')) what.push('events')
  if (ends.has('traffic')) what.push('frames')
  const isLonger = before !== undefined && !before.closed && before.size <= rest.size
  const { broken, checked } = isLonger ? before : { broken: new Map(), checked: new Map() }
  return { ...rest, what, outline: outlineOf(blocks), broken, checked, ends }
}

type Payloads = (path: string, blocks: readonly BlockHead[]) => (Uint8Array | undefined)[]

async function* entriesOf(segment: Segment, query: Query, payloads: Payloads): AsyncGenerator<readonly Entry[]> {
  const { from = -Infinity, to = Infinity, topics } = query
  const kind = kindOf(query.what)
  const isAsked = (block: BlockHead): boolean =>
    block.kind === kind && block.to >= from && block.from < to && (!topics || block.topics.some((topic) => topics.has(topic)))
  const isWanted = (entry: Entry | undefined): entry is Entry =>
    entry !== undefined &&
    entry.time >= from &&
    entry.time < to &&
    (!topics || entry.type !== 'event' || topics.has(entry.event.topic))
  let due: Entry[] = []
  for (const blocks of batchesOf(segment.blocks.filter(isAsked))) {
    // A batch is read whole: its blocks lie between each other in time, those of two batches never do.
    const batch: (Entry | undefined)[] = Array.from({ length: blocks[0]!.total })
    payloads(segment.path, blocks).forEach((payload) => payload && entriesInto(batch, kind, payload))
    for (const entry of batch) if (isWanted(entry)) due.push(entry)
    if (due.length < HANDED) continue
    yield due
    due = []
  }
  if (due.length > 0) yield due
}

function batchesOf(blocks: readonly BlockHead[]): BlockHead[][] {
  const batches: BlockHead[][] = []
  let last: number | undefined
  for (const block of blocks) {
    if (block.batch === last) batches.at(-1)!.push(block)
    else batches.push([block])
    last = block.batch
  }
  return batches
}

/** Blocks are unpacked at a time. */
const TOGETHER = 32

async function* tradesOf(
  segment: Segment,
  topic: string,
  from: number,
  to: number,
  payloads: Payloads
): AsyncGenerator<TradeColumns> {
  const asked = segment.blocks.filter(
    ({ kind, ownFrom, ownTo, topics }) => kind === 'events' && ownTo >= from && ownFrom < to && topics.includes(topic)
  )
  for (let i = 0; i < asked.length; i += TOGETHER)
    for (const payload of payloads(segment.path, asked.slice(i, i + TOGETHER))) {
      const columns = payload && tradesIn(payload, topic, from, to)
      if (columns && columns.count > 0) yield columns
    }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

/** The oldest first. */
const runsIn = (directory: string): string[] => listed(directory).filter(isRunName)

const segmentsOf = (directory: string, run: string): string[] =>
  listed(join(directory, run))
    .filter((file) => segmentNumber(file) !== undefined)
    .map((file) => join(directory, run, file))
