/**
 * Decoding against bare JSON.parse of the same frames, and against tardis-dev's mappers, in one process with interleaved
 * rounds. One line of JSON a session: medians of CPU time, in nanoseconds per frame. Books are folded on neither side.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Adapter } from '@tickwire/server/providers/adapter.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { normalizeBookChanges, normalizeBookTickers, normalizeTrades } from 'tardis-dev'

const ROUNDS = 21
/** Until the compiler has settled: short sessions are repeated, each time anew. */
const WARM_UP = 8
const BYTES_PER_ROUND = 1_000_000
const RECEIVED = 1_700_000_000_000

/** A mapper of tardis-dev: `canHandle` picks its frames, `map` yields normalised records. */
type Mapper = {
  canHandle: (message: unknown) => boolean
  map: (message: unknown, received: Date) => Iterable<unknown> | undefined
}
type Make = (exchange: string, date: Date) => Mapper
const MAPPERS = [normalizeTrades, normalizeBookChanges, normalizeBookTickers] as unknown as readonly Make[]

/** Everything before the frames (a new session, the snapshots of its books) is prepared, and only the frames are timed. */
type Work = { frames: readonly string[]; prepare: () => (frame: string) => void }
type Session = { capture: string; provider: string; frames: readonly string[]; snapshots: readonly Snapshot[]; peer?: Peer }
type Snapshot = { symbol: string; body: string }
type Peer = { exchange: string; frames: readonly string[]; snapshots: readonly string[] }

/** Keeps what was decoded from being optimised away. */
let sink = 0

const read = (name: string): string[] => {
  const bytes = readFileSync(new URL(`../captures/${name}`, import.meta.url))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n')
}

const bare = (frames: readonly string[]): Work => ({
  frames,
  prepare: () => (frame) => void (sink += JSON.parse(frame) === null ? 1 : 0)
})

function ours(adapter: Adapter, { frames, snapshots }: Session): Work {
  const prepare = () => {
    const session = adapter.open({})
    // A first update asks for each book's snapshot; here all are answered before the clock starts.
    for (const symbol of new Set(snapshots.map((snapshot) => snapshot.symbol))) {
      const first = frames.find((frame) => frame.includes(`"depthUpdate"`) && frame.includes(`"s":"${symbol}"`))!
      adapter.decode(first, RECEIVED, session)
      const { body } = snapshots.find((snapshot) => snapshot.symbol === symbol)!
      adapter.decode(body, RECEIVED, session, { type: 'need', purpose: 'book', path: '', symbol })
    }
    return (frame: string) => {
      for (const meaning of adapter.decode(frame, RECEIVED, session)) sink += meaning.type === 'delta' ? 2 : 1
    }
  }
  return { frames, prepare }
}

function theirs({ exchange, frames, snapshots }: Peer): Work {
  const received = new Date(RECEIVED)
  const prepare = () => {
    const mappers = MAPPERS.map((make) => make(exchange, received))
    const see = (frame: string) => {
      const message: unknown = JSON.parse(frame)
      for (const mapper of mappers) {
        if (!mapper.canHandle(message)) continue
        for (const record of mapper.map(message, received) ?? []) sink += record === undefined ? 0 : 1
      }
    }
    snapshots.forEach(see)
    return see
  }
  return { frames, prepare }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** CPU nanoseconds of a whole session: unlike the wall clock, they do not count what others do on the machine. */
function once({ frames, prepare }: Work): number {
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
  const repeats = Math.max(1, Math.round(BYTES_PER_ROUND / bytes))
  const runs = Array.from({ length: repeats }, prepare)
  const start = process.cpuUsage()
  for (const see of runs) for (const frame of frames) see(frame)
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1000) / repeats
}

function measure(works: Readonly<Record<string, Work>>): Readonly<Record<string, number>> {
  const entries = Object.entries(works)
  const times = new Map<string, number[]>(entries.map(([name]) => [name, []]))
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const [name, work] of entries) {
      const time = once(work)
      if (round >= 0) times.get(name)!.push(time)
    }
  return Object.fromEntries([...times].map(([name, values]) => [name, median(values)]))
}

// ---- sessions ----------------------------------------------------------------------------------------------------

