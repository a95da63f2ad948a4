/** The holes in the trades of one connection: where the stream leaves them, and what of them it tells late. */
import type { DecodedEvent, Need } from '../providers/adapter.ts'

export type Heard = Extract<DecodedEvent, { type: 'trade' }>

/** What is missing of a symbol's trades. */
export type Span = {
  symbol: string
  /** Times of the last trade before it and of the first one after it; Infinity until that came. */
  from: number
  to: number
  /** Numbers that never came: from `expected` on, up to `got` without it. */
  expected?: number | undefined
  got?: number | undefined
}
export type Hole = Span & {
  /** Trades have ids, so that what is filled twice is told apart. */
  named: boolean
  /** `expected` and `got` are ids of trades. */
  counted: boolean
  /** Ids, or keys where there are none, of what was filled in; and how many of each key the answer at hand has. */
  found: Set<string>
  equal: Map<string, number>
  askAt: number
  tries: number
  /** Calls and pages of this try. */
  pages: number
  /** Addresses of calls on their way. */
  asked: Set<string>
  /** Of the answers of this try: rows, the time that they reach, whether any was new, and what went wrong. */
  rows: number
  reached: number
  gained: boolean
  failure?: string | undefined
}

/** `told`: that something is missing after it is told already, though nobody knows how much. */
type Last = { time: number; id?: number | undefined; name?: string | undefined; told?: true }
export type Holes = {
  /** Symbol → its last trade, kept over a reconnect so that a hole can be seen and filled. */
  last: Map<string, Last>
  open: Map<string, Hole[]>
}

export type Outcome =
  | { type: 'event'; event: Heard }
  | { type: 'need'; need: Need }
  | {
      type: 'gap'
      gap: { kind: 'trade'; symbol: string; expected: number; got: number; cause: 'sequence'; until: number }
      action: 'open'
    }
  /** All of it that can be had is here: by REST, or late by the stream itself. */
  | { type: 'filled'; span: Span; how: 'rest' | 'provider' }
  | { type: 'unfilled'; span: Span; reason: string }

/** Where outcomes go, in order. */
export type Out = { push: (outcome: Outcome) => unknown }

/** REST has a trade a little later than the stream; and what only came out of order is here by then. */
export const FILL_AFTER = 1_000
/** Holes of one symbol; beyond, the last one grows. */
const HOLES = 8

export const openHoles = (): Holes => ({ last: new Map(), open: new Map() })

export const numberOf = (id: string | undefined): number | undefined => {
  const number = id === undefined || id === '' ? Number.NaN : Number(id)
  return Number.isSafeInteger(number) ? number : undefined
}

const openHole = (symbol: string, last: Last, askAt: number): Hole => ({
  symbol,
  from: last.time,
  to: Infinity,
  named: last.name !== undefined,
  counted: false,
  found: new Set(),
  equal: new Map(),
  askAt,
  tries: 0,
  pages: 0,
  asked: new Set(),
  rows: 0,
  reached: last.time,
  gained: false
})

export const spanOf = ({ symbol, from, to, expected, got }: Hole): Span => ({ symbol, from, to, expected, got })
export const holesOf = ({ open }: Holes, symbol: string): readonly Hole[] => open.get(symbol) ?? []

function add(s: Holes, symbol: string, hole: Hole): Hole {
  const holes = s.open.get(symbol)
  if (!holes) s.open.set(symbol, [hole])
  else if (holes.length < HOLES) holes.push(hole)
  else {
    const last = holes.at(-1)!
    const { to, got, askAt } = hole
    return Object.assign(last, { to, got, askAt, counted: last.counted && hole.counted })
  }
  return hole
}

export function end(s: Holes, hole: Hole): void {
  if (hole.to === Infinity) passOver(s, hole)
  const left = holesOf(s, hole.symbol).filter((other) => other !== hole)
  if (left.length === 0) s.open.delete(hole.symbol)
  else s.open.set(hole.symbol, left)
}

/** It ends before the stream goes on: the first trade after it finds nothing missing that was told already. */
function passOver({ last: all }: Holes, { symbol, counted, got, found }: Hole): void {
  const last = all.get(symbol)
  if (!counted || last?.id === undefined) return
  if (got !== undefined) last.id = Math.max(last.id, got - 1)
  else if (found.size === 0) last.told = true
  else last.id = Math.max(last.id, ...[...found].map((name) => numberOf(name) ?? 0))
}

// ---- what comes on the stream ------------------------------------------------------------------------------------

/** `counts`: ids count up by one. */
export function hear(s: Holes, trade: Heard, counts: boolean, now: number, out: Out): void {
  const { symbol, time, id: name } = trade
  const id = counts ? numberOf(name) : undefined
  const last = s.last.get(symbol)
  const hole = s.open.size === 0 ? undefined : holesOf(s, symbol).at(-1)
  const late = last !== undefined && isLate(trade, id, last)
  if (trade.backfill || late) {
    out.push({ type: 'event', event: trade.backfill ? trade : { ...trade, backfill: true } })
    if (hole) for (const each of holesOf(s, symbol)) if (take(each, trade, id, last)) settle(s, each, 'provider', out)
  } else {
    const ends = hole?.to === Infinity
    if (!ends && id !== undefined && last?.id !== undefined && id > last.id + 1 && !last.told) skip(s, last, trade, id, now, out)
    out.push({ type: 'event', event: trade })
    if (ends) meet(s, hole, trade, id, now, out)
  }
  if (last && (late || (trade.backfill && time < last.time))) return
  s.last.set(symbol, { time: id === undefined ? Math.max(time, last?.time ?? time) : time, id, name })
}

