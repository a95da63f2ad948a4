/**
 * The text of an event as the native dialect makes it, against templates written by hand, in one process with interleaved
 * rounds. Prints one line of JSON: medians of CPU time, in nanoseconds per event. It keeps watch over a choice: should a
 * later Node make templates the faster way again, this says so.
 */
import type { Book, Level, MarketEvent, Published, Quote, Trade } from '@tickwire/protocol'
import { native } from '@tickwire/server/dialects/native.ts'

const ROUNDS = 21
const WARM_UP = 8
const EVENTS = 2_000
const TOPICS = 500
const TIME = 1_700_000_000_000

type Kind = 'trade' | 'quote' | 'book'

/** Prices as markets have them: two decimals, seldom round. */
const priceOf = (n: number): number => (5_000_000 + ((n * 7_919) % 100_000)) / 100
const sizeOf = (n: number): number => ((n * 104_729) % 1_000_000) / 10_000
const levels = (n: number, side: 1 | -1): Level[] =>
  Array.from({ length: 50 }, (_, i) => [priceOf(n) + (side * i) / 100, sizeOf(n + i)])

const common = (n: number) => ({ provider: 'bench', instrument: `S${n % TOPICS}-USDT`, time: TIME + n, received: TIME + n + 12 })
const make: Record<Kind, (n: number) => MarketEvent> = {
  trade: (n): Trade => ({
    type: 'trade',
    ...common(n),
    id: String(1_000_000 + n),
    price: priceOf(n),
    size: sizeOf(n),
    side: n % 2 === 0 ? 'buy' : 'sell'
  }),
  quote: (n): Quote => ({
    type: 'quote',
    ...common(n),
    bid: priceOf(n),
    bidSize: sizeOf(n),
    ask: priceOf(n + 1),
    askSize: sizeOf(n + 1)
  }),
  book: (n): Book => ({ type: 'book', ...common(n), bids: levels(n, -1), asks: levels(n, 1) })
}

/** As the plant stamps it. */
function publishedAt(kind: Kind, n: number): Published {
  const event = make[kind](n) as Published
  event.topic = `${kind}:${event.instrument}`
  event.seq = n
  event.published = TIME + n + 13
  return event
}

// ---- templates ---------------------------------------------------------------------------------------------------

/** What every event of a topic begins with is looked up, not built. */
const heads = new Map<string, string>()
function head({ topic, type, instrument, provider }: Published): string {
  const known = heads.get(topic)
  if (known !== undefined) return known
  const text = JSON.stringify({ topic, type, instrument, provider })
  const made = `${text.slice(0, -1)},"seq":`
  heads.set(topic, made)
  return made
}
const stamp = (e: Published): string => `${head(e)}${e.seq},"published":${e.published},"time":${e.time},"received":${e.received}`
const side = (rows: readonly Level[]): string => rows.map(([price, size]) => `[${price},${size}]`).join(',')

function template(event: Published): string {
  if (event.type === 'trade') {
    const { price, size, side: taker, id } = event
    return `${stamp(event)},"price":${price},"size":${size},"side":"${taker}","id":${JSON.stringify(id)}}`
  }
  if (event.type === 'quote') {
    const { bid, bidSize, ask, askSize } = event
    return `${stamp(event)},"bid":${bid},"bidSize":${bidSize},"ask":${ask},"askSize":${askSize}}`
  }
  if (event.type === 'book') return `${stamp(event)},"bids":[${side(event.bids)}],"asks":[${side(event.asks)}]}`
  throw new Error(`there is no template for ${event.type}`)
}

// ---- measuring ---------------------------------------------------------------------------------------------------

/** Keeps what was made from being optimised away. */
let sink = 0

/** Texts are joined as a flush joins them: a text in many parts is only then written out. */
function once(events: readonly Published[], encode: (event: Published) => string): number {
  const start = process.cpuUsage()
  sink += Buffer.byteLength(events.map(encode).join(','))
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1_000) / events.length
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

function compare(kind: Kind) {
  const events = Array.from({ length: kind === 'book' ? EVENTS / 10 : EVENTS }, (_, n) => publishedAt(kind, n))
  const templated: number[] = []
  const rendered: number[] = []
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const ours = once(events, (event) => native.render(event, undefined as never, TIME)!)
    const theirs = once(events, template)
    if (round < 0) continue
    rendered.push(ours)
    templated.push(theirs)
  }
  const [ours, theirs] = [median(rendered), median(templated)]
  return { renderNs: Math.round(ours), templateNs: Math.round(theirs), timesFaster: Math.round((theirs / ours) * 100) / 100 }
}

const kinds = Object.keys(make) as Kind[]
const result = Object.fromEntries(kinds.map((kind) => [kind, compare(kind)]))
if (sink === 0) throw new Error('nothing was encoded')
process.stdout.write(`${JSON.stringify({ benchmark: 'encode', ...result })}\n`)
