/** What a canonical id names, by its form alone: for providers whose symbols follow from it without a listing. */
export type Named =
  | { type: 'stock'; ticker: string }
  | { type: 'listed'; exchange: string; ticker: string }
  | { type: 'crypto' | 'forex'; base: string; quote: string }
  | { type: 'index'; name: string }

/** Currencies of states: a pair of two of them is forex. */
export const FIAT: ReadonlySet<string> = new Set(
  'USD EUR GBP JPY CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF TRY ZAR MXN BRL CNY CNH HKD SGD INR KRW THB ILS'.split(' ')
)

/** `AAPL`, `BRK.B`, `BTC-USD`, `EUR-USD`, `NSE:SBIN-EQ`, `LSE:SHEL`, `INDEX:SPX`; nothing for any other form. */
export function nameOf(text: string): Named | undefined {
  const [, prefix, rest] = /^([A-Z]{2,6}):(.+)$/.exec(text) ?? []
  if (prefix === 'INDEX') return { type: 'index', name: rest! }
  if (prefix !== undefined) return { type: 'listed', exchange: prefix, ticker: rest! }
  const [, base, quote] = /^([A-Z0-9]{2,10})-([A-Z]{3,5})$/.exec(text) ?? []
  if (base !== undefined && quote !== undefined)
    return { type: FIAT.has(base) && FIAT.has(quote) ? 'forex' : 'crypto', base, quote }
  return /^[A-Z]{1,5}(\.[A-Z])?$/.test(text) ? { type: 'stock', ticker: text } : undefined
}

/** The same, or a separator or a dash of a class share typed another way: `BTC/USD`, `BRK-B`. */
export const spelled = (text: string): Named | undefined =>
  nameOf(text.replace('/', '-')) ?? nameOf(text.replace(/-([A-Z])$/, '.$1'))
