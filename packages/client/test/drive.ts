/** The connection machine in a test's hands: no socket, no timer, no clock. */
import type { AskedContract, DataFrame, Published, ServerMessage } from '@tickwire/protocol'
import { due, step } from '../src/connection.ts'
import { createConnection, type Effect, type Input, type Settings } from '../src/state.ts'

export const hello = (over: object = {}): ServerMessage => ({
  op: 'hello',
  version: 1,
  server: 'Tickwire test',
  epoch: 'e1',
  now: 0,
  mode: 'demo',
  session: 's1',
  encoding: 'json',
  heartbeat: { interval: 25_000, timeout: 60_000 },
  auth: 'none',
  limits: { message: 65_536, topics: 1_000 },
  ...over
})
export const trade = (seq: number, topic = 'trade:BTC-USDT'): Published => ({
  type: 'trade',
  provider: 'kraken',
  instrument: 'BTC-USDT',
  time: seq,
  received: seq,
  price: 1,
  size: 1,
  side: 'buy',
  topic,
  seq,
  published: seq
})

/** Drives the machine as its shell would, with a clock that the test moves. */
export function drive(settings: Partial<Settings> = {}, random = () => 0.5) {
  const machine = createConnection(settings, random, 0)
  const all: Effect[] = []
  const world = {
    machine,
    all,
    now: 0,
    feed(input: Input extends infer I ? (I extends unknown ? Omit<I, 'now'> : never) : never): Effect[] {
      const effects = step(machine, { ...input, now: world.now })
      all.push(...effects)
      return effects
    },
    hear: (message: ServerMessage | DataFrame) => world.feed({ type: 'message', message }),
    /** Lets time pass to where the machine next wants to be called. */
    wait: () => {
      world.now = due(machine)
      return world.feed({ type: 'tick' })
    },
    open(over: object = {}) {
      if (machine.state.phase !== 'connecting') world.feed({ type: 'start' })
      world.feed({ type: 'opened' })
      return world.hear(hello(over))
    },
    want(topics: string | string[], contract?: AskedContract) {
      world.feed({ type: 'want', topics: typeof topics === 'string' ? [topics] : topics, contract })
      return world.feed({ type: 'flush' })
    },
    subscribed(seq: number, over: object = {}, topic = 'trade:BTC-USDT') {
      const id = machine.nextId - 1
      const result = {
        asked: topic,
        topic,
        ok: true as const,
        position: { epoch: 'e1', seq },
        upstream: 'live' as const,
        ...over
      }
      return world.hear({ op: 'subscribed', id, results: [result] })
    },
    cut: (code = 1006) => world.feed({ type: 'closed', code, reason: '' }),
    delivered: () => all.flatMap((effect) => (effect.type === 'deliver' ? effect.events.map((event) => event.seq) : []))
  }
  return world
}
export const sent = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []))
export const kinds = (effects: readonly Effect[]) => effects.map((effect) => effect.type)
