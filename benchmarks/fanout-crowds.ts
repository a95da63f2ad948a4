/** What many connections do to the server and to one another: idle, in a storm, with one that stalls, and far from any limit. */
import type { Found } from './fanout-run.ts'
import { greatest, startGenerator, startServer, SUSTAINED, type Kind, type Usage, type Window } from './fanout-run.ts'
import type { Context } from './fanout-scenarios.ts'

const CROWD = 5_000
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Resident memory that a connection adds, kernel buffers not counted. */
async function idleBytes(fanload: string, kind: Kind): Promise<{ kb_per_connection: number; open: number }> {
  const spec = { clients: CROWD, topics: 1 }
  const server = await startServer(kind, spec)
  try {
    // The first connections bring the code in.
    const first = await startGenerator(fanload, kind, spec, server, { clients: 200 })
    const before = await server.child.ask<Usage>('rss')
    const { child, open } = await startGenerator(fanload, kind, spec, server, { clients: CROWD })
    const after = await server.child.ask<Usage>('rss')
    await Promise.all([first.child.stop(false), child.stop(false)])
    return { kb_per_connection: Math.round((after.rss - before.rss) / open / 100) / 10, open }
  } finally {
    await server.child.stop(true)
  }
}

export async function idle({ fanload, peers: withPeers }: Context) {
  const ours = await idleBytes(fanload, 'tickwire')
  const peers: Record<string, object> = {}
  if (withPeers) for (const kind of ['ws', 'socket.io'] as const) peers[kind] = await idleBytes(fanload, kind)
  return { ours, peers, goal: { kb_per_connection: 20 }, ok: ours.open === CROWD && ours.kb_per_connection <= 20 }
}

const PATIENCE = 30_000

/** From the moment all vanish until each has had an update again. */
async function stormOf(fanload: string, kind: Kind) {
  const spec = { clients: CROWD, each: 20 }
  const server = await startServer(kind, spec)
  try {
    const before = await startGenerator(fanload, kind, spec, server, { clients: CROWD })
    await server.child.ask('rate 1000')
    const { updates_s: updates_s_before } = await before.child.ask<Window>('measure 1 1')
    await before.child.stop(false)
    const start = performance.now()
    const { child, open } = await startGenerator(
      fanload,
      kind,
      spec,
      server,
      { clients: CROWD, extra: ['--inflight', '5000'] },
      false
    )
    const connected_ms = Math.round(performance.now() - start)
    // In half a second each has twenty updates; a quarter of them in a window is streaming and no snapshot.
    let window = await child.ask<Window>('measure 0.5 0')
    while (window.fair_min < 5 && performance.now() - start < PATIENCE) window = await child.ask<Window>('measure 0.5 0')
    const streaming_ms = Math.round(performance.now() - start)
    const { updates_s: updates_s_after } = await child.ask<Window>('measure 1 0')
    await child.stop(false)
    const note = open < CROWD ? `${open} of ${CROWD} were let in by then` : undefined
    return { connected_ms, streaming_ms, open, least: window.fair_min, updates_s_before, updates_s_after, note }
  } finally {
    await server.child.stop(true)
  }
}

export async function storm({ fanload, peers: withPeers }: Context) {
  const ours = await stormOf(fanload, 'tickwire')
  const peers: Record<string, object> = {}
  if (withPeers) for (const kind of ['ws-batch', 'socket.io'] as const) peers[kind] = await stormOf(fanload, kind)
  const { open, least, streaming_ms } = ours
  return { ours, peers, goal: { streaming_ms: 5_000 }, ok: open === CROWD && least >= 5 && streaming_ms <= 5_000 }
}

async function p99Of(fanload: string, rate: number, slow: number): Promise<number> {
  const server = await startServer('tickwire', { clients: 200 })
  try {
    const extra = ['--slow', String(slow), '--rcvbuf', '65536']
    const { child } = await startGenerator(fanload, 'tickwire', {}, server, { clients: 200, extra })
    await server.child.ask(`rate ${rate}`)
    const { p99_ms } = await child.ask<Window>('measure 3 1')
    await child.stop(false)
    return p99_ms
  } finally {
    await server.child.stop(true)
  }
}

