/** Our side of the fan-out benchmark: the gateway on a plant. A client says `C<its number>` and has what its number has. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { native } from '@tickwire/server/dialects/native.ts'
import { createGateway } from '@tickwire/server/gateway/gateway.ts'
import { recordEvents } from '@tickwire/server/journal/recorder.ts'
import { openWriter } from '@tickwire/server/journal/writer.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createPlant, type Plant } from '@tickwire/server/plant/plant.ts'
import { nameOf, picked, tradeAt, type Spec } from './fanout-feed.ts'

const FIELDS = ['provider', 'time', 'received', 'id', 'price', 'size', 'side']

/** Different fields for each of the first 127. */
function contractOf({ contract, contracts }: Spec, connection: number): object | undefined {
  if (contracts <= 1) return contract
  const bits = (connection % contracts) + 1
  return { ...contract, fields: FIELDS.filter((_, at) => (bits >> at) & 1) }
}

/** The generator's message is short and the same for all, so the subscribe that it stands for is written here. */
const speak = (spec: Spec): typeof native => ({
  ...native,
  receive: (frame, memory, now) => {
    if (typeof frame !== 'string' || !frame.startsWith('C')) return native.receive(frame, memory, now)
    const connection = Number(frame.slice(1))
    const topics = picked(spec, connection).map((name) => `trade:${name}`)
    const contract = contractOf(spec, connection)
    return native.receive(JSON.stringify({ op: 'subscribe', topics, notices: false, contract }), memory, now)
  }
})

/** The limits per address are for one machine's worth of clients; here one machine is all of them. */
const ALL = { connections: Infinity, topics: Infinity, messages: Infinity, requests: Infinity }

/** As the server records what its feed publishes. */
function recorded(plant: Plant): Plant {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-bench-'))
  const writer = openWriter({ directory, what: ['events'], epoch: 'bench' })
  process.once('exit', () => rmSync(directory, { recursive: true }))
  return recordEvents(plant, writer.append)
}

export async function startOurs(spec: Spec) {
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
      past: () => Promise.resolve({ candles: [] }),
      unlisted: () => [],
      carries: () => true,
      connections: () => []
    },
    dialects: [speak(spec)],
    demand: () => ({ upstream: 'live', release: () => {} }),
    clock: Date.now,
    log: SILENT,
    flushEvery: spec.flush,
    compression: spec.compression,
    allowances: { perAddress: ALL, perUser: ALL },
    // A generator does not answer pings of the protocol, and is not there to be cut.
    limits: { connections: 50_000, heartbeat: { interval: 600_000, deadline: 600_000 } }
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  const feed = spec.record ? recorded(plant) : plant
  const publish = (n: number, due: number) => {
    feed.publish(`trade:${nameOf(n % spec.topics)}`, tradeAt(spec, n, due), due)
  }
  return { port, pids: [process.pid], publish, delivered: () => gateway.stats().delivered }
}
