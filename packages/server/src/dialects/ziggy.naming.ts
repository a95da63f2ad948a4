/** From the symbols that a client names to instruments and topics, and what is said of those that it cannot have. Pure. */
import type { TopicResult } from '@tickwire/protocol'
import type { Command, Desk } from './dialect.ts'
import { fail } from './ziggy.messages.ts'

export type Named = { symbol: string; instrument: string }
export type Refused = { symbol: string; message: string; nearest: readonly string[]; full?: true }

export function find(desk: Desk, symbols: readonly string[]): { known: Named[]; refused: Refused[] } {
  const known: Named[] = []
  const refused: Refused[] = []
  for (const symbol of symbols) {
    const found = desk.resolve(symbol)
    if (found.ok) known.push({ symbol, instrument: found.instrument })
    else {
      const hint = found.nearest.length > 0 ? `; the nearest are ${found.nearest.join(', ')}` : ''
      refused.push({ symbol, nearest: found.nearest, message: `no provider lists it${hint}` })
    }
  }
  return { known, refused }
}

/** Why a symbol with these topics cannot be had: none of them was given, or there was no room for one. */
export function refusalOf(
  symbol: string,
  topics: readonly string[],
  outcome: ReadonlyMap<string, TopicResult>
): Refused | undefined {
  const results = topics.map((topic) => outcome.get(topic))
  const refusals = results.filter((result) => result?.ok === false)
  const full = refusals.find(({ code }) => code === 'TOO_MANY_SYMBOLS')
  if (full) return { symbol, message: full.message, nearest: [], full: true }
  const [first] = refusals
  if (first === undefined || refusals.length < topics.length) return undefined
  return { symbol, message: first.message, nearest: first.nearest ?? [] }
}

/** One error for those that are not known, one for those that there was no room for. */
export function refusals(refused: readonly Refused[], now: number): Command[] {
  const tell = (code: 'UNKNOWN_SYMBOL' | 'LIMIT_REACHED', some: readonly Refused[]): Command[] => {
    if (some.length === 0) return []
    const text = some.map(({ symbol, message }) => `${symbol}: ${message}`).join('; ')
    const nearest = Object.fromEntries(some.map((each) => [each.symbol, each.nearest]))
    return [fail(code, text, { symbols: some.map(({ symbol }) => symbol), nearest }, now)]
  }
  return [
    ...tell(
      'UNKNOWN_SYMBOL',
      refused.filter(({ full }) => !full)
    ),
    ...tell(
      'LIMIT_REACHED',
      refused.filter(({ full }) => full)
    )
  ]
}

export const notHeld = (missing: readonly string[], held: readonly string[], now: number): Command[] =>
  missing.length === 0
    ? []
    : [fail('NOT_SUBSCRIBED', `not subscribed here: ${missing.join(', ')}`, { symbols: missing, held: held.slice(0, 100) }, now)]
