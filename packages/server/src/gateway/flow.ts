/**
 * What a reader has been sent and has not read for all we know, and how much more he may be sent: about two seconds' worth at his own
 * pace, which his answers to probes tell. The kernel takes megabytes for whoever reads slowly, and what lies there only grows old. Pure.
 */

/** Nobody whose pace is unknown is sent more before his first answer, bytes. */
const FIRST = 32 * 1024
/** Anybody may be sent so much. */
export const LEAST = 16 * 1024
/** An answer within this time says nothing against him, ms: he reads at least as fast as that. */
const PROMPT = 250
/** No answer is measured more finely than this, ms. */
const TURN = 20
/** Of whom nothing is known against him an answer is awaited for so long before he counts as slow, ms. */
const GRACE = 100
/** Probe and answer cost as much as a write each: no oftener than this, ms, unless all waits for the answer. */
const PAUSE = 1_000
/** After so many bytes a probe is worth while. */
const WORTH = 256 * 1024
/** Of who is slow: after so much of his own pace, ms. */
const SLOW_PAUSE = 500

export type Flow = ReturnType<typeof createFlow>

/** `ahead`: how much of his own pace a reader is sent before he has read it, ms. */
export function createFlow(start: number, ahead = 2_000) {
  let written = 0
  let read = 0
  /** Since when what is not read has been under way. */
  let from = start
  /** Bytes since the last probe, and when that was. */
  let unprobed = 0
  let probedAt = start
  let probes = 0
  /** The oldest probe that is not answered: what was written before it, and since when. */
  let probe: { nth: number; written: number; since: number } | undefined
  /** Bytes in a millisecond, once it is known. */
  let pace: number | undefined
  let isSlow = false

  const room = (): number => (pace === undefined ? FIRST : Math.max(LEAST, pace * ahead)) - (written - read)

  const reached = (to: number, now: number, took: number): void => {
    isSlow = took > PROMPT
    const bytes = to - read
    if (isSlow) pace = bytes > 0 ? bytes / Math.max(now - from, 1) : pace
    // Of a few bytes nothing can be said.
    else if (bytes >= LEAST) pace = Math.max(pace ?? 0, bytes / Math.max(took, TURN))
    read = to
    from = now
  }

  return {
    wrote(bytes: number, now: number): void {
      if (written === read) from = now
      written += bytes
      unprobed += bytes
    },

    isDue(now: number): boolean {
      if (probe || unprobed === 0) return false
      if (room() < 0) return true
      if (isSlow && pace !== undefined) return unprobed >= pace * SLOW_PAUSE
      return unprobed > WORTH && now - probedAt >= PAUSE
    },

    /** A probe stands behind all that is written. Returns which one it is. */
    probed(now: number): number {
      probedAt = now
      unprobed = 0
      probes++
      probe ??= { nth: probes, written, since: now }
      return probes
    },

    /** All before the oldest probe is read. Answers to earlier ones say nothing of it; a later one may be answered alone. */
    answered(nth: number, now: number): void {
      if (!probe || nth < probe.nth) return
      reached(probe.written, now, now - probe.since)
      probe = undefined
    },

    /** So many bytes are read, as the kernel says. */
    passed(to: number, now: number): void {
      if (to > read) reached(to, now, to === written ? 0 : now - from)
    },

    /** Bytes that he may be sent now; below 0 he has too many. */
    room,
    /** He has too many, and his answer does not come at once. */
    isFull: (now: number): boolean => room() < 0 && (isSlow || (probe !== undefined && now - probe.since > GRACE)),
    /** How long nothing of what is under way was read, ms. */
    stalled: (now: number): number => (written - read > LEAST ? now - from : 0),
    /** Bytes under way. */
    owes: (): number => written - read,
    written: (): number => written,
    /** Bytes since the last probe, and when that was. */
    unprobed: (): number => unprobed,
    probedAt: (): number => probedAt,
    /** How long the oldest probe has waited for its answer, ms; and what was written after it. */
    waiting: (now: number): number => (probe ? Math.max(0, now - probe.since) : 0),
    unanswered: (): number => (probe ? written - probe.written : 0)
  }
}
