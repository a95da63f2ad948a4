/**
 * The server half of the fan-out benchmark, ours or a peer, told by lines on its standard input: `rate N` publishes N events per
 * second from now on, `usage` answers what was used and delivered until now, `rss` collects garbage and answers what is left.
 */
import { createInterface } from 'node:readline'
import { startNats, startNchan, startRedis } from './fanout-brokers.ts'
import { createMetronome, FEED_SPEC, type Publish, type Spec } from './fanout-feed.ts'
import { startFloor } from './fanout-floor.ts'
import { startOurs } from './fanout-ours.ts'
import { startSocketIo, startWs } from './fanout-peers.ts'

type Started = { port: number; pids: number[]; publish: Publish; delivered?: () => number }
const STARTS: Record<string, (spec: Spec) => Promise<Started>> = {
  tickwire: startOurs,
  floor: startFloor,
  ws: (spec) => startWs(spec, false),
  'ws-batch': (spec) => startWs(spec, true),
  'socket.io': (spec) => startSocketIo(spec, false),
  'socket.io-array': (spec) => startSocketIo(spec, true),
  redis: startRedis,
  nats: startNats,
  nchan: startNchan
}

const [kind = 'tickwire', given = '{}'] = process.argv.slice(2)
const spec: Spec = { ...FEED_SPEC, ...(JSON.parse(given) as Partial<Spec>) }
const start = STARTS[kind]
if (!start) throw new Error(`there is no server called ${kind}`)
const { port, pids, publish, delivered } = await start(spec)
// One value of each topic, so that a subscriber is given a snapshot.
for (let n = 0; n < spec.topics; n++) publish(n, Date.now())
const setRate = createMetronome(publish, spec.topics)

function answer(line: string): object {
  const [word, number] = line.split(' ')
  if (word === 'rate') setRate(Number(number))
  if (word === 'rss') for (let turn = 0; turn < 3; turn++) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  return { user, system, at: performance.now(), delivered: delivered?.() ?? 0, rss: process.memoryUsage.rss() }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => process.stdout.write(`${JSON.stringify(answer(line))}\n`))
lines.on('close', () => process.exit())
process.stdout.write(`${JSON.stringify({ port, pids })}\n`)
