/** The arbiter's decisions for a person who reads the log: what befell many streams at once is one line. Pure. */
import type { Status } from '@tickwire/protocol'

type Line = { from: string; to: string[]; streams: number; cause: Status['cause']; reason: string }
export type Digest = Map<string, { since: number; line: Line }>

/** Decisions of one provider and cause within this time are told together. */
const WINDOW = 1_000

export const openDigest = (): Digest => new Map()

/** First leaders and leavers are no news, every start and every client brings them; that a lost leader speaks again is. */
export function note(digest: Digest, { previous, leader, cause, reason, time }: Status): void {
  if (previous === undefined || cause === 'unsubscribed' || (cause === 'first' && previous !== leader)) return
  const key = `${previous} ${cause}`
  const known = digest.get(key)
  if (!known) {
    digest.set(key, {
      since: time,
      line: { from: previous, to: leader === undefined ? [] : [leader], streams: 1, cause, reason }
    })
    return
  }
  known.line.streams++
  if (leader !== undefined && !known.line.to.includes(leader)) known.line.to.push(leader)
}

/** Takes what is complete; `reason` is that of the first stream. */
export function takeLines(digest: Digest, now: number): Line[] {
  const lines: Line[] = []
  for (const [key, { since, line }] of digest) {
    if (now - since < WINDOW) continue
    lines.push(line)
    digest.delete(key)
  }
  return lines
}
