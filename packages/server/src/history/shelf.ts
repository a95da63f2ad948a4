/** Past trades from a provider's REST: an hour at a time, in order of time, and answers that serve several pages kept for a while. */
import type { Trade } from '@tickwire/protocol'
import type { Span } from './spans.ts'

export type Answer = ({ ok: true; provider: string; trades: readonly Trade[] } & Span) | { ok: false; why: string }
export type Rest = (instrument: string, span: Span) => Promise<Answer>

/** Not all providers answer for more at once. */
const MOST = 3_600_000
/** Calls for one page: what they do not reach is for the next. */
const CALLS = 16
/** No call for a page begins later than this: those who page see that it goes on. */
const PATIENCE = 1_000
const DAY = 24 * MOST
/** Looked for by steps of a week, then of a day: at the same hour as one with trades an exchange is open. */
const STEPS = [7 * DAY, DAY, MOST]
/** Longer than this nobody waits for hour after hour in which nothing is told. */
const LONG = 31 * DAY
/** So long before the end it is looked whether anything is told at all, at four times of the day: an exchange is closed at most of them. */
const ENDS = Array.from({ length: 11 }, (_, i) => (i * 3 * DAY) / 4)
const KEPT = 64
const KEPT_FOR = 60_000

type Kept = Extract<Answer, { ok: true }> & { instrument: string; at: number }
export type Filled = {
  trades: Trade[]
  /** Where all of them are here, and who said so. */
  spans: (Span & { provider: string })[]
  /** What no provider tells, and why. */
  missing: (Span & { why: string })[]
  /** So far was asked; what lies beyond it is unknown yet. */
  reached: number
}

/** What one page may ask. */
export type Budget = { left: number; until: number }

const tells = (answer: Answer): boolean => answer.ok && answer.trades.length > 0

function between(low: number, high: number): number | undefined {
  for (const step of STEPS) {
    const count = Math.floor((high - low) / step)
    if (count >= 1) return high - Math.ceil(count / 2) * step
  }
  return undefined
}

export function createShelf(rest: Rest, clock: () => number) {
  let kept: Kept[] = []
  /** Of instruments of which nothing is told at first: nothing up to `low`, something from `high` on. */
  const quiet = new Map<string, { low: number; high: number; at: number }>()

  async function ask(instrument: string, span: Span, budget: Budget): Promise<Answer | undefined> {
    const now = clock()
    kept = kept.filter(({ at }) => now - at < KEPT_FOR && at <= now)
    const known = kept.find((each) => each.instrument === instrument && each.from <= span.from && each.to > span.from)
    if (known) return known
    if (budget.left-- <= 0 || now >= budget.until) return undefined
    const answer = await rest(instrument, span).catch((error: Error): Answer => ({ ok: false, why: error.message }))
    if (answer.ok) kept = [...kept.slice(1 - KEPT), { ...answer, instrument, at: now }]
    return answer
  }

  /** Nothing is told of the hour at `from`: up to where that is so, as far as a few questions show. */
  async function silentTo(instrument: string, { from, to }: Span, budget: Budget): Promise<number> {
    let low = Math.min(from + MOST, to)
    let high = to
    // The end first: where that fails too, nobody tells anything of it.
    for (let at = to - MOST; low < high; at = Math.max(low, low + (high - low - MOST) / 2)) {
      const middle = Math.max(low, at)
      const answer = await ask(instrument, { from: middle, to: Math.min(middle + MOST, to) }, budget)
      if (!answer) return low
      if (answer.ok && answer.to > middle) high = middle
      else low = Math.min(middle + MOST, high)
    }
    return low
  }

  /** One of the last hours of a span of which something is told, or the last one; undefined: nobody was asked any more. */
  async function heardBefore(instrument: string, { from, to }: Span, budget: Budget): Promise<number | undefined> {
    for (const back of ENDS) {
      const at = Math.floor((to - MOST - back) / MOST) * MOST
      if (at <= from) return from
      const answer = await ask(instrument, { from: at, to: Math.min(at + MOST, to) }, budget)
      if (!answer) return undefined
      if (tells(answer)) return at
    }
    return Math.floor((to - MOST) / MOST) * MOST
  }

  /** Answers come and are empty: up to where that is so, as hours here and there show, so far as may be asked. */
  async function quietTo(instrument: string, { from, to }: Span, budget: Budget): Promise<number> {
    const now = clock()
    const known = quiet.get(instrument)
    const isKnown = known !== undefined && now - known.at < KEPT_FOR && known.high > from && known.high < to
    let high = isKnown ? known.high : await heardBefore(instrument, { from, to }, budget)
    if (high === undefined) return from
    let low = from
    for (let middle = between(low, high); middle !== undefined; middle = between(low, high)) {
      const answer = await ask(instrument, { from: middle, to: Math.min(middle + MOST, to) }, budget)
      if (!answer) break
      if (tells(answer)) high = middle
      else low = Math.min(middle + MOST, high)
    }
    if (low < high) quiet.set(instrument, { low, high, at: now })
    else quiet.delete(instrument)
    return low
  }

  /** Goes over what is empty before the first trade, and says so. */
  async function skip(instrument: string, filled: Filled, to: number, budget: Budget, provider: string): Promise<void> {
    const { reached: from } = filled
    filled.reached = await quietTo(instrument, { from, to }, budget)
    const why = `${provider} tells nothing of the hours of it that were asked; not all were`
    if (filled.reached > from) filled.missing.push({ from, to: filled.reached, why })
  }

  return {
    budget: (): Budget => ({ left: CALLS, until: clock() + PATIENCE }),

    /** The first trades of a span, at least `limit` where there are so many; `first`: none is known before it. */
    async fill(
      instrument: string,
      { from, to }: Span,
      { limit, budget, first }: { limit: number; budget: Budget; first: boolean }
    ): Promise<Filled> {
      const filled: Filled = { trades: [], spans: [], missing: [], reached: from }
      const isQuiet = () => first && filled.trades.length === 0 && to - filled.reached > LONG
      if (first && quiet.get(instrument)?.low === from) await skip(instrument, filled, to, budget, 'REST')
      while (filled.reached < to && filled.trades.length < limit) {
        const at = filled.reached
        let end = Math.min(at + MOST, to)
        let answer = await ask(instrument, { from: at, to: end }, budget)
        // Some tell the newest of what is asked: the time before those is asked for by itself.
        while (answer?.ok && answer.from > at && answer.from < end) {
          end = answer.from
          answer = await ask(instrument, { from: at, to: end }, budget)
        }
        if (!answer) return filled
        if (answer.ok && answer.from <= at && answer.to > at) {
          const { to: until } = answer
          filled.trades.push(...answer.trades.filter(({ time }) => time >= at && time < Math.min(until, to)))
          filled.reached = Math.min(until, to)
          filled.spans.push({ from: at, to: filled.reached, provider: answer.provider })
          if (isQuiet()) await skip(instrument, filled, to, budget, answer.provider)
        } else {
          const why = answer.ok ? `${answer.provider} does not go back so far` : answer.why
          filled.reached = end < Math.min(at + MOST, to) ? end : await silentTo(instrument, { from: at, to }, budget)
          filled.missing.push({ from: at, to: filled.reached, why })
        }
      }
      return filled
    }
  }
}
