/** From the symbols that a client names to instruments and topics, and what is said of those that it cannot have. Pure. */
import { topicName, type ErrorCode, type TopicResult } from '@tickwire/protocol'
import type { Command, Desk } from './dialect.ts'
import { fail, type Code } from './ziggy.messages.ts'

export type Named = { symbol: string; instrument: string }
export type Refused = { symbol: string; message: string; nearest: readonly string[]; code: Code }

/** `isPrice`: what is asked for at once, and not subscribed to, is looked at here: whether its source lets it be told to whoever asks. */
export function find(desk: Desk, symbols: readonly string[], isPrice = false): { known: Named[]; refused: Refused[] } {
  const known: Named[] = []
  const refused: Refused[] = []
  for (const symbol of symbols) {
    const found = desk.resolve(symbol)
    const forbidden = isPrice && found.ok ? desk.forbids?.(topicName('trade', found.instrument)) : undefined
    if (forbidden !== undefined) refused.push({ symbol, nearest: [], code: 'NOT_PERMITTED', message: forbidden })
    else if (found.ok) known.push({ symbol, instrument: found.instrument })
    else {
      const hint = found.nearest.length > 0 ? `; the nearest are ${found.nearest.join(', ')}` : ''
      refused.push({ symbol, nearest: found.nearest, code: 'UNKNOWN_SYMBOL', message: `no provider lists it${hint}` })
    }
  }
  return { known, refused }
}

/** The session's reason in the words of these endpoints. */
export const codeOf = (code: ErrorCode): Code => {
  if (code === 'TOO_MANY_SYMBOLS') return 'LIMIT_REACHED'
  return code === 'FORBIDDEN' || code === 'UNAUTHORIZED' ? 'NOT_PERMITTED' : 'UNKNOWN_SYMBOL'
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
  const reason = full ?? (refusals.length < topics.length ? undefined : refusals[0])
  return reason && { symbol, message: reason.message, nearest: reason.nearest ?? [], code: codeOf(reason.code) }
}

const CODES = ['UNKNOWN_SYMBOL', 'LIMIT_REACHED', 'NOT_PERMITTED'] as const

/** One error for each reason, with all whom it concerns. */
export const refusals = (refused: readonly Refused[], now: number): Command[] =>
  CODES.flatMap((code) => {
    const some = refused.filter((each) => each.code === code)
    if (some.length === 0) return []
    const text = some.map(({ symbol, message }) => `${symbol}: ${message}`).join('; ')
    const nearest = Object.fromEntries(some.map((each) => [each.symbol, each.nearest]))
    return [fail(code, text, { symbols: some.map(({ symbol }) => symbol), nearest }, now)]
  })

export const notHeld = (missing: readonly string[], held: readonly string[], now: number): Command[] =>
  missing.length === 0
    ? []
    : [fail('NOT_SUBSCRIBED', `not subscribed here: ${missing.join(', ')}`, { symbols: missing, held: held.slice(0, 100) }, now)]
