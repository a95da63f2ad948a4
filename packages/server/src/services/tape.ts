/** The last trades of one instrument, so that one can be taken back or corrected later, and none is counted twice. Bounded. */
import type { Correction, Trade } from '@tickwire/protocol'
import { noPrices, price, type Prices } from './bar.ts'

const MINUTE = 60_000
/** How many corrections wait for a trade that was not heard yet. */
const WAITING = 1_000

/** Trades of one minute in order of arrival, and the ids by which they are known beside their own. */
type Cell = { trades: Trade[]; names: [provider: string, id: string][] }
/** `cancelled`: it was heard and taken back, and stays so. */
type Known = Trade | 'cancelled'

export type Tape = {
  /** By the start of the minute: no candle begins or ends within one. */
  cells: Map<number, Cell>
  count: number
  /** Start of the oldest cell. */
  oldest: number
  /** Provider → id → the trade as it is true now. */
  ids: Map<string, Map<string, Known>>
  /** Corrections of what was not heard yet, by provider and id. */
  waiting: Map<string, Correction>
}

export const openTape = (): Tape => ({ cells: new Map(), count: 0, oldest: Infinity, ids: new Map(), waiting: new Map() })

const minuteOf = (time: number): number => Math.floor(time / MINUTE) * MINUTE
const known = ({ ids }: Tape, provider: string, id: string): Known | undefined => ids.get(provider)?.get(id)

export const isKnown = (tape: Tape, { provider, id }: Trade): boolean =>
  id !== undefined && known(tape, provider, id) !== undefined

function name(tape: Tape, provider: string, id: string, trade: Known): void {
  let ids = tape.ids.get(provider)
  if (!ids) tape.ids.set(provider, (ids = new Map()))
  ids.set(id, trade)
}

export function remember(tape: Tape, trade: Trade): void {
  const start = minuteOf(trade.time)
  let cell = tape.cells.get(start)
  if (!cell) tape.cells.set(start, (cell = { trades: [], names: [] }))
  cell.trades.push(trade)
  tape.count++
  if (start < tape.oldest) tape.oldest = start
  if (trade.id !== undefined) name(tape, trade.provider, trade.id, trade)
}

/** A correction that came before its trade. */
export function takeWaiting({ waiting }: Tape, provider: string, id: string | undefined): Correction | undefined {
  if (waiting.size === 0 || id === undefined) return undefined
  const key = `${provider} ${id}`
  const correction = waiting.get(key)
  waiting.delete(key)
  return correction
}

function wait({ waiting }: Tape, correction: Correction): void {
  waiting.set(`${correction.provider} ${correction.id}`, correction)
  const [oldest] = waiting.keys()
  if (waiting.size > WAITING && oldest !== undefined) waiting.delete(oldest)
}

/**
 * What was and what is true instead (nothing: it never was). A corrected trade keeps its time and its place among those of one
 * time, and is known by its old id and by its new one.
 */
export function amend(tape: Tape, correction: Correction): { was: Trade; now: Trade | undefined } | undefined {
  const { provider, id, action, corrected } = correction
  const was = known(tape, provider, id)
  if (was === 'cancelled' || (action === 'correct' && !isUsable(corrected))) return undefined
  const cell = was && tape.cells.get(minuteOf(was.time))
  if (!was || !cell) {
    wait(tape, correction)
    return undefined
  }
  const at = cell.trades.indexOf(was)
  const now = action === 'correct' && corrected ? { ...was, price: corrected.price, size: corrected.size } : undefined
  if (now) cell.trades[at] = now
  else {
    cell.trades.splice(at, 1)
    tape.count--
  }
  for (const each of new Set([was.id ?? id, id, corrected?.id ?? id])) {
    cell.names.push([provider, each])
    name(tape, provider, each, now ?? 'cancelled')
  }
  for (const [, other] of cell.names) if (known(tape, provider, other) === was) name(tape, provider, other, now ?? 'cancelled')
  return { was, now }
}

const isUsable = (corrected: Correction['corrected']): boolean =>
  corrected !== undefined && Number.isFinite(corrected.price) && Number.isFinite(corrected.size)

/** What the remembered trades from `start` to `end` make of `prices`. */
export function replay({ cells }: Tape, start: number, end: number, prices: Prices): void {
  for (const [minute, { trades }] of cells)
    if (minute >= start && minute < end) for (const trade of trades) if (!trade.ineligible) price(prices, trade)
}

/** Lets go of the oldest minutes: those before `time`, and as many as there are too many trades. Tells what each had made. */
export function forgetOld(tape: Tape, time: number, limit: number, told: (start: number, prices: Prices) => void): void {
  while (tape.cells.size > 0 && (tape.oldest < time || tape.count > limit)) {
    const prices = noPrices()
    replay(tape, tape.oldest, tape.oldest + MINUTE, prices)
    told(tape.oldest, prices)
    const cell = tape.cells.get(tape.oldest)
    for (const { provider, id } of cell?.trades ?? []) if (id !== undefined) tape.ids.get(provider)?.delete(id)
    for (const [provider, id] of cell?.names ?? []) tape.ids.get(provider)?.delete(id)
    tape.count -= cell?.trades.length ?? 0
    tape.cells.delete(tape.oldest)
    tape.oldest = Infinity
    for (const start of tape.cells.keys()) if (start < tape.oldest) tape.oldest = start
  }
}