/** In turns, so that the machine is the same for both. */
export async function stalled({ fanload }: Context) {
  const rate = 3_000
  const none: number[] = []
  const one: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    none.push(await p99Of(fanload, rate, 0))
    one.push(await p99Of(fanload, rate, 1))
  }
  const [p99_ms, p99_ms_stalled] = [median(none), median(one)]
  const times = Math.round((p99_ms_stalled / p99_ms) * 100) / 100
  return { ours: { rate, p99_ms, p99_ms_stalled, times }, goal: { times: 1.1 }, ok: times <= 1.1 }
}

const OVERLOAD = { times: 3, secs: 60, rss_mb: 512, recovered_ms: 5_000, heap: '--max-old-space-size=400' }

/** Three times what it can, for a minute, in a small heap; then a tenth of it, until all is in time again. */
export async function overload({ fanload, done }: Context) {
  const spec = { clients: 1_000 }
  const known = done.get('equal-1000')?.ours as Found | undefined
  const { rate: most } = known ?? (await greatest(fanload, 'tickwire', spec, 2_000))
  const server = await startServer('tickwire', spec, [OVERLOAD.heap])
  try {
    const { child } = await startGenerator(fanload, 'tickwire', spec, server, spec)
    await server.child.ask(`rate ${OVERLOAD.times * most}`)
    const windows: Window[] = []
    for (let at = 0; at < OVERLOAD.secs; at += 5) windows.push(await child.ask<Window>('measure 5 0'))
    await server.child.ask(`rate ${most / 10}`)
    const start = performance.now()
    let window = await child.ask<Window>('measure 0.5 0')
    while (!(window.updates_s > 0 && window.p99_ms < SUSTAINED.calm_ms) && performance.now() - start < PATIENCE)
      window = await child.ask<Window>('measure 0.5 0')
    const recovered_ms = Math.round(performance.now() - start)
    await child.stop(false)
    const rss_mb = Math.max(...windows.map(({ srv_rss_mb }) => srv_rss_mb))
    const ours = { offered_s: OVERLOAD.times * most * spec.clients, updates_s: median(windows.map((each) => each.updates_s)) }
    const aim = { rss_mb: OVERLOAD.rss_mb, recovered_ms: OVERLOAD.recovered_ms }
    const ok = rss_mb <= aim.rss_mb && recovered_ms <= aim.recovered_ms
    return { ours: { ...ours, rss_mb, recovered_ms, open: window.open, disconnects: window.disconnects }, goal: aim, ok }
  } finally {
    await server.child.stop(true)
  }
}

const FLUSH = 16

async function lateness(fanload: string, kind: Kind, rate: number): Promise<Window> {
  const server = await startServer(kind, { clients: 1_000, flush: FLUSH })
  try {
    const { child } = await startGenerator(fanload, kind, {}, server, { clients: 1_000 })
    await server.child.ask(`rate ${rate}`)
    const window = await child.ask<Window>('measure 5 4')
    await child.stop(false)
    return window
  } finally {
    await server.child.stop(true)
  }
}

export async function latency({ fanload, done }: Context) {
  const known = done.get('equal-1000')?.ours as Found | undefined
  const { rate: most } = known ?? (await greatest(fanload, 'tickwire', { clients: 1_000 }, 2_000))
  const rate = Math.round(most / 10)
  const { p50_ms, p99_ms, updates_s, srv_cpu } = await lateness(fanload, 'tickwire', rate)
  const { p99_ms: floor_p99_ms } = await lateness(fanload, 'floor', rate)
  const ours = { rate, updates_s, p50_ms, p99_ms, floor_p99_ms, srv_cpu }
  return { ours, goal: { p99_ms: FLUSH + 5 }, ok: p99_ms <= FLUSH + 5 }
}
