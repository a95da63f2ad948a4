/** What REST has of the holes in a connection's trades: when it is asked, and when nothing more can be done. */
import type { Access, Adapter, Need } from '../providers/adapter.ts'
import {
  end,
  FILL_AFTER,
  holesOf,
  numberOf,
  settle,
  spanOf,
  take,
  type Heard,
  type Hole,
  type Holes,
  type Out,
  type Outcome
} from './holes.ts'

/** An older hole is not filled: it stays told as a gap. */
const FILL_AT_MOST = 3_600_000
/** Tries until a hole is given up, each twice as long after the one before. */
const TRIES = 5
/** Calls and pages of one try. */
const PAGES = 20
/** An answer this long may have been cut there. */
const FULL = 500
/** Calls of one connection on their way at a time: what else is asked of REST must get its turn. */
const AT_ONCE = 4

/** Asks for what is due; `isSettled`: the stream of a symbol is known to be on again. */
export function due<S>(
  s: Holes,
  adapter: Adapter<S>,
  access: Access,
  isSettled: (symbol: string) => boolean,
  now: number
): Outcome[] {
  const out: Outcome[] = []
  if (s.open.size === 0) return out
  const all = [...s.open.values()].flat()
  let calls = all.filter(({ asked }) => asked.size > 0).length
  for (const hole of all) {
    if (now < hole.askAt || hole.asked.size > 0 || calls >= AT_ONCE) continue
    // Without ids, what the stream has told since cannot be told from what it has not, until its first trade parts the two.
    if (hole.to === Infinity && !(hole.named && isSettled(hole.symbol)) && now - hole.from <= FILL_AT_MOST) continue
    const until = Math.min(now, hole.to)
    const need = now - hole.from > FILL_AT_MOST ? 'old' : adapter.fill?.(hole.symbol, hole.reached, until, access)
    if (need === undefined || need === 'old') {
      giveUp(s, hole, need ? 'it lies too far back' : `${adapter.provider} serves no past trades of it`, out)
      continue
    }
    if (hole.pages++ === 0) hole.tries++
    hole.rows = 0
    hole.equal.clear()
    hole.gained = false
    hole.failure = undefined
    hole.asked.add(need.path)
    calls++
    out.push({ type: 'need', need })
  }
  return out
}

const giveUp = (s: Holes, hole: Hole, reason: string, out: Out): void => {
  end(s, hole)
  out.push({ type: 'unfilled', span: spanOf(hole), reason })
}

/** A trade of an answer: what lies in a hole and was not there yet goes on as backfill. */
export function past(s: Holes, { path }: Need, trade: Heard, counts: boolean, out: Out): void {
  const { symbol, time } = trade
  const id = counts ? numberOf(trade.id) : undefined
  const last = s.last.get(symbol)
  const holes = holesOf(s, symbol)
  for (const hole of holes) {
    if (!hole.asked.has(path)) continue
    hole.rows++
    hole.reached = Math.max(hole.reached, time)
  }
  // Asked by the adapter for reasons of its own: an id, or a later time, tells it from what is known.
  const isNew = holes.length === 0 ? trade.id !== undefined || time > (last?.time ?? -Infinity) : undefined
  const hole = holes.find((each) => take(each, trade, id, last))
  if (hole) for (const each of holes) if (each.asked.has(path)) each.gained = true
  if (hole || isNew) out.push({ type: 'event', event: { ...trade, backfill: true } })
}

/** A page of an answer names the next one. False: no hole waits for it. */
export function paged(s: Holes, need: Need, next: Need): boolean {
  const hole = holesOf(s, need.symbol ?? '').find(({ asked }) => asked.has(need.path))
  if (!hole || hole.pages >= PAGES) return !hole
  hole.pages++
  hole.asked.add(next.path)
  return true
}

/** A call has ended, with `failure` in vain; what follows from that once all pages of it are here. */
export function answered(s: Holes, need: Need, now: number, failure: string | undefined, out: Out): void {
  if (need.purpose !== 'trades') return
  for (const hole of holesOf(s, need.symbol ?? '')) {
    if (!hole.asked.delete(need.path)) continue
    hole.failure ??= failure
    if (hole.asked.size > 0 || settle(s, hole, 'rest', out)) continue
    const cut = hole.rows >= FULL && hole.gained && hole.pages < PAGES
    // What stands beyond the last row of a long answer is asked for at once.
    if (hole.failure === undefined && cut && hole.reached < hole.to) hole.askAt = now
    else if (hole.failure === undefined && hole.expected === undefined && hole.pages < PAGES) finish(s, hole, now, out)
    else again(s, hole, now, out)
  }
}

/** Nothing is numbered: what REST has of the time between is what there is. */
function finish(s: Holes, hole: Hole, now: number, out: Out): void {
  end(s, hole)
  out.push({ type: 'filled', span: { ...spanOf(hole), to: Math.min(hole.to, now) }, how: 'rest' })
}

function again(s: Holes, hole: Hole, now: number, out: Out): void {
  if (hole.tries >= TRIES) return giveUp(s, hole, hole.failure ?? 'its REST has not all of it', out)
  hole.askAt = now + FILL_AFTER * 2 ** hole.tries
  hole.pages = 0
  hole.reached = hole.from
}
