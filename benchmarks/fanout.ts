/**
 * How many updates per second one core delivers to many WebSocket clients, all subscribed to all topics, and the same
 * load with one `ws.send` per update, in the same run. Prints one line of JSON. Needs gcc; uses taskset where it is.
 *
 *   node benchmarks/fanout.ts [--clients 1000] [--topics 500] [--rate 4000] [--peer-rate 150] [--secs 4] [--flush 16]
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    topics: { type: 'string', default: '500' },
    /** Events per second: updates delivered are this many times the clients. */
    rate: { type: 'string', default: '4000' },
    'peer-rate': { type: 'string', default: '150' },
    secs: { type: 'string', default: '4' },
    flush: { type: 'string', default: '16' }
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

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk) => {
      text += String(chunk)
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code} before it said anything`)))
  })

const topicList = Array.from({ length: Number(values.topics) }, (_, i) => `trade:S${i}-USDT`)
const subscribe = JSON.stringify({ op: 'subscribe', topics: topicList, notices: false })

type Result = {
  open: number
  updates_s: number
  frames_s: number
  mb_s: number
  p50_ms: number
  p99_ms: number
  max_ms: number
  disconnects: number
  srv_cpu: number
  srv_rss_mb: number
  load_cpu: number
}

async function measure(fanload: string, kind: 'tickwire' | 'peer', rate: string): Promise<Result> {
  const server = spawn(
    ...onCore(0, process.execPath, [join(here, 'fanout-server.ts'), kind, values.topics, rate, values.flush]),
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  try {
    const { port } = JSON.parse(await firstLine(server)) as { port: number }
    const path = kind === 'peer' ? '/' : '/v1/ws'
    const send = kind === 'peer' ? [] : ['--send', subscribe]
    const load = ['-n', values.clients, '-s', values.secs, '-w', '2', '--marker', '"published":', '--pid', String(server.pid)]
    const generator = spawn(...onCore(1, fanload, [...load, ...send, `ws://127.0.0.1:${port}${path}`]), {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    return JSON.parse(await firstLine(generator)) as Result
  } finally {
    server.kill()
  }
}

const directory = mkdtempSync(join(tmpdir(), 'fanout-'))
try {
  const fanload = join(directory, 'fanload')
  execFileSync('gcc', ['-O2', '-Wall', '-o', fanload, join(here, 'fanload.c')], { stdio: 'inherit' })
  const ours = await measure(fanload, 'tickwire', values.rate)
  const peer = await measure(fanload, 'peer', values['peer-rate'])
  const line = {
    benchmark: 'fanout',
    clients: Number(values.clients),
    topics: Number(values.topics),
    flush_ms: Number(values.flush),
    updates_per_second: ours.updates_s,
    p50_ms: ours.p50_ms,
    p99_ms: ours.p99_ms,
    ratio: Math.round((ours.updates_s / peer.updates_s) * 10) / 10,
    goal: { updates_per_second: 3_000_000, p99_ms: 50 },
    ok: ours.updates_s >= 3_000_000 && ours.p99_ms < 50,
    ours,
    one_send_per_update: peer
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
} finally {
  rmSync(directory, { recursive: true })
}