function binanceSession(name: string, exchange: string): Session {
  const frames = read(`binance/${name}.jsonl`)
  const bodies = read(`binance/${name}.http.jsonl`).map((line) => {
    const { url, body } = JSON.parse(line) as { url: string; body: object }
    return { symbol: new URL(url).searchParams.get('symbol')!, body }
  })
  // The form in which tardis-dev hands snapshots to its mappers.
  const generated = bodies.map(({ symbol, body }) =>
    JSON.stringify({ stream: `${symbol.toLowerCase()}@depthSnapshot`, generated: true, data: body })
  )
  const snapshots = bodies.map(({ symbol, body }) => ({ symbol, body: JSON.stringify(body) }))
  return { capture: name, provider: 'binance', frames, snapshots, peer: { exchange, frames, snapshots: generated } }
}

type Row = Record<string, string>
type Frame = {
  channel: string
  sequence_num: number
  events: { type: string; product_id?: string; updates?: Row[]; trades?: Row[]; tickers?: Row[] }[]
  timestamp: string
}

/** tardis-dev reads the Exchange feed of Coinbase and not Advanced Trade: the same events written in that form. */
function asExchange({ channel, events, timestamp: time }: Frame): object[] {
  return events.flatMap(({ type, product_id, updates = [], trades = [], tickers = [] }): object[] => {
    const side = (name: string) => updates.filter((row) => row.side === name).map((row) => [row.price_level, row.new_quantity])
    if (channel === 'l2_data' && type === 'snapshot') return [{ type, product_id, bids: side('bid'), asks: side('offer') }]
    if (channel === 'l2_data') {
      const changes = updates.map((row) => [row.side === 'bid' ? 'buy' : 'sell', row.price_level, row.new_quantity])
      return [{ type: 'l2update', product_id, time: updates[0]?.event_time ?? time, changes }]
    }
    const matches = type === 'snapshot' ? [] : trades.map((row) => ({ ...row, type: 'match', side: row.side?.toLowerCase() }))
    const quotes = tickers.map((row) => {
      return { ...row, type: 'ticker', time, best_bid_size: row.best_bid_quantity, best_ask_size: row.best_ask_quantity }
    })
    return [...matches, ...quotes]
  })
}

function coinbaseSession(): Session {
  const name = 'advanced-2026-08-09'
  const frames = read(`coinbase/${name}.jsonl.gz`)
  const other = frames.flatMap((frame) => asExchange(JSON.parse(frame) as Frame)).map((row) => JSON.stringify(row))
  return {
    capture: name,
    provider: 'coinbase',
    frames,
    snapshots: [],
    peer: { exchange: 'coinbase', frames: other, snapshots: [] }
  }
}

/** tardis-dev reads v1; the v2 frames were derived from those very frames. Its heartbeats and acks it does not see here. */
function krakenSession(): Session {
  const name = 'derived-v2-v1-2021-04-17-book1000'
  const v1 = read('kraken/v1-2021-04-17-book1000.jsonl').filter((frame) => frame.startsWith('['))
  return {
    capture: name,
    provider: 'kraken',
    frames: read(`kraken/${name}.jsonl`),
    snapshots: [],
    peer: { exchange: 'kraken', frames: v1, snapshots: [] }
  }
}

/** Login and acks come once a session, and here there is little else: the market data alone. */
function alpacaSession(): Session {
  const name = 'ws-session-sip-2023-04-06'
  const frames = read(`alpaca/${name}.jsonl`).filter((frame) => /^\[\{"T":"[tqb]"/.test(frame))
  return { capture: name, provider: 'alpaca', frames, snapshots: [] }
}

const sessions: readonly Session[] = [
  binanceSession('spot-2021-10-12', 'binance'),
  binanceSession('us-2021-10-12', 'binance-us'),
  coinbaseSession(),
  krakenSession(),
  alpacaSession()
]

const round = (value: number, digits = 2): number => Number(value.toFixed(digits))
for (const session of sessions) {
  const { capture, provider, frames, peer } = session
  const works = { bare: bare(frames), ours: ours(providers[provider]!, session) }
  const time = measure(peer ? { ...works, peer: theirs(peer) } : works)
  const perFrame = (ns: number) => Math.round(ns / frames.length)
  const result = {
    benchmark: 'decode',
    provider,
    capture,
    frames: frames.length,
    parseNs: perFrame(time.bare!),
    decodeNs: perFrame(time.ours!),
    timesParse: round(time.ours! / time.bare!),
    goal: 1.5
  }
  // Over the whole session, since a peer may have its events in other frames.
  const against = time.peer !== undefined && {
    tardisNs: perFrame(time.peer),
    tardisReads: peer!.frames === frames ? 'the same frames' : 'the same events in its own form',
    fasterThanTardis: round(time.peer / time.ours!)
  }
  console.log(JSON.stringify({ ...result, ...against }))
}
if (sink === 0) throw new Error('nothing was decoded')
