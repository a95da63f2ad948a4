/**
 * How many updates per second one core delivers to many WebSocket clients, all subscribed to all topics, and the same
 * load with one `ws.send` per update, in the same run. Prints one line of JSON. Needs gcc; uses taskset where it is.
 *
 *   node benchmarks/fanout.ts [--clients 1000] [--topics 500] [--rate 3100] [--peer-rate 150] [--rounds 3] [--secs 3] [--flush 16]
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    topics: { type: 'string', default: '500' },
    /** Events per second: updates delivered are this many times the clients. */
    rate: { type: 'string', default: '3100' },
    'peer-rate': { type: 'string', default: '150' },
    /** Windows measured one after another; the medians are printed. */
    rounds: { type: 'string', default: '3' },
    secs: { type: 'string', default: '3' },
    flush: { type: 'string', default: '16' },
    /** Writes the server's CPU profile of each half into this directory. */
    profile: { type: 'string' },
    /** Without the peer. */
    only: { type: 'boolean' }
  }
})

const here = import.meta.dirname
const hasTaskset = (() => {
  try {
    execFileSync('taskset', ['-V'], { stdio: 'ignore' })
    return availableParallelism() > 1
  } catch {
    return false
  }
})()
const onCore = (core: number, command: string, args: string[]): [string, string[]] =>
  hasTaskset ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]

/** A child that answers each line it is told with one line of JSON. */
function startChild([command, args]: [string, string[]]) {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${child.spawnargs.join(' ')} ended before it answered`)
    return JSON.parse(value) as T
  }
  const ask = <T>(line: string): Promise<T> => {
    child.stdin!.write(`${line}\n`)
    return next<T>()
  }
  /** A profile is only written by a process that ends by itself. */
  const stop = async (gently: boolean) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (gently) child.stdin!.end()
    else child.kill('SIGKILL')
    await gone
  }
  return { pid: child.pid!, next, ask, stop }
}

const topicList = Array.from({ length: Number(values.topics) }, (_, i) => `trade:S${i}-USDT`)
const subscribe = JSON.stringify({ op: 'subscribe', topics: topicList, notices: false })
/** The generator calls its sockets quiet after this long. */
const QUIET_MS = 100

const FIGURES = ['updates_s', 'frames_s', 'mb_s', 'p50_ms', 'p90_ms', 'p99_ms', 'max_ms', 'srv_cpu', 'load_cpu'] as const
type Round = Record<(typeof FIGURES)[number] | 'open' | 'disconnects' | 'srv_rss_mb', number>

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

async function measure(fanload: string, kind: 'tickwire' | 'peer', rate: string) {
  const { clients, topics, flush, rounds, secs, profile } = values
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const server = startChild(
    onCore(0, process.execPath, [...profiling, join(here, 'fanout-server.ts'), kind, topics, rate, flush])
  )
  try {
    const { port } = await server.next<{ port: number }>()
    const path = kind === 'peer' ? '/' : '/v1/ws'
    const send = kind === 'peer' ? [] : ['--send', subscribe]
    const load = ['--interactive', '-n', clients, '--marker', '"published":', '--pid', String(server.pid)]
    const generator = startChild(onCore(1, fanload, [...load, ...send, `ws://127.0.0.1:${port}${path}`]))
    try {
      const { connect_ms } = await generator.next<{ connect_ms: number }>()
      const { ms } = await generator.ask<{ ms: number }>(`drain ${QUIET_MS} 60000`)
      await server.ask('go')
      const results: Round[] = []
      for (let n = 0; n < Number(rounds); n++) results.push(await generator.ask<Round>(`measure ${secs} ${n === 0 ? 2 : 0.5}`))
      const { open, disconnects, srv_rss_mb } = results.at(-1)!
      const figures = Object.fromEntries(FIGURES.map((name) => [name, median(results.map((result) => result[name]))]))
      // Until every client had its answer and its snapshots.
      const subscribed_ms = Math.round(connect_ms + ms - QUIET_MS)
      return { ...(figures as Record<(typeof FIGURES)[number], number>), open, disconnects, srv_rss_mb, subscribed_ms }
    } finally {
      await generator.stop(false)
    }
  } finally {
    await server.stop(profile !== undefined)
  }
}

const directory = mkdtempSync(join(tmpdir(), 'fanout-'))
try {
  const fanload = join(directory, 'fanload')
  execFileSync('gcc', ['-O2', '-Wall', '-o', fanload, join(here, 'fanload.c')], { stdio: 'inherit' })
  const ours = await measure(fanload, 'tickwire', values.rate)
  const peer = values.only ? undefined : await measure(fanload, 'peer', values['peer-rate'])
  const line = {
    benchmark: 'fanout',
    clients: Number(values.clients),
    topics: Number(values.topics),
    flush_ms: Number(values.flush),
    updates_per_second: ours.updates_s,
    p50_ms: ours.p50_ms,
    p99_ms: ours.p99_ms,
    subscribed_ms: ours.subscribed_ms,
    ratio: peer && Math.round((ours.updates_s / peer.updates_s) * 10) / 10,
    goal: { updates_per_second: 3_000_000, p99_ms: 50 },
    ok: ours.updates_s >= 3_000_000 && ours.p99_ms < 50,
    load: Math.round(loadavg()[0]! * 10) / 10,
    ours,
    one_send_per_update: peer
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
} finally {
  rmSync(directory, { recursive: true })
}
