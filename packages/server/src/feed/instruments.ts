/** Which instrument hides behind a symbol: canonical ids from the providers' own listings, and what people type. */
import type { InstrumentInfo } from '../dialects/dialect.ts'
import type { CalendarId, Listing } from '../providers/adapter.ts'
import { nearestNames } from './nearest.ts'

/** Other names of currencies, as data. */
const ALIASES: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' }
const OTHER_NAMES = Object.entries(ALIASES)

export type Resolution = { ok: true; instrument: string } | { ok: false; nearest: string[] }
export type Instruments = ReturnType<typeof createInstruments>

type Info = Omit<InstrumentInfo, 'providers'> & { providers: { provider: string; symbol: string; trading: boolean }[] }
type Codes = { bySymbol: Map<string, string>; byInstrument: Map<string, string> }

/** The longest text that is looked up at all. */
const LONGEST = 64
const SEPARATORS = /[-_/. ]+/

const currency = (name: string): string => ALIASES[name] ?? name
export const instrumentId = ({ base, quote, contract }: Pick<Listing, 'base' | 'quote' | 'contract'>): string =>
  quote === undefined ? base : `${currency(base)}-${currency(quote)}${contract === undefined ? '' : `-${contract}`}`

/** A provider's grammar of symbols, for what no listing of its own names. */
export type Identify = (text: string) => Listing | undefined
const joined = (text: string): string => text.toUpperCase().split(SEPARATORS).join('')

/** All that is known from the listings; made anew with each, so that nothing of an old one stays. */
type Index = {
  codes: Map<string, Codes>
  infos: Map<string, Info>
  /** When an instrument trades, where a listing says so. */
  calendars: Map<string, CalendarId>
  /** Spellings in upper case → the instruments they may mean. */
  spellings: Map<string, Set<string>>
  /** The same without separators. */
  concatenations: Map<string, Set<string>>
}
const emptyIndex = (): Index => ({
  codes: new Map(),
  infos: new Map(),
  calendars: new Map(),
  spellings: new Map(),
  concatenations: new Map()
})

export function createInstruments() {
  let listings = new Map<string, readonly Listing[]>()
  let index = emptyIndex()
  const grammars = new Map<string, Grammar>()
  const identified = (provider: string, instrument: string): string | undefined => {
    const grammar = grammars.get(provider)
    const row = grammar?.identify(instrument)
    if (!grammar || !row || instrumentId(row) !== instrument) return undefined
    grammar.known.set(row.symbol, instrument)
    return row.symbol
  }
  /** What no listing names may still be an instrument to a provider that has none. */
  const guess = (text: string): Resolution | undefined => {
    for (const { identify } of grammars.values()) {
      const row = identify(text) ?? identify(text.toUpperCase())
      if (row) return { ok: true, instrument: instrumentId(row) }
    }
    return undefined
  }
  return {
    /** For a provider without a listing. */
    learn: (provider: string, identify: Identify) => void grammars.set(provider, { identify, known: new Map() }),

    /** Replaces what this provider listed before. What it no longer lists is kept for who still reads it, as not trading. */
    add(provider: string, rows: readonly Listing[]): void {
      const next = new Map(listings).set(provider, [...rows, ...vanished(listings.get(provider) ?? [], rows)])
      // In this order, because an unusable listing throws here and must leave no trace.
      index = indexOf(next)
      listings = next
    },

    resolve: (text: string): Resolution => {
      const found = resolve(index, text.trim())
      return found.ok || text.length > LONGEST ? found : (guess(text.trim()) ?? found)
    },
    symbolOf: (provider: string, instrument: string): string | undefined =>
      index.codes.get(provider)?.byInstrument.get(instrument) ?? identified(provider, instrument),
    instrumentOf(provider: string, symbol: string): string | undefined {
      const listed = index.codes.get(provider)?.bySymbol.get(symbol) ?? grammars.get(provider)?.known.get(symbol)
      if (listed !== undefined) return listed
      const row = grammars.get(provider)?.identify(symbol)
      return row && row.symbol === symbol ? instrumentId(row) : undefined
    },
    info: (instrument: string): InstrumentInfo | undefined => index.infos.get(instrument) ?? infoOf(grammars, instrument),
    /** When it trades, by those who list it; what an adapter says of all that it has is not asked here. */
    calendarOf(instrument: string): CalendarId | undefined {
      const listed = index.calendars.get(instrument)
      if (listed !== undefined) return listed
      for (const { identify } of grammars.values()) {
        const row = identify(instrument)
        if (row?.calendar !== undefined && instrumentId(row) === instrument) return row.calendar
      }
      return undefined
    },
    all: (): InstrumentInfo[] => [...index.infos.values()]
  }
}

type Grammar = { identify: Identify; /** Symbol → the instrument that was asked under it. */ known: Map<string, string> }