/** It came out of order: by its number it belongs before what was told. A later time means that the provider counts anew. */
const isLate = ({ time }: Heard, id: number | undefined, last: Last): boolean =>
  id !== undefined && last.id !== undefined && id < last.id && time <= last.time

function skip(s: Holes, last: Last, { symbol, time }: Heard, id: number, now: number, out: Out): void {
  const expected = last.id! + 1
  const to = Math.max(last.time, time)
  add(s, symbol, { ...openHole(symbol, last, now + FILL_AFTER), to, counted: true, expected, got: id })
  out.push({ type: 'gap', gap: { kind: 'trade', symbol, expected, got: id, cause: 'sequence', until: to }, action: 'open' })
}

/** The first trade after a hole says how long it is, and by its number whether it is one at all. */
function meet(s: Holes, hole: Hole, { time }: Heard, id: number | undefined, now: number, out: Out): void {
  hole.to = Math.max(hole.from, time)
  if (hole.asked.size === 0) hole.askAt = Math.max(now + FILL_AFTER, hole.tries > 0 ? hole.askAt : 0)
  if (hole.counted && hole.got === undefined) {
    // A provider that begins to count anew says nothing of what lies between.
    if (id !== undefined && id >= hole.expected!) hole.got = id
    else hole.counted = false
  }
  settle(s, hole, 'provider', out)
}

/** The adapter saw a number skipped, and may have asked for what is missing itself. */
export function told(
  s: Holes,
  symbol: string,
  numbers: { expected?: number | string; got?: number | string },
  own: readonly Need[],
  now: number
): void {
  const last = s.last.get(symbol)
  if (!last) return
  const pending = holesOf(s, symbol).find(({ to }) => to === Infinity)
  const hole = pending ?? add(s, symbol, numbered(openHole(symbol, last, now + FILL_AFTER), last, numbers))
  for (const { path } of own) hole.asked.add(path)
  if (own.length > 0) hole.tries = hole.pages = 1
}

function numbered(hole: Hole, { id }: Last, { expected, got }: { expected?: number | string; got?: number | string }): Hole {
  if (typeof expected !== 'number' || typeof got !== 'number') return hole
  return { ...hole, expected, got, counted: id !== undefined && id + 1 === expected }
}

/** The connection is gone: from the last trade of each symbol on there is a hole, whose end is not known yet. */
export function breakOff(s: Holes, symbols: Iterable<string>, askAt = Infinity): void {
  for (const symbol of symbols) {
    const last = s.last.get(symbol)
    if (!last || holesOf(s, symbol).some(({ to }) => to === Infinity)) continue
    const hole = openHole(symbol, last, askAt)
    add(s, symbol, last.id === undefined ? hole : { ...hole, counted: true, expected: last.id + 1 })
  }
}

/** Nobody waits any more for what was asked. */
export function reopen({ open }: Holes, now: number): void {
  for (const hole of [...open.values()].flat()) {
    hole.asked.clear()
    Object.assign(hole, { askAt: now + FILL_AFTER, tries: 0, pages: 0, reached: hole.from })
  }
}

/** One connection takes over from another: what that one knew and misses is its own now, and what neither hears is a hole. */
export function inherit(s: Holes, from: Holes, missed: ReadonlySet<string>, now: number): void {
  reopen(from, now)
  for (const [symbol, last] of from.last) {
    if (!s.last.has(symbol)) s.last.set(symbol, last)
    const handed = holesOf(from, symbol)
    if (handed.length > 0) s.open.set(symbol, [...handed, ...holesOf(s, symbol)])
  }
  from.open.clear()
  breakOff(s, missed, now + FILL_AFTER)
}

/** What nobody wants any more needs no filling. */
export function leave({ last, open }: Holes, symbol: string): void {
  last.delete(symbol)
  open.delete(symbol)
}

// ---- what is found of it -----------------------------------------------------------------------------------------

/** True for what lies in this hole and is new to it. */
export function take(
  hole: Hole,
  { time, id: name, price, size }: Heard,
  id: number | undefined,
  last: Last | undefined
): boolean {
  const { counted, expected, got, from, to, found } = hole
  if (counted && id !== undefined) {
    if (id < expected! || id >= (got ?? Infinity)) return false
    if (got === undefined && last?.id !== undefined && id <= last.id) return false
  } else if (name === undefined ? time <= from || time >= to : time < from || time > to) return false
  const key = name ?? nth(hole.equal, `${time} ${price} ${size}`)
  if (found.has(key)) return false
  found.add(key)
  return true
}

/** Where trades have no ids, equal ones are as many as one answer has. */
function nth(equal: Map<string, number>, key: string): string {
  const n = (equal.get(key) ?? 0) + 1
  equal.set(key, n)
  return `${key} ${n}`
}

/** True when nothing can be missing any more, by the numbers. */
function isWhole({ expected, got, found }: Hole): boolean {
  return expected !== undefined && got !== undefined && found.size >= got - expected
}

export function settle(s: Holes, hole: Hole, how: 'rest' | 'provider', out: Out): boolean {
  if (!isWhole(hole)) return false
  end(s, hole)
  out.push({ type: 'filled', span: spanOf(hole), how })
  return true
}
