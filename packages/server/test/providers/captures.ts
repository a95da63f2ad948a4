/** Reads the recorded frames and what independent parsers make of them. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { applyDelta, openBook, top, type BookState } from '../../src/connection/books.ts'
import type { Adapter, Meaning } from '../../src/providers/adapter.ts'

const folder = new URL('../../../../captures/', import.meta.url)

export function text(name: string): string {
  const bytes = readFileSync(new URL(name, folder))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}
export const lines = (name: string): string[] => text(name).trimEnd().split('\n')
export const rows = <Row>(name: string): Row[] => lines(name).map((line) => JSON.parse(line) as Row)

export type Of<Type extends Meaning['type']> = Extract<Meaning, { type: Type }>
export const only = <Type extends Meaning['type']>(type: Type, meanings: readonly Meaning[]): Of<Type>[] =>
  meanings.filter((meaning): meaning is Of<Type> => meaning.type === type)
export const countsOf = (meanings: readonly Meaning[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { type } of meanings) counts[type] = (counts[type] ?? 0) + 1
  return counts
}

/** Decodes one frame with a session of its own. */
export const decode = (adapter: Adapter, frame: unknown, received = 1_700_000_000_000): readonly Meaning[] =>
  adapter.decode(typeof frame === 'string' ? frame : JSON.stringify(frame), received, adapter.open({}))

/** Books folded from deltas, each delta required to fit. */
export function bookshelf() {
  const books = new Map<string, BookState>()
  const results: Record<string, number> = {}
  return {
    books,
    results,
    fold(delta: Of<'delta'>): BookState {
      let book = books.get(delta.symbol)
      if (!book) books.set(delta.symbol, (book = openBook()))
      const result = applyDelta(book, delta)
      results[result] = (results[result] ?? 0) + 1
      return book
    },
    best: (symbol: string, n: number) => {
      const book = books.get(symbol)
      return book && { bids: top(book.bids, n), asks: top(book.asks, n) }
    }
  }
}

export type BookRow = { afterLine: number; symbol: string; bids: [number, number][]; asks: [number, number][] }
export type ExpectedTrade = {
  id: string
  timestamp: number
  datetime: string
  symbol: string
  side: string
  price: number
  amount: number
}
export type CcxtRow = {
  line: number
  expected: (
    | { kind: 'trades'; trades: ExpectedTrade[] }
    | { kind: 'ticker'; ticker: { symbol: string; timestamp?: number } & Record<string, number | string> }
    | { kind: 'ohlcv'; symbol: string; timeframe: string; last: number[] }
    | { kind: 'orderbook'; symbol: string; bids: [number, number][]; asks: [number, number][] }
  )[]
}
