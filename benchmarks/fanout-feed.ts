/** What every side of the fan-out benchmark publishes and which topics each connection has, seeded, so that all have the same. */
import type { Trade } from '@tickwire/protocol'

/** `each`: how many random topics of all a client has; 0 for all. `contracts`: how many different ones the clients share. */
export type Spec = {
  /** Written to a journal as well. */
  record: boolean
  topics: number
  each: number
  flush: number
  clients: number
  contracts: number
  contract?: object
  compression: boolean
}

export const FEED_SPEC: Spec = {
  topics: 500,
  each: 0,
  flush: 16,
  clients: 1_000,
  contracts: 1,
  compression: false,
  record: false
}

export const nameOf = (n: number): string => `S${n}-USDT`
export const topicsOf = ({ topics }: Spec): string[] => Array.from({ length: topics }, (_, i) => nameOf(i))

/** The instruments of one connection. */
export function picked(spec: Spec, connection: number): string[] {
  if (spec.each === 0) return topicsOf(spec)
  let state = (Math.imul(connection + 1, 2_654_435_761) >>> 0) + 1
  const chosen = new Set<number>()
  while (chosen.size < Math.min(spec.each, spec.topics)) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    chosen.add((state >>> 8) % spec.topics)
  }
  return [...chosen].map(nameOf)
}

export const tradeAt = (spec: Spec, n: number, due: number): Trade => ({
  type: 'trade',
  provider: 'bench',
  instrument: nameOf(n % spec.topics),
  time: due,
  received: due,
  id: String(1_000_000 + n),
  price: 50_000 + (n % 1_000) / 100,
  size: 0.25,
  side: n % 2 === 0 ? 'buy' : 'sell'
})

export type Publish = (n: number, due: number) => void
/** The trade as a peer sends it: the fields of ours, as one text. */
export function createTexts(spec: Spec) {
  const seqs = new Map<string, number>()
  return (n: number, due: number): { name: string; text: string } => {
    const trade = tradeAt(spec, n, due)
    const seq = (seqs.get(trade.instrument) ?? 0) + 1
    seqs.set(trade.instrument, seq)
    return { name: trade.instrument, text: JSON.stringify({ ...trade, topic: `trade:${trade.instrument}`, seq, published: due }) }
  }
}

/** Open loop: each is stamped with the time at which it was due, however late it is. */
export function createMetronome(publish: Publish, first: number) {
  let every = Infinity
  let start = 0
  let done = 0
  let n = first
  setInterval(() => {
    const now = Date.now()
    for (; start + done * every <= now; done++) publish(n++, Math.floor(start + done * every))
  }, 1)
  return (perSecond: number): void => {
    every = perSecond > 0 ? 1_000 / perSecond : Infinity
    start = perSecond > 0 ? Date.now() : Infinity
    done = 0
  }
}
