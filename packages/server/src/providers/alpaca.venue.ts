/** What Alpaca's venues say beside trades and quotes: crypto books, halts, price bands, corrections and cancels. */
import type { Halt, Level } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import { timeOf } from './alpaca.codec.ts'
import { dayOf } from './new-york.ts'
import { isCrypto, type Row, type Session } from './alpaca.session.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'

/** Ids are unique per symbol, exchange and trading day; crypto has one exchange, and 0 there is no id. */
export function idOf(id: unknown, exchange: unknown, time: number, symbol: unknown): string | undefined {
  if ((typeof id !== 'number' && typeof id !== 'string') || id === '') return undefined
  if (isCrypto(symbol)) return id === 0 ? undefined : `${dayOf(time)}-${id}`
  return `${dayOf(time)}-${typeof exchange === 'string' ? exchange : ''}-${id}`
}

/** Absolute sizes without a sequence, and 0 deletes; `r` starts anew. */
export function book({ S: symbol, b, a, r, t }: Row): readonly Meaning[] {
  if (typeof symbol !== 'string' || symbol === '') return [values.refused('book: no symbol')]
  const [bids, asks, time] = [side(b), side(a), timeOf(t)]
  if (bids && asks && isTime(time)) return [{ type: 'delta', symbol, time, snapshot: r === true, bids, asks }]
  const reason = isTime(time) ? 'book: impossible level' : 'book: impossible time'
  return [values.refused(reason), { type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
}

function side(rows: unknown): Level[] | undefined {
  if (rows === undefined || rows === null) return []
  if (!Array.isArray(rows)) return undefined
  return values.levels(rows.map((row: unknown) => (values.isRecord(row) ? [row.p, row.s] : [])))
}

/** Codes of Nasdaq's tape (letters) and of the others (digits). Those that are missing here tell of imbalances and of short sales. */
const STATES: Readonly<Record<string, Halt['state']>> = {
  H: 'halted',
  2: 'halted',
  T: 'trading',
  3: 'trading',
  P: 'paused',
  F: 'paused',
  Q: 'quoting',
  5: 'quoting',
  6: 'quoting'
}

/** What says nothing about whether it trades leaves that as it was. */
export function halt({ S: symbol, sc, sm, rc, rm, t }: Row, { halts }: Session): Meaning {
  const time = timeOf(t)
  if (typeof symbol !== 'string' || symbol === '' || typeof sc !== 'string') return values.refused('halt: no symbol or no code')
  if (!isTime(time)) return values.refused('halt: impossible time')
  const state = (Object.hasOwn(STATES, sc) ? STATES[sc] : undefined) ?? halts.get(symbol) ?? 'unknown'
  halts.set(symbol, state)
  const words = [sm, rm].filter((text): text is string => typeof text === 'string' && text !== '').join(': ')
  const code = typeof rc === 'string' && rc.trim() !== '' ? rc : sc
  return { type: 'halt', symbol, time, state, code, ...(words && { reason: words }) }
}

export function band({ S: symbol, u, d, i, t }: Row): readonly Meaning[] {
  const [up, down, time] = [values.number(u), values.number(d), timeOf(t)]
  // No band is set out of regular hours.
  if (up === 0 && down === 0) return []
  if (typeof symbol !== 'string' || symbol === '' || !values.isPrice(up) || !values.isPrice(down) || up < down)
    return [values.refused('band: impossible')]
  if (!isTime(time)) return [values.refused('band: impossible time')]
  return [{ type: 'band', symbol, time, up, down, ...(typeof i === 'string' && i !== '' ? { indicator: i } : {}) }]
}

export function corrected({ S: symbol, x, oi, op, os, ci, cp, cs, cc, t }: Row): Meaning {
  const time = timeOf(t)
  const [id, newId] = [idOf(oi, x, time, symbol), idOf(ci, x, time, symbol)]
  const [price, size] = [values.number(cp), values.number(cs)]
  if (typeof symbol !== 'string' || symbol === '' || id === undefined) return values.refused('correction: no symbol or no id')
  if (!isTime(time)) return values.refused('correction: impossible time')
  if (!values.isPrice(price) || !values.isSize(size)) return values.refused('correction: impossible price or size')
  const conditions = values.codes(cc)
  const truth = { price, size, ...(newId && { id: newId }), ...(conditions && { conditions }) }
  return { type: 'correction', symbol, time, action: 'correct', id, ...told(op, os), corrected: truth }
}

/** `a` is "C" for a cancel and "E" for an error: the trade never was. */
export function cancelled({ S: symbol, x, i, p, s, t }: Row): Meaning {
  const time = timeOf(t)
  const id = idOf(i, x, time, symbol)
  if (typeof symbol !== 'string' || symbol === '' || id === undefined) return values.refused('correction: no symbol or no id')
  if (!isTime(time)) return values.refused('correction: impossible time')
  return { type: 'correction', symbol, time, action: 'cancel', id, ...told(p, s) }
}

/** What was told before; left out where it is no price or size. */
function told(p: unknown, s: unknown): { price?: number; size?: number } {
  const [price, size] = [values.number(p), values.number(s)]
  return { ...(values.isPrice(price) && { price }), ...(values.isSize(size) && { size }) }
}
