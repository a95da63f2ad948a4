/** Indian brokers' names of instruments, `NSE:SBIN-EQ` and `NSE:NIFTY50-INDEX`, and any other that is known here. */
import type { Desk } from './dialect.ts'

export type Found = ReturnType<Desk['resolve']>

/** Where no listing has it under that name: `NSE:NIFTY50-INDEX` is `INDEX:NIFTY50`, `BSE:AUTO-INDEX` is `INDEX:BSE-AUTO`. */
export function find(desk: Desk, symbol: string): Found {
  const found = desk.resolve(symbol)
  if (found.ok) return found
  const [, exchange, name] = /^(NSE|BSE):(.+)-INDEX$/.exec(symbol) ?? []
  if (name === undefined) return found
  const ids = exchange === 'BSE' ? [`INDEX:BSE-${name}`, `INDEX:${name}`] : [`INDEX:${name}`]
  return ids.map((id) => desk.resolve(id)).find(({ ok }) => ok) ?? found
}

export const isIndex = (desk: Desk, instrument: string): boolean =>
  instrument.startsWith('INDEX:') || desk.carries({ kind: 'index', instrument })
