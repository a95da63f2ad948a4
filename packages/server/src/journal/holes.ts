/**
 * What of a run is not known whole. Batches count up without a gap, and each says how many entries it has over all its blocks: so
 * what is torn off, damaged or lost shows in what is left, without a payload being unpacked.
 */
import type { BlockHead } from './block.ts'
import type { Hole } from './journal.ts'
import type { SegmentHeader } from './segment.ts'

/** `heard`: the newest time of its own events, which lies a little before their receive times. */
export type Batch = { batch: number; from: number; to: number; heard: number; count: number; total: number }
/** A segment from its first to its last batch, and the holes between them; a last one may still be on its way to the disk. */
export type Outline = { first?: Batch; last?: Batch; holes: readonly Hole[] }
export type Part = {
  outline: Outline
  /** Entries that were lost before it: with nothing in it, at the end of the run. */
  lost: SegmentHeader['lost']
  /** Its header, which would say so, is not what was written. */
  silent: boolean
}

export const isWhole = ({ count, total }: Batch): boolean => count >= total

function batchesIn(blocks: readonly BlockHead[]): Batch[] {
  const batches: Batch[] = []
  for (const { kind, batch, from, to, ownTo, count, total } of blocks) {
    let known = batches.at(-1)
    if (known?.batch !== batch) batches.push((known = { batch, from, to, heard: -Infinity, count: 0, total }))
    known.from = Math.min(known.from, from)
    known.to = Math.max(known.to, to)
    known.count += count
    if (kind === 'events') known.heard = Math.max(known.heard, ownTo)
  }
  // Traffic has no times of its own, and some clocks run ahead of ours.
  for (const each of batches) each.heard = Number.isFinite(each.heard) ? Math.min(each.heard, each.to) : each.to
  return batches
}

const within = ({ from, to, count, total }: Batch): Hole => ({ from, to: to + 1, why: 'damaged', entries: total - count })

function between(before: Batch, after: Batch): Hole[] {
  const isNext = after.batch === before.batch + 1 && isWhole(before) && isWhole(after)
  return isNext ? [] : [{ from: before.heard, to: Math.max(after.from, before.heard + 1), why: 'damaged' }]
}

export function outlineOf(blocks: readonly BlockHead[]): Outline {
  const batches = batchesIn(blocks)
  const [first, last] = [batches[0], batches.at(-1)]
  if (!first || !last) return { holes: [] }
  const holes: Hole[] = []
  for (const [i, batch] of batches.entries()) {
    const before = batches[i - 1]
    if (before) holes.push(...between(before, batch))
    if (batch !== last && !isWhole(batch)) holes.push(within(batch))
  }
  return { first, last, holes }
}

function atEnd(before: Batch | undefined, { entries, since, until = since }: NonNullable<Part['lost']>): Hole {
  const from = before?.heard ?? since
  return { from, to: Math.max(until, from) + 1, why: 'lost', entries }
}

/** Of the segments of a run, in their order; `open`: the last batch may not be there whole yet. */
export function holesOf(parts: readonly Part[], open: boolean): Hole[] {
  const holes: Hole[] = []
  let before: Batch | undefined
  for (const { outline, lost, silent } of parts) {
    const { first, last } = outline
    holes.push(...outline.holes)
    if (before && first) {
      const to = Math.max(first.from, before.heard + 1)
      if (lost) holes.push({ from: before.heard, to, why: 'lost', entries: lost.entries })
      else if (silent) holes.push({ from: before.heard, to, why: 'damaged' })
      else holes.push(...between(before, first))
      if (!isWhole(before)) holes.push(within(before))
    }
    before = last ?? before
    if (!first && lost) holes.push(atEnd(before, lost))
  }
  if (before && !isWhole(before) && !open) holes.push(within(before))
  return holes.sort((a, b) => a.from - b.from)
}

/** A damaged block whose header is whole: what was in it is known by its time and its topics. */
export const holeOf = ({ kind, from, to, ownFrom, ownTo, count }: BlockHead): Hole =>
  kind === 'events'
    ? { from: ownFrom, to: ownTo + 1, why: 'damaged', entries: count }
    : { from, to: to + 1, why: 'damaged', entries: count }
