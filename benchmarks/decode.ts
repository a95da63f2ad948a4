/**
 * Decoding against bare JSON.parse of the same frames, and against tardis-dev's mappers and ccxt's handlers, in one process
 * with interleaved rounds. One line of JSON a session: medians of CPU time, in nanoseconds per frame. Books are folded by
 * ccxt alone.
 */
import type { Adapter } from '@tickwire/server/providers/adapter.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { bare, ccxt, sink, tardis, type Work } from './decode-peers.ts'
import { sessions, type Session } from './decode-sessions.ts'

const ROUNDS = 21
/** Until the compiler has settled: short sessions are repeated, each time anew. */
const WARM_UP = 8
const BYTES_PER_ROUND = 1_000_000
const RECEIVED = 1_700_000_000_000

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
      for (const meaning of adapter.decode(frame, RECEIVED, session)) sink.count += meaning.type === 'delta' ? 2 : 1
    }
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

const round = (value: number, digits = 2): number => Number(value.toFixed(digits))
/** Providers that are named as arguments are measured alone. */
const chosen = sessions.filter(({ provider }) => process.argv.length < 3 || process.argv.slice(2).includes(provider))
for (const session of chosen) {
  const { capture, provider, frames } = session
  const time = measure({
    bare: bare(frames),
    ours: ours(providers[provider]!, session),
    ...(session.tardis && { tardis: tardis(session.tardis) }),
    ...(session.ccxt && { ccxt: ccxt(session.ccxt, frames) })
  })
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
  const againstTardis = time.tardis !== undefined && {
    tardisNs: perFrame(time.tardis),
    tardisReads: session.tardis!.frames === frames ? 'the same frames' : 'the same events in its own form',
    fasterThanTardis: round(time.tardis / time.ours!)
  }
  const againstCcxt = time.ccxt !== undefined && { ccxtNs: perFrame(time.ccxt), fasterThanCcxt: round(time.ccxt / time.ours!) }
  const peers = session.alone === undefined ? {} : { peers: session.alone }
  console.log(JSON.stringify({ ...result, ...againstTardis, ...againstCcxt, ...peers }))
}
if (sink.count === 0) throw new Error('nothing was decoded')
