/** One pair of server and generator, and the search for the greatest load that it sustains. */
import { join } from 'node:path'
import { onCore, startChild, type Child } from './fanout-child.ts'
import { topicsOf, picked, FEED_SPEC, type Spec } from './fanout-feed.ts'

const PEER_NAMES = ['ws', 'ws-batch', 'socket.io', 'socket.io-array', 'redis', 'nats', 'nchan'] as const
export type Kind = 'tickwire' | 'floor' | (typeof PEER_NAMES)[number]
export const PEERS: readonly Kind[] = PEER_NAMES
/** The program that a peer needs; the others are libraries. */
export const PROGRAMS: { readonly [K in Kind]?: string } = { redis: 'redis-server', nats: 'nats-server', nchan: 'nginx' }

export type Window = {
  open: number
  frames_s: number
  updates_s: number
  mb_s: number
  p50_ms: number
  p99_ms: number
  disconnects: number
  compressed_frames: number
  fair_min: number
  srv_cpu: number
  srv_rss_mb: number
  load_cpu: number
}
export type Usage = { user: number; system: number; at: number; delivered: number; rss: number }
type Server = { child: Child; port: number; pids: number[] }

/** Sustained: at least this part of what was offered arrives, and 99 of 100 updates within this time. Calm: within that. */
export const SUSTAINED = { part: 0.95, p99_ms: 500, calm_ms: 100 } as const
/** Of a rate, seconds: what came before is over, then what is measured. First of all as long as it takes until code is compiled. */
const WINDOW = { settle: 0.8, measure: 2, warm: 4 } as const
const QUIET_MS = 100

export async function startServer(kind: Kind, spec: Partial<Spec>, flags: readonly string[] = []): Promise<Server> {
  const script = join(import.meta.dirname, 'fanout-server.ts')
  // What is measured has core 0 for itself: a broker is started there by its publisher, which shares core 1 with the generator.
  const child = startChild(
    onCore(PROGRAMS[kind] ? 1 : 0, process.execPath, ['--expose-gc', ...flags, script, kind, JSON.stringify(spec)])
  )
  return { child, ...(await child.next<{ port: number; pids: number[] }>()) }
}

/** Where a generator connects and what it says. redis and nats cannot look a list up: there all have the list of connection 0. */
function address(kind: Kind, spec: Spec, port: number): string[] {
  const names = picked(spec, 0)
  if (kind === 'tickwire') return ['--send', 'C%d', `ws://127.0.0.1:${port}/v1/ws`]
  if (kind === 'ws' || kind === 'ws-batch' || kind === 'floor') return [`ws://127.0.0.1:${port}/%d`]
  if (kind === 'redis') return ['--send', `SUBSCRIBE ${names.join(' ')}\\r\\n`, `tcp://127.0.0.1:${port}`]
  if (kind === 'nats') {
    const subscribes = names.map((name, at) => `SUB ${name} ${at}\\r\\n`).join('')
    return ['--esc', '--bin', '--send', `CONNECT {"verbose":false}\\r\\n${subscribes}`, `ws://127.0.0.1:${port}/`]
  }
  if (kind === 'nchan') return [`ws://127.0.0.1:${port}/sub?c=%d`]
  return ['--send', '40', `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&c=%d`]
}

export type Crowd = { clients: number; extra?: readonly string[] }

/** Connects and waits until all is quiet. */
export async function startGenerator(
  fanload: string,
  kind: Kind,
  given: Partial<Spec>,
  server: Server,
  crowd: Crowd,
  drain = true
) {
  const spec = { ...FEED_SPEC, ...given }
  const args = ['--interactive', '-n', String(crowd.clients), '--marker', '"published":', '--pid', server.pids.join(',')]
  const child = startChild(onCore(1, fanload, [...args, ...(crowd.extra ?? []), ...address(kind, spec, server.port)]))
  const { open } = await child.next<{ open: number; connect_ms: number }>()
  if (drain) await child.ask(`drain ${QUIET_MS} 30000`)
  return { child, open }
}

export type Found = {
  updates_s: number
  /** The greatest that was seen within the shorter time. */
  calm_updates_s?: number | undefined
  rate: number
  sustained: boolean
  p50_ms: number
  p99_ms: number
  mb_s: number
  /** TCP has no frames. */
  updates_per_frame?: number | undefined
  srv_cpu: number
  srv_rss_mb: number
  open: number
  note?: string
}

/** Updates delivered, their lateness and whether that was all of them, at one rate. */
type Seen = { rate: number; window: Window; updates_s: number; isWhole: boolean }
export type Probe = (rate: number) => Promise<Seen>