function infoOf(grammars: ReadonlyMap<string, Grammar>, instrument: string): InstrumentInfo | undefined {
  const infos = new Map<string, Info>()
  for (const [provider, { identify }] of grammars) {
    const row = identify(instrument)
    if (row && instrumentId(row) === instrument) merge(infos, instrument, provider, row)
  }
  return infos.get(instrument)
}

function vanished(before: readonly Listing[], rows: readonly Listing[]): Listing[] {
  const symbols = new Set(rows.map(({ symbol }) => symbol))
  return before.filter(({ symbol }) => !symbols.has(symbol)).map((row) => ({ ...row, trading: false }))
}

function indexOf(listings: ReadonlyMap<string, readonly Listing[]>): Index {
  const index = emptyIndex()
  for (const [provider, rows] of listings) {
    const own: Codes = { bySymbol: new Map(), byInstrument: new Map() }
    index.codes.set(provider, own)
    // Those traded now come first: of two symbols of one instrument, a traded one is the one to subscribe.
    for (const row of rows.toSorted((a, b) => Number(b.trading) - Number(a.trading))) enter(index, provider, own, row)
    // An alias never hides a symbol that is listed itself.
    for (const row of rows)
      for (const alias of row.aliases ?? []) if (!own.bySymbol.has(alias)) own.bySymbol.set(alias, instrumentId(row))
  }
  return index
}

function enter({ infos, calendars, spellings, concatenations }: Index, provider: string, own: Codes, row: Listing): void {
  const instrument = instrumentId(row)
  own.bySymbol.set(row.symbol, instrument)
  if (!own.byInstrument.has(instrument)) own.byInstrument.set(instrument, row.symbol)
  merge(infos, instrument, provider, row)
  if (row.calendar !== undefined && !calendars.has(instrument)) calendars.set(instrument, row.calendar)
  // Whoever types the pair means the pair, although a provider's derivative may be called the same.
  const isPair = row.contract !== undefined && joined(row.symbol) === joined(row.base + (row.quote ?? ''))
  for (const spelling of isPair ? [instrument] : [instrument, row.symbol, ...(row.aliases ?? [])]) {
    add(spellings, spelling.toUpperCase(), instrument)
    add(concatenations, joined(spelling), instrument)
  }
  if (row.quote === undefined || row.contract !== undefined) return
  for (const base of namesOf(currency(row.base)))
    for (const quote of namesOf(currency(row.quote))) {
      add(spellings, `${base}-${quote}`.toUpperCase(), instrument)
      add(concatenations, joined(base + quote), instrument)
    }
}

/** Several instruments may share a spelling without a separator: then nobody guesses, and all are named. */
function resolve(index: Index, typed: string): Resolution {
  const { infos } = index
  if (infos.has(typed)) return { ok: true, instrument: typed }
  if (typed === '' || typed.length > LONGEST) return { ok: false, nearest: [] }
  const found = [...candidates(index, typed.toUpperCase())]
  if (found.length === 1) return { ok: true, instrument: found[0]! }
  if (found.length > 1) return { ok: false, nearest: found }
  return {
    ok: false,
    nearest: nearestNames(
      joined(typed),
      [...infos.keys()].map((id) => [id, joined(id)] as const)
    )
  }
}

/** In order: exactly so, but for case; base and quote with any separator; joined without one. */
function candidates({ spellings, concatenations }: Index, upper: string): ReadonlySet<string> {
  const exactly = spellings.get(upper)
  if (exactly) return exactly
  const parts = upper.split(SEPARATORS)
  const found =
    parts.length > 1
      ? (spellings.get(parts.join('-')) ?? spellings.get(parts.map(currency).join('-')))
      : concatenations.get(upper)
  return found ?? new Set()
}

const namesOf = (name: string): string[] => [name, ...OTHER_NAMES.filter(([, ours]) => ours === name).map(([other]) => other)]

function add(index: Map<string, Set<string>>, key: string, instrument: string): void {
  const set = index.get(key)
  if (set) set.add(instrument)
  else index.set(key, new Set([instrument]))
}

/** What several providers say of one instrument; the most decimals are kept, so that nobody's prices are cut. */
function merge(infos: Map<string, Info>, instrument: string, provider: string, row: Listing): void {
  const info: Info = infos.get(instrument) ?? {
    instrument,
    base: row.quote === undefined ? row.base : currency(row.base),
    ...(row.quote === undefined ? {} : { quote: currency(row.quote) }),
    providers: []
  }
  infos.set(instrument, info)
  if (row.name !== undefined) info.name ??= row.name
  if (row.priceDecimals !== undefined) info.priceDecimals = Math.max(info.priceDecimals ?? 0, row.priceDecimals)
  if (row.sizeDecimals !== undefined) info.sizeDecimals = Math.max(info.sizeDecimals ?? 0, row.sizeDecimals)
  if (!info.providers.some((p) => p.provider === provider))
    info.providers.push({ provider, symbol: row.symbol, trading: row.trading })
}
