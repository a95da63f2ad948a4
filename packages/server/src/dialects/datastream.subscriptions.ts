/** Which symbols can be had as which data type, and what the words for a subscription are. */
import type { TopicResult } from '@tickwire/protocol'
import type { Ask, Refused } from './datastream.messages.ts'
import { find, isIndex } from './datastream.symbols.ts'
import { DATA_TYPES, topicsOf, type DataType } from './datastream.updates.ts'
import type { Desk } from './dialect.ts'

export type Wanted = { symbol: string; instrument: string; topics: readonly string[] }
type Refusal = Extract<TopicResult, { ok: false }>

export function understand(desk: Desk, { symbols, data_type }: Ask): { wanted: Wanted[]; refused: Refused[] } {
  const wanted: Wanted[] = []
  const refused: Refused[] = []
  for (const symbol of symbols) {
    const found = find(desk, symbol)
    if (!found.ok) refused.push(unknown(desk, symbol, found.nearest))
    else if (data_type === 'IndexUpdate' && !isIndex(desk, found.instrument))
      refused.push({ symbol, code: 'BAD_SYMBOL', message: 'is no index; subscribe it as SymbolUpdate' })
    else wanted.push({ symbol, instrument: found.instrument, topics: topicsOf(data_type, found.instrument) })
  }
  return { wanted, refused }
}

/** A listing that is not loaded yet may still bring it. */
function unknown(desk: Desk, symbol: string, nearest: readonly string[]): Refused {
  const hint = nearest.length > 0 ? `; the nearest are ${nearest.join(', ')}` : ''
  const missing = desk.unlisted()
  if (missing.length === 0) return { symbol, code: 'BAD_SYMBOL', message: `no provider lists it${hint}`, nearest }
  return { symbol, code: 'UNAVAILABLE', message: `no provider lists it so far; not all lists are loaded yet${hint}`, nearest }
}

/** Of a symbol none of whose topics can be had. */
export const refusedBy = (symbol: string, [first]: readonly Refusal[]): Refused => ({
  symbol,
  code: first?.code ?? 'BAD_PROVIDER',
  message: first?.message ?? 'no provider sends it'
})

export const success = (verb: string, data_type: DataType, symbols: readonly string[], errors: readonly Refused[] = []) => ({
  status: 'success',
  message: `${verb} ${symbols.length} symbols`,
  data_type,
  symbols,
  ...(errors.length > 0 ? { errors } : {})
})

export type Standing = { symbol: string; type: DataType; has: boolean }
/** `data_cache` counts the symbols of which there is a value. */
export function report(connected: boolean, standings: readonly Standing[]) {
  const of = (type: DataType) => standings.filter((standing) => standing.type === type)
  return {
    connected,
    subscriptions: Object.fromEntries(DATA_TYPES.map((type) => [type, of(type).map(({ symbol }) => symbol)])),
    data_cache: Object.fromEntries(DATA_TYPES.map((type) => [type, of(type).filter(({ has }) => has).length]))
  }
}