export function createProbe(server: Server, generator: Child, fan: number, witness?: Child): Probe {
  const both = (words: string) => Promise.all([generator.ask<Window>(words), witness?.ask<Window>(words)])
  let isWarm = false
  return async (rate) => {
    await server.child.ask(`rate ${rate}`)
    await both(`measure 0.01 ${isWarm ? WINDOW.settle : WINDOW.warm}`)
    isWarm = true
    const before = await server.child.ask<Usage>('usage')
    const [window, seen] = await both(`measure ${WINDOW.measure} 0`)
    const after = await server.child.ask<Usage>('usage')
    // What is compressed is not searched: there our own count is taken, and one client without compression is the witness.
    const counted = ((after.delivered - before.delivered) / (after.at - before.at)) * 1_000
    const updates_s = seen ? counted : window.updates_s
    const { p50_ms, p99_ms } = seen ?? window
    const isWhole = updates_s >= SUSTAINED.part * rate * fan && (!seen || seen.updates_s >= SUSTAINED.part * rate)
    return { rate, window: { ...window, p50_ms, p99_ms }, updates_s, isWhole: isWhole && window.disconnects === 0 }
  }
}

const isWithin = ({ isWhole, window }: Seen, limit: number): boolean => isWhole && window.p99_ms < limit
const most = (seen: readonly Seen[]): Seen | undefined => seen.toSorted((a, b) => b.updates_s - a.updates_s)[0]

function foundIn(seen: readonly Seen[]): Found {
  const sustained = most(seen.filter((each) => isWithin(each, SUSTAINED.p99_ms)))
  const best = sustained ?? most(seen)
  if (!best) throw new Error('nothing was measured')
  const { rate, window, updates_s } = best
  const calm = most(seen.filter((each) => isWithin(each, SUSTAINED.calm_ms)))
  return {
    updates_s: Math.round(updates_s),
    calm_updates_s: calm && Math.round(calm.updates_s),
    rate: Math.round(rate),
    sustained: sustained !== undefined,
    p50_ms: window.p50_ms,
    p99_ms: window.p99_ms,
    mb_s: Math.round(window.mb_s),
    updates_per_frame: window.frames_s > 0 ? Math.round((updates_s / window.frames_s) * 10) / 10 : undefined,
    srv_cpu: window.srv_cpu,
    srv_rss_mb: window.srv_rss_mb,
    open: window.open
  }
}

/** Where to look next: up by half until a rate is too much, down until one is not, then between; nothing when that is near enough. */
function next(seen: readonly Seen[], limit: number, guess: number): number | undefined {
  const low = Math.max(0, ...seen.filter((each) => isWithin(each, limit)).map(({ rate }) => rate))
  // One that was too much by a hiccup of the machine is overruled by a higher one that was not.
  const high = Math.min(Infinity, ...seen.filter(({ rate }) => rate > low).map(({ rate }) => rate))
  if (seen.length === 0) return guess
  if (high === Infinity) return low * 1.5
  if (low === 0) return high / 1.8
  return high / low > 1.12 ? Math.sqrt(low * high) : undefined
}

/** First what is sustained, then what is calm. A rate that is too much is tried a second time: the machine may have been elsewhere. */
export async function search(probe: Probe, calm: () => Promise<unknown>, guess: number, steps: number): Promise<Found> {
  const seen: Seen[] = []
  for (const limit of [SUSTAINED.p99_ms, SUSTAINED.calm_ms]) {
    for (let step = 0, rate = next(seen, limit, guess); step < steps && rate !== undefined; step++) {
      for (let turn = 0; turn < 2; turn++) {
        const found = await probe(rate)
        seen.push(found)
        if (found.window.disconnects > 0) return foundIn(seen)
        if (isWithin(found, limit)) break
        await calm()
      }
      rate = next(seen, limit, guess)
    }
  }
  return foundIn(seen)
}

/** The greatest load that this kind sustains. Where clients were cut before it did, it begins anew with less. */
export async function greatest(fanload: string, kind: Kind, given: Partial<Spec>, guess: number): Promise<Found> {
  for (let rate = guess, turn = 0; ; rate /= 3, turn++) {
    const found = await attempt(fanload, kind, given, rate)
    if (found.sustained || turn === (kind === 'tickwire' ? 2 : 1)) return found
  }
}

async function attempt(fanload: string, kind: Kind, given: Partial<Spec>, guess: number): Promise<Found> {
  const spec = { ...FEED_SPEC, ...given }
  const server = await startServer(kind, spec)
  const children: Child[] = []
  try {
    const extra = spec.compression ? ['--deflate'] : []
    const { child } = await startGenerator(fanload, kind, spec, server, { clients: spec.clients, extra })
    children.push(child)
    const probe = spec.compression ? (await startGenerator(fanload, kind, spec, server, { clients: 1 })).child : undefined
    if (probe) children.push(probe)
    const fan = spec.clients * (spec.each > 0 ? spec.each / topicsOf(spec).length : 1)
    const calm = async () => {
      await server.child.ask('rate 0')
      for (const each of children) await each.ask('drain 200 4000')
    }
    const found = await search(createProbe(server, child, fan, probe), calm, guess, kind === 'tickwire' ? 7 : 4)
    const same = (kind === 'redis' || kind === 'nats') && spec.each > 0
    return same ? { ...found, note: 'the same topics for all' } : found
  } finally {
    for (const each of children) await each.stop(false)
    await server.child.stop(true)
  }
}
