/** What is told of a run as a whole: its span and counts, and where nothing of it can be read, what is known of that, in words. */
import { basename } from 'node:path'
import type { RecordedRun, RecordedWhat } from '@tickwire/protocol'
import type { BlockHead } from './block.ts'
import type { Outline } from './holes.ts'
import { LAST_SEGMENT, modeIn, segmentNumber, startIn } from './names.ts'
import type { Segment } from './scan.ts'

/** What of a segment is remembered without its index. */
export type Known = Omit<Segment, 'blocks'> & {
  what: readonly RecordedWhat[]
  outline: Outline
  /** Blocks that were found damaged, by their offsets. */
  broken: Map<number, BlockHead>
  /** Blocks before these offsets were compared with their checksums. */
  checked: Map<BlockHead['kind'], number>
  ends: ReadonlyMap<BlockHead['kind'], number>
}
/** A segment that is there, and cannot be read; `changed`: when it was last written to, where that can be known. */
export type Unread = { why: string; isNewer: boolean; changed?: number }
/** In their order; `open`: it is being written now; `changed`: when its folder was last changed, where nothing is in it. */
export type Parts = { run: string; segments: readonly Known[]; unread: readonly Unread[]; open: boolean; changed?: number }

type Held = { segments: readonly Known[]; unread: readonly Unread[] }

const sumOf = (segments: readonly Known[], of: (segment: Known) => number): number =>
  segments.reduce((all, segment) => all + of(segment), 0)
const isFilled = ({ summary }: Known): boolean => summary.from <= summary.to
/** Segments begin with what is to be written: one without a block is torn, or damaged; what closed it would be its index. */
const isBare = ({ path, closed, outline }: Known): boolean =>
  !closed && outline.first === undefined && segmentNumber(basename(path)) !== LAST_SEGMENT

function isReadable(segments: readonly Known[]): boolean {
  const written = sumOf(segments, ({ summary }) => summary.events + summary.frames)
  return written > sumOf(segments, ({ broken }) => [...broken.values()].reduce((all, { count }) => all + count, 0))
}

/** As far as it is known where no block is: by headers, the run's name, and when its files were last written to. */
function spanOf(run: string, { segments, unread }: Held): { from: number; to: number } {
  const headers = segments.flatMap(({ header }) => header ?? [])
  const lost = headers.flatMap((header) => header.lost ?? [])
  const touched = [...segments.filter(isBare), ...unread].flatMap(({ changed }) => changed ?? [])
  const begins = [...headers.map(({ created }) => created), ...lost.map(({ since }) => since), startIn(run) ?? Infinity]
  const known = begins.reduce((least, each) => Math.min(least, each), Infinity)
  const from = Number.isFinite(known) ? known : Math.min(...touched, Date.now())
  const ends = [...lost.map(({ since, until = since }) => until), ...touched.map(Math.ceil)]
  return { from, to: ends.reduce((most, each) => Math.max(most, each), from) }
}

const files = (count: number): string => (count === 1 ? 'a file of it' : `${count} files of it`)

/** Nothing where nothing is known to be lost: it was ended before there was anything to write down. */
function lossOf({ from, to }: { from: number; to: number }, { segments, unread }: Held): string | undefined {
  const entries = sumOf(segments, ({ header }) => header?.lost?.entries ?? 0)
  const newer = unread.filter(({ isNewer }) => isNewer)
  const others = unread.filter(({ isNewer }) => !isNewer)
  const whys = []
  if (entries > 0) whys.push(`${entries} entries could not be written`)
  if (newer.length > 0) whys.push(`a newer Tickwire wrote ${files(newer.length)}, update this one to read it`)
  if (others.length > 0) whys.push(`${files(others.length)} cannot be read (${others[0]?.why})`)
  if (sumOf(segments, ({ damaged, broken }) => damaged + broken.size) > 0) whys.push('what was written is damaged')
  const torn = segments.filter((segment) => isBare(segment) && segment.damaged === 0)
  if (torn.length > 0) whys.push(`${files(torn.length)} is torn before its first entry ends`)
  if (whys.length === 0) return undefined
  return inWords({ from, to }, whys.join('; '))
}

const inWords = ({ from, to }: { from: number; to: number }, why: string): string =>
  `nothing of it can be read, as far as is known from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}: ${why}`

/** On a full disk there is room for a folder's name, and not for a file in it. Folders of other names are nobody's. */
function emptyRun({ run, open, changed }: Parts): RecordedRun | undefined {
  const from = startIn(run)
  if (open || from === undefined || changed === undefined) return undefined
  const [mode, to] = [modeIn(run), Math.max(from, Math.ceil(changed))]
  const reason = inWords({ from, to }, 'it has no file, since there was no room for one, or it was removed')
  const told: RecordedRun = { run, from, to, what: [], bytes: 0, events: 0, frames: 0, open, damaged: 0, cut: 0, reason }
  if (mode) told.mode = mode
  return told
}

export function runOf(parts: Parts): RecordedRun | undefined {
  const { run, segments, unread, open } = parts
  if (segments.length + unread.length === 0) return emptyRun(parts)
  const filled = segments.filter(isFilled)
  const span =
    filled.length === 0
      ? spanOf(run, { segments, unread })
      : {
          from: filled.reduce((least, { summary }) => Math.min(least, summary.from), Infinity),
          to: filled.reduce((most, { summary }) => Math.max(most, summary.to), -Infinity)
        }
  const reason = open || isReadable(segments) ? undefined : lossOf(span, { segments, unread })
  if (filled.length === 0 && reason === undefined && !open) return undefined
  const what = new Set(segments.flatMap((segment) => [...(segment.header?.what ?? []), ...segment.what]))
  const told: RecordedRun = {
    run,
    ...span,
    what: (['events', 'frames'] as const).filter((each) => what.has(each)),
    bytes: sumOf(segments, ({ size }) => size),
    events: sumOf(segments, ({ summary }) => summary.events),
    frames: sumOf(segments, ({ summary }) => summary.frames),
    open,
    damaged: sumOf(segments, ({ damaged, broken }) => damaged + broken.size) + unread.length,
    // The last block of an open segment may be half written at this moment.
    cut: sumOf(segments, ({ cut }) => cut)
  }
  const mode = modeIn(segments[0]?.header?.run ?? run)
  if (mode) told.mode = mode
  if (segments.some(({ checked, ends }) => [...ends].some(([kind, end]) => end > (checked.get(kind) ?? 0)))) told.unchecked = true
  if (reason !== undefined) told.reason = reason
  return told
}
