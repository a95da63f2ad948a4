/** What the providers really sent, as the checks compare it with what came out. */
import type { Book, Level, MarketEvent, Quote, Trade } from '@tickwire/protocol'

/** Levels a side that are compared: no dialect here sends fewer. */
export type Truth = ReturnType<typeof createTruth>

type Said = {
  trades: Map<string, { price: number; size: number }>
  quotes: Set<string>
  /** Trades without an id. */
  prints: Set<string>
  books: Map<string, { bids: readonly Level[]; asks: readonly Level[] }[]>
}

const printOf = ({ instrument, price, size }: Pick<Trade, 'instrument' | 'price' | 'size'>): string =>
  `${instrument} ${price} ${size}`
const quoteOf = ({ instrument, bid, ask }: Pick<Quote, 'instrument' | 'bid' | 'ask'>): string => `${instrument} ${bid} ${ask}`

export function createTruth() {
  const said = new Map<string, Said>()
  const of = (provider: string): Said => {
    let known = said.get(provider)
    if (!known) said.set(provider, (known = { trades: new Map(), quotes: new Set(), prints: new Set(), books: new Map() }))
    return known
  }
  return {
    /** A provider is about to send this, or to serve it by REST. */
    tell(event: MarketEvent): void {
      const { trades, quotes, prints, books } = of(event.provider)
      if (event.type === 'trade') {
        trades.set(`${event.instrument} ${event.id}`, { price: event.price, size: event.size })
        prints.add(printOf(event))
      } else if (event.type === 'quote') quotes.add(quoteOf(event))
      else if (event.type === 'book') {
        const { instrument, bids, asks } = event
        const all = books.get(instrument)
        if (all) all.push({ bids, asks })
        else books.set(instrument, [{ bids, asks }])
        const [bid, ask] = [bids[0], asks[0]]
        if (bid && ask) quotes.add(quoteOf({ instrument, bid: bid[0], ask: ask[0] }))
      }
    },
    hasTrade({ provider, instrument, id, price, size }: Trade): boolean {
      const { trades, prints } = of(provider)
      const known = id === undefined ? undefined : trades.get(`${instrument} ${id}`)
      return known ? known.price === price && known.size === size : prints.has(printOf({ instrument, price, size }))
    },
    hasQuote: (quote: Quote): boolean => of(quote.provider).quotes.has(quoteOf(quote)),
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
