/** The memory of one connection to TWS or the Gateway: which request id stands for what, and how requests are worded. */
import type { DataKind, Interval } from '@tickwire/protocol'
import type { Access, Meaning, Subscription } from './adapter.ts'
import { contractOf } from './interactive-brokers.contracts.ts'
import { cancels, request } from './interactive-brokers.calls.ts'
import type { Call, Way, Asked, Session } from './interactive-brokers.state.ts'
import { leave, want } from './wants.ts'

export const openSession = (access: Access): Session => ({
  access,
  shares: { lines: true, bars: true },
  nextId: 1,
  wants: new Map(),
  asked: new Map(),
  ids: new Map(),
  contracts: new Map(),
  found: new Map(),
  untickable: new Set(),
  lines: new Map(),
  changed: new Set(),
  depths: new Map(),
  rows: new Map(),
  folding: new Map(),
  forming: new Map(),
  broken: new Set(),
  figures: new Map(),
  summed: false
})

function channelOf({ kind, interval }: Subscription, { access }: Session): string {
  switch (kind) {
    case 'trade':
      return 'ticks'
    case 'quote':
      return access.options?.quotes === 'tick' ? 'quotes' : 'lines'
    case 'candle':
      return `bars ${interval}`
    case 'book':
      return 'depth'
    case 'position':
      return 'positions'
    case 'account':
      return 'summary'
    default:
      return 'lines'
  }
}
export const wants = ({ wants: all }: Session, channel: string, symbol: string, kind: DataKind): boolean =>
  all.get(channel)?.get(symbol)?.has(kind) ?? false

export function subscribe(wanted: readonly Subscription[], session: Session): Call[] {
  return wanted.flatMap((one) => {
    const channel = channelOf(one, session)
    // An account is shown to who said that he wants it shown.
    if ((one.kind === 'position' || one.kind === 'account') && session.access.account !== true) return []
    want(session.wants, channel, one.symbol, one.kind)
    return begin(session, channel, one.symbol)
  })
}

export function unsubscribe(unwanted: readonly Subscription[], session: Session): Call[] {
  return unwanted.flatMap((one) => {
    const channel = channelOf(one, session)
    if (!leave(session.wants, channel, one.symbol, one.kind)) return []
    const asked = session.asked.get(session.ids.get(keyOf(channel, one.symbol)) ?? NaN)
    return asked ? end(session, asked) : []
  })
}

const keyOf = (channel: string, symbol: string): string => `${channel} ${symbol}`

/** Asks for a channel of a symbol unless that is done: for the contract first, where it is not known. */
export function begin(session: Session, channel: string, symbol: string): Call[] {
  if (session.ids.has(keyOf(channel, symbol))) return []
  if (channel === 'positions') return [request(session, note(session, 'positions', channel, symbol))]
  if (channel === 'summary') return [request(session, note(session, 'summary', channel, symbol))]
  if (!session.contracts.has(symbol)) {
    if (session.ids.has(keyOf('details', symbol))) return []
    return contractOf(symbol) ? [request(session, note(session, 'details', 'details', symbol))] : []
  }
  return [request(session, note(session, wayOf(session, channel, symbol), channel, symbol))]
}

function wayOf({ untickable, access, contracts }: Session, channel: string, symbol: string): Way {
  if (channel === 'ticks') return untickable.has(symbol) ? 'prints' : 'ticks'
  if (!channel.startsWith('bars ')) return channel as Way
  // Five-second bars fold into hours at most: a day's would miss what was before.
  const foldable = !/[248]h|1d/.test(channel) && contracts.get(symbol)?.contract.secType !== 'IND'
  return access.options?.bars === 'live' && foldable ? 'live bars' : 'bars'
}

function note(session: Session, way: Way, channel: string, symbol: string): Asked {
  const id = session.nextId++
  const asked: Asked = { id, way, channel, symbol, pongs: 0, acked: false }
  if (channel.startsWith('bars ')) asked.interval = channel.slice(5) as Interval
  session.asked.set(id, asked)
  session.ids.set(keyOf(channel, symbol), id)
  if (way === 'lines') session.lines.set(id, { symbol, delayed: false, ticks: {}, changed: { quote: false, day: false } })
  if (way === 'depth') session.depths.set(id, { bids: [], asks: [] })
  return asked
}

/** Forgets a request: what still comes under its id is of nobody. */
export function drop(session: Session, { id, channel, symbol }: Asked): void {
  session.asked.delete(id)
  if (session.ids.get(keyOf(channel, symbol)) === id) session.ids.delete(keyOf(channel, symbol))
  const line = session.lines.get(id)
  if (line) session.changed.delete(line)
  for (const kept of [session.found, session.lines, session.depths, session.rows, session.folding]) kept.delete(id)
}

export function end(session: Session, asked: Asked): Call[] {
  drop(session, asked)
  return cancels(session, asked)
}

/** Asks again under fresh ids. `cancel`: TWS still has the old ones. */
export function renew(session: Session, ways: ReadonlySet<Way> | undefined, cancel: boolean): Meaning[] {
  const due = [...session.asked.values()].filter(({ way }) => ways?.has(way) ?? true)
  const ends = due.flatMap((asked) => {
    const calls = end(session, asked)
    return cancel ? calls : []
  })
  // A gap makes the machine ask for the book again: its rows are of no use until new ones come.
  const begins = due.flatMap(({ channel, symbol, way }) =>
    way === 'depth'
      ? []
      : way === 'details'
        ? [request(session, note(session, way, channel, symbol))]
        : begin(session, channel, symbol)
  )
  const gaps = due.flatMap(({ channel, symbol }): Meaning[] =>
    channel === 'ticks' || channel === 'depth'
      ? [{ type: 'gap', kind: channel === 'ticks' ? 'trade' : 'book', symbol, cause: 'sequence' }]
      : []
  )
  return [...gaps, ...replies([...ends, ...begins])]
}

/** All in one frame: replies are few. */
export const replies = (calls: readonly Call[]): Meaning[] =>
  calls.length === 0 ? [] : [{ type: 'reply', frame: JSON.stringify(calls.length === 1 ? calls[0] : calls) }]

/** What a request carries, as its subscriptions name it. */
export function carried(session: Session, { channel, symbol }: Asked): { kind: DataKind; symbol: string }[] {
  const channels = channel === 'details' ? session.wants : new Map([[channel, session.wants.get(channel)]])
  return [...channels.values()].flatMap((symbols) => Array.from(symbols?.get(symbol) ?? [], (kind) => ({ kind, symbol })))
}

export function ack(session: Session, asked: Asked): Meaning[] {
  if (asked.acked || asked.way === 'details') return []
  asked.acked = true
  return carried(session, asked).map((one) => ({ type: 'ack', ...one }))
}
