/** Providers that are asked again and again: what they answer when well, and what else may come in its place. */
import { foreign, malformed, type Malformed, type Path } from './hostile.kinds.ts'
import { NOW, polledRoad, type Watched } from './hostile.roads.ts'
import type { Tape } from './hostile.tape.ts'

type Answered = Omit<Watched, 'kind'> & {
  what: string
  quote: (n: number) => object
  price: Path
  time: Path
  name?: Path
  asks: (path: string) => boolean
  through?: ReadonlySet<string>
}
const UNDATED = new Set(['time null', 'time absent'])
/** Longer than any of them waits between two questions, ms. */
const LONGEST = 4 * 3_600_000
const DAY = 86_400_000

const answered = ({ what, quote, price, time, name, asks, through, ...watched }: Answered): Tape => ({
  provider: watched.provider,
  what,
  good: (n) => JSON.stringify(quote(n)),
  malformed: () => malformed(quote(1), { price, time, ...(name && { name }) }),
  road: () => polledRoad({ ...watched, kind: 'ticker' }, asks, LONGEST),
  rejects: true,
  ...(through && { through })
})

const quotes: readonly Answered[] = [
  {
    provider: 'fmp',
    what: 'quotes by HTTP',
    symbol: 'AAPL',
    quote: (n) => [{ symbol: 'AAPL', price: 100.5, change: 1, volume: 5, open: 100, timestamp: Math.floor(NOW / 1_000) + n }],
    price: [0, 'price'],
    time: [0, 'timestamp'],
    name: [0, 'symbol'],
    asks: (path) => path.startsWith('/batch-quote'),
    through: UNDATED
  },
  {
    provider: 'yahoo',
    what: 'quotes by HTTP',
    symbol: 'BTC-USD',
    access: (base) => ({ options: { loginUrl: `${base}/page` } }),
    rest: (path) =>
      path === '/page'
        ? { body: '', headers: { 'set-cookie': 'A1=abc; path=/' } }
        : path.endsWith('/getcrumb')
          ? { body: 'crumbcrumb' }
          : undefined,
    quote: (n) => ({
      quoteResponse: {
        result: [
          {
            symbol: 'BTC-USD',
            quoteType: 'CRYPTOCURRENCY',
            regularMarketPrice: 100.5,
            regularMarketTime: Math.floor(NOW / 1_000) + n
          }
        ],
        error: null
      }
    }),
    price: ['quoteResponse', 'result', 0, 'regularMarketPrice'],
    time: ['quoteResponse', 'result', 0, 'regularMarketTime'],
    name: ['quoteResponse', 'result', 0, 'symbol'],
    asks: (path) => path.startsWith('/v7/finance/quote')
  },
  {
    provider: 'alpha-vantage',
    what: 'quotes by HTTP',
    symbol: 'AAPL',
    // Its answer is of the symbol that was asked for, whatever name it holds.
    quote: (n) => ({
      'Global Quote': {
        '01. symbol': 'AAPL',
        '02. open': '100',
        '05. price': '100.5',
        '06. volume': String(n),
        '07. latest trading day': new Date(NOW - 2 * DAY).toISOString().slice(0, 10)
      }
    }),
    price: ['Global Quote', '05. price'],
    time: ['Global Quote', '07. latest trading day'],
    asks: () => true,
    through: UNDATED
  }
]

// ---- feeds ---------------------------------------------------------------------------------------------------------

const story = (n: number): string =>
  `<item><title>Story ${n}</title><link>https://wire.example/${n}</link><guid>s${n}</guid><pubDate>${new Date(NOW - 5_000).toUTCString()}</pubDate></item>`
const feed = (items: string): string =>
  `<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>${items}</channel></rss>`

const rss: Tape = {
  provider: 'rss',
  what: 'documents by HTTP',
  good: (n) => feed(story(n)),
  malformed: () => [...foreign(), ...documents()],
  least: 25,
  // Of a feed that holds no story to its end there is nothing to tell.
  silent: new Set(['cut in the middle of its story', 'JSON Feed whose items are text']),
  road: () => polledRoad({ provider: 'rss', symbol: '', kind: 'news' }, () => true, LONGEST),
  rejects: true
}

const documents = (): Malformed[] => [
  ['a story without words, address and id', feed('<item/>')],
  ['an id alone', feed('<item><guid isPermaLink="false"> </guid></item>')],
  ['cut in the middle of its story', feed(story(1)).slice(0, 120)],
  ['a root that is none', '<rss'],
  ['a document type that expands', '<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><lolz>&b;</lolz>'],
  ['a document type that reads a file', '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'],
  ['SOAP', '<Envelope><Body><Fault>no</Fault></Body></Envelope>'],
  ['a list of addresses', '<opml version="2.0"><body><outline text="a"/></body></opml>'],
  ['JSON Feed without its version', '{"items":[{"id":"1","title":"x"}]}'],
  ['JSON Feed whose items are text', '{"version":"https://jsonfeed.org/version/1.1","title":"x","items":"none"}'],
  ['JSON Feed cut short', '{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"x"'],
  ['elements in each other, a hundred thousand deep', '<a>'.repeat(100_000)],
  ['six million characters', feed(story(1)).replace('Story 1', 'x'.repeat(6_000_000))]
]

export const answering: readonly Tape[] = [...quotes.map(answered), rss]
