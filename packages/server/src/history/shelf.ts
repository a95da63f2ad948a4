/** Past trades from a provider's REST: an hour at a time, in order of time, and answers that serve several pages kept for a while. */
import type { Trade } from '@tickwire/protocol'
import type { Span } from './spans.ts'

export type Answer = ({ ok: true; provider: string; trades: readonly Trade[] } & Span) | { ok: false; why: string }
export type Rest = (instrument: string, span: Span) => Promise<Answer>

/** Not all providers answer for more at once. */
const MOST = 3_600_000
/** Calls for one page: what they do not reach is for the next. */
const CALLS = 16
const KEPT = 64
const KEPT_FOR = 60_000

type Kept = Extract<Answer, { ok: true }> & { instrument: string; at: number }
export type Filled = {
  trades: Trade[]
  /** Where all of them are here. */
  spans: Span[]
  /** What no provider tells, and why. */
  missing: (Span & { why: string })[]
  /** So far was asked; what lies beyond it is unknown yet. */
  reached: number
}

export function createShelf(rest: Rest, clock: () => number) {
  let kept: Kept[] = []

  async function ask(instrument: string, span: Span, calls: { left: number }): Promise<Answer | undefined> {
    const now = clock()
    kept = kept.filter(({ at }) => now - at < KEPT_FOR && at <= now)
    const known = kept.find((each) => each.instrument === instrument && each.from <= span.from && each.to > span.from)
    if (known) return known
    if (calls.left-- <= 0) return undefined
    const answer = await rest(instrument, span).catch((error: Error): Answer => ({ ok: false, why: error.message }))
    if (answer.ok) kept = [...kept.slice(1 - KEPT), { ...answer, instrument, at: now }]
    return answer
  }

  /** Nothing is told of the hour at `from`: up to where that is so, as far as a few questions show. */
  async function silentTo(instrument: string, { from, to }: Span, calls: { left: number }): Promise<number> {
    let low = Math.min(from + MOST, to)
    let high = to
    // The end first: where that fails too, nobody tells anything of it.
    for (let at = to - MOST; low < high; at = Math.max(low, low + (high - low - MOST) / 2)) {
      const middle = Math.max(low, at)
      const answer = await ask(instrument, { from: middle, to: Math.min(middle + MOST, to) }, calls)
      if (!answer) return low
      if (answer.ok && answer.to > middle) high = middle
      else low = Math.min(middle + MOST, high)
    }
    return low
  }

  return {
    /** The first trades of a span, at least `limit` where there are so many. */
    async fill(instrument: string, { from, to }: Span, limit: number): Promise<Filled> {
      const filled: Filled = { trades: [], spans: [], missing: [], reached: from }
      const calls = { left: CALLS }
      while (filled.reached < to && filled.trades.length < limit) {
        const at = filled.reached
        let end = Math.min(at + MOST, to)
        let answer = await ask(instrument, { from: at, to: end }, calls)
        // Some tell the newest of what is asked: the time before those is asked for by itself.
        while (answer?.ok && answer.from > at && answer.from < end) {
          end = answer.from
          answer = await ask(instrument, { from: at, to: end }, calls)
        }
        if (!answer) return filled
        if (answer.ok && answer.from <= at && answer.to > at) {
          const { to: until } = answer
          filled.trades.push(...answer.trades.filter(({ time }) => time >= at && time < Math.min(until, to)))
          filled.reached = Math.min(until, to)
          filled.spans.push({ from: at, to: filled.reached })
        } else {
          const why = answer.ok ? `${answer.provider} does not go back so far` : answer.why
          filled.reached = end < Math.min(at + MOST, to) ? end : await silentTo(instrument, { from: at, to }, calls)
          filled.missing.push({ from: at, to: filled.reached, why })
        }
      }
      return filled
    }
  }
}
