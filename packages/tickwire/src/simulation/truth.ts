/** What the providers really sent, as the checks compare it with what came out. */
import type { Book, Level, MarketEvent, Quote, Trade } from '@tickwire/protocol'

/** Levels a side that are compared: no dialect here sends fewer. */
export type Truth = ReturnType<typeof createTruth>

type Said = {
  trades: Map<string, { price: number; size: number }>
  /** By instrument and bid, the asks. */
  quotes: Map<string, Map<number, Set<number>>>
  /** By instrument and price, the sizes: of trades without an id. */
  prints: Map<string, Map<number, Set<number>>>
  books: Map<string, { bids: readonly Level[]; asks: readonly Level[] }[]>
}

function note(all: Map<string, Map<number, Set<number>>>, instrument: string, a: number, b: number): void {
  let pairs = all.get(instrument)
  if (!pairs) all.set(instrument, (pairs = new Map()))
  const known = pairs.get(a)
  if (known) known.add(b)
  else pairs.set(a, new Set([b]))
}

const isNoted = (all: Map<string, Map<number, Set<number>>>, instrument: string, a: number, b: number): boolean =>
  all.get(instrument)?.get(a)?.has(b) ?? false

export function createTruth() {
  const said = new Map<string, Said>()
  const of = (provider: string): Said => {
    let known = said.get(provider)
    if (!known) said.set(provider, (known = { trades: new Map(), quotes: new Map(), prints: new Map(), books: new Map() }))
    return known
  }
  return {
    /** A provider is about to send this, or to serve it by REST. */
    tell(event: MarketEvent): void {
      const { trades, quotes, prints, books } = of(event.provider)
      if (event.type === 'trade') {
        trades.set(`${event.instrument} ${event.id}`, { price: event.price, size: event.size })
        note(prints, event.instrument, event.price, event.size)
      } else if (event.type === 'quote') note(quotes, event.instrument, event.bid, event.ask)
      else if (event.type === 'book') {
        const { instrument, bids, asks } = event
        const all = books.get(instrument)
        if (all) all.push({ bids, asks })
        else books.set(instrument, [{ bids, asks }])
        const [bid, ask] = [bids[0], asks[0]]
        if (bid && ask) note(quotes, instrument, bid[0], ask[0])
      }
    },
    hasTrade({ provider, instrument, id, price, size }: Trade): boolean {
      const { trades, prints } = of(provider)
      const known = id === undefined ? undefined : trades.get(`${instrument} ${id}`)
      return known ? known.price === price && known.size === size : isNoted(prints, instrument, price, size)
    },
    hasQuote: ({ provider, instrument, bid, ask }: Quote): boolean => isNoted(of(provider).quotes, instrument, bid, ask),
    /** Which of the provider's books this is, looking back from the newest to `from`; -1: none of them. */
    bookOf({ provider, instrument, bids, asks }: Book, from: number): number {
      const all = of(provider).books.get(instrument) ?? []
      for (let at = all.length - 1; at >= Math.max(0, from); at--)
        if (isTop(bids, all[at]!.bids) && isTop(asks, all[at]!.asks)) return at
      return -1
    }
  }
}

/** The first levels, and where fewer were told, all there are up to what a reader keeps. */
function isTop(told: readonly Level[], whole: readonly Level[]): boolean {
  if (told.length !== whole.length) return false
  return told.every(([price, size], at) => whole[at]![0] === price && whole[at]![1] === size)
}
