/**
 * The server half of the fan-out benchmark: `tickwire`, our gateway on a plant; or `peer`, plain `ws` with one send per
 * update. Both publish the same trades once told to `go`, open loop: each is stamped with the time at which it was due.
 */
import type { Trade } from '@tickwire/protocol'
import { native } from '@tickwire/server/dialects/native.ts'
import { createGateway } from '@tickwire/server/gateway/gateway.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { WebSocketServer } from 'ws'

const [kind = 'tickwire', topics = '500', perSecond = '10000', flush = '16'] = process.argv.slice(2)
const TOPICS = Number(topics)
const names = Array.from({ length: TOPICS }, (_, i) => `S${i}-USDT`)

const tradeAt = (n: number, due: number): Trade => ({
  type: 'trade',
  provider: 'bench',
  instrument: names[n % TOPICS]!,
  time: due,
  received: due,
  id: String(1_000_000 + n),
  price: 50_000 + (n % 1_000) / 100,
  size: 0.25,
  side: n % 2 === 0 ? 'buy' : 'sell'
})

async function startTickwire() {
  const plant = createPlant({ epoch: 'bench', keep: () => 10 })
  const gateway = createGateway({
    plant,
    desk: {
      server: 'bench',
      epoch: 'bench',
      mode: 'demo',
      resolve: (instrument) => ({ ok: true, instrument }),
      instruments: () => [],
      instrument: () => undefined,
      last: plant.last,
      recent: plant.recent,
      hand: plant.last,
      candles: () => Promise.resolve([]),
      unlisted: () => [],
      carries: () => true,
      connections: () => []
    },
    dialects: [native],
    demand: () => ({ upstream: 'live', release: () => {} }),
    clock: Date.now,
    log: SILENT,
    flushEvery: Number(flush)
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  return { port, publish: (n: number, due: number) => plant.publish(`trade:${names[n % TOPICS]}`, tradeAt(n, due), due) }
}

async function startPeer() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await new Promise((resolve) => server.once('listening', resolve))
  const seqs = new Map<string, number>()
  const publish = (n: number, due: number) => {
    const topic = `trade:${names[n % TOPICS]}`
    const seq = (seqs.get(topic) ?? 0) + 1
    seqs.set(topic, seq)
    const text = JSON.stringify({ ...tradeAt(n, due), topic, seq, published: due })
    for (const client of server.clients) if (client.readyState === client.OPEN) client.send(text)
  }
  return { port: (server.address() as { port: number }).port, publish }
}

const { port, publish } = await (kind === 'peer' ? startPeer() : startTickwire())
// One value of each topic, so that a subscriber is given a snapshot.
for (let n = 0; n < TOPICS; n++) publish(n, Date.now())

function go() {
  const every = 1_000 / Number(perSecond)
  const start = Date.now()
  let n = 0
  setInterval(() => {
    const now = Date.now()
    while (start + n * every <= now) publish(n, Math.floor(start + n++ * every))
  }, 1)
}

process.stdin.once('data', () => {
  go()
  process.stdout.write('{"going":true}\n')
})
process.stdin.on('end', () => process.exit())
process.stdout.write(`${JSON.stringify({ port })}\n`)
