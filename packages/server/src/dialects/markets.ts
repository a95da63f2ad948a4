/** What sort of thing an instrument is, as the mirrors of other systems part them, and whether it may be told to whoever asks. Pure. */
import { topicName, type Kind } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialect.ts'

export type Market = 'stock' | 'index' | 'crypto' | 'forex'

/** Pairs of two of these are forex, all others crypto: nothing else tells them apart. */
const FIAT = new Set(
  'USD EUR GBP JPY CHF AUD NZD CAD CNY CNH HKD SGD SEK NOK DKK PLN CZK HUF RON BGN TRY RUB ILS ZAR MXN BRL ARS CLP COP PEN INR KRW TWD THB IDR MYR PHP VND AED SAR EGP NGN KES UAH KZT XAU XAG'.split(
    ' '
  )
)

/** Nothing for derivatives and what foreign exchanges list. */
export function marketOf({ instrument, base, quote }: InstrumentInfo): Market | undefined {
  if (instrument.startsWith('INDEX:')) return 'index'
  if (quote === undefined) return instrument.includes(':') ? undefined : 'stock'
  if (instrument !== `${base}-${quote}`) return undefined
  return FIAT.has(base) && FIAT.has(quote) ? 'forex' : 'crypto'
}

/** What an exchange of pairs lists; derivatives have a quote as well, and a name that says more. */
export const isPair = (info: InstrumentInfo | undefined): info is InstrumentInfo & { quote: string } =>
  info?.quote !== undefined && info.instrument === `${info.base}-${info.quote}`

/** Whether its source forbids it to whoever asks; of an instrument that is so for all of its prices. */
export const isForbidden = (desk: Desk, instrument: string, kind: Kind = 'trade'): boolean =>
  desk.forbids?.(topicName(kind, instrument)) !== undefined
