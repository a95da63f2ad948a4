/** A gateway on a real plant for the tests, and a client on a real socket. */
import { WebSocket } from 'ws'
import type { Published, ServerMessage, Trade } from '@tickwire/protocol'
import type { Desk, Dialect } from '../../src/dialects/dialect.ts'
import { native } from '../../src/dialects/native.ts'
import { createGateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { SILENT } from '../../src/ops/log.ts'
import { createPlant, type Plant } from '../../src/plant/plant.ts'

const INSTRUMENTS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'].map((instrument) => ({
  instrument,
  base: instrument.split('-')[0]!,
  quote: 'USDT',
  providers: [{ provider: 'one', symbol: instrument.replace('-', ''), trading: true }]
}))

export function deskOf(plant: Plant): Desk {
  return {
    server: 'test',
    epoch: plant.epoch,
    mode: 'demo',
    resolve(text) {
      const wanted = text.toUpperCase().replaceAll(/[/-]/g, '')
      const found = INSTRUMENTS.find((each) => each.instrument.replace('-', '') === wanted || /^I\d+$/.test(text))
      if (/^I\d+$/.test(text)) return { ok: true, instrument: text }
      return found ? { ok: true, instrument: found.instrument } : { ok: false, nearest: ['BTC-USDT'] }
    },
    instruments: () => INSTRUMENTS,
    instrument: (id) => INSTRUMENTS.find((each) => each.instrument === id),
    last: plant.last,
    recent: plant.recent,
    hand: plant.last,
    candles: () => Promise.resolve([]),
    past: () => Promise.resolve({ candles: [] }),
    unlisted: () => [],
    carries: () => true,
    connections: () => []
  }
}

export type RigOptions = Partial<GatewayOptions> & { epoch?: string; keep?: number; dialect?: Dialect<any> }

export async function startRig({ epoch = 'e1', keep = 1_000, dialect, ...options }: RigOptions = {}) {
  const plant = options.plant ?? createPlant({ epoch, keep: () => keep })
  const demanded = new Map<string, number>()
  const gateway = createGateway({
    plant,
    desk: deskOf(plant),
    dialects: [native, ...(dialect ? [dialect] : [])],
    demand: ({ kind, instrument }) => {
      const name = `${kind}:${instrument}`
      demanded.set(name, (demanded.get(name) ?? 0) + 1)
      return { upstream: 'live', release: () => void demanded.set(name, demanded.get(name)! - 1) }
    },
    clock: Date.now,
    log: SILENT,
    ...options
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  return { plant, gateway, demanded, port, base: `http://127.0.0.1:${port}`, url: `ws://127.0.0.1:${port}/v1/ws` }
}
export type Rig = Awaited<ReturnType<typeof startRig>>

export const tradeOf = (instrument: string, price: number): Trade => ({
  type: 'trade',
  provider: 'one',
  instrument,
  time: 1,
  received: 2,
  price,
  size: 1,
  side: 'buy'
})

export type Client = Awaited<ReturnType<typeof connect>>
type Said = ServerMessage | Published[]

/** Keeps all that the server said, and waits for a condition on it. */
export async function connect(url: string, options: { headers?: Record<string, string>; autoPong?: boolean } = {}) {
  const ws = new WebSocket(url, options)
  const said: Said[] = []
  const watchers = new Set<() => void>()
  const wake = () => {
    for (const watcher of watchers) watcher()
  }
  let closed: { code: number; reason: string } | undefined
  ws.on('message', (data) => {
    said.push(JSON.parse((data as Buffer).toString()) as Said)
    wake()
  })
  ws.on('close', (code, reason) => {
    closed = { code, reason: reason.toString() }
    wake()
  })
  const until = <T>(look: () => T | undefined | false, within = 30_000): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watchers.delete(check)
        reject(
          new Error(`not within ${within} ms; said: ${JSON.stringify(said).slice(0, 600)}, closed: ${JSON.stringify(closed)}`)
        )
      }, within)
      const check = () => {
        const value = look()
        if (value === undefined || value === false) return
        clearTimeout(timer)
        watchers.delete(check)
        resolve(value)
      }
      watchers.add(check)
      check()
    })
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve)
    ws.once('error', reject)
  })
  const events = (): Published[] => said.filter((each) => Array.isArray(each)).flat()
  type Op = ServerMessage['op']
  return {
    ws,
    said,
    until,
    events,
    send: (message: unknown) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    message: <O extends Op>(op: O, nth = 0) =>
      until(
        () =>
          said.filter(
            (each): each is Extract<ServerMessage, { op: O }> => !Array.isArray(each) && 'op' in each && each.op === op
          )[nth]
      ),
    closed: () => until(() => closed)
  }
}
