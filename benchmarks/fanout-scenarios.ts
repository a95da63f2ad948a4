/** The scenarios of the fan-out benchmark: what each measures, its peers and its goal. */
import { PEERS, PROGRAMS, greatest, type Found, type Kind } from './fanout-run.ts'
import { isThere } from './fanout-child.ts'
import type { Spec } from './fanout-feed.ts'
import { contractCurve, fixed, recording } from './fanout-curves.ts'
import { idle, latency, overload, stalled, storm } from './fanout-crowds.ts'

export type Line = {
  scenario: string
  what: string
  ours: object
  peers: Record<string, object>
  /** Ours to the best of the peers that were there. */
  ratio?: number | undefined
  goal?: object
  ok?: boolean
}
export type Context = { fanload: string; peers: boolean; done: Map<string, Line> }
type Outcome = Omit<Line, 'scenario' | 'what' | 'peers'> & { peers?: Line['peers'] }
type Scenario = { what: string; run: (context: Context) => Promise<Outcome> }

export type Figures = { updates_s: number }
/** Of each peer a rate to begin with, in updates per second to all clients together. */
const GUESSES: Record<Kind, number> = {
  tickwire: 2_000_000,
  floor: 2_000_000,
  ws: 100_000,
  'ws-batch': 600_000,
  'socket.io': 80_000,
  'socket.io-array': 400_000,
  redis: 250_000,
  nats: 250_000,
  nchan: 60_000
}

async function peerFigures(fanload: string, kinds: readonly Kind[], spec: Partial<Spec>, fan: number) {
  const peers: Record<string, object> = {}
  for (const kind of kinds) {
    const program = PROGRAMS[kind]
    if (program && !isThere('which', program)) peers[kind] = { absent: `${program} is not installed` }
    else {
      const part = spec.each ? 0.6 : 1
      peers[kind] = await greatest(fanload, kind, spec, (GUESSES[kind] * part) / fan).catch((error: Error) => ({
        absent: `it did not run: ${error.message}`
      }))
    }
  }
  return peers
}

type Load = {
  spec: Partial<Spec> & { clients: number }
  guess: number
  peers: readonly Kind[]
  goal?: number | undefined
  times?: number | undefined
  /** Beside what bare sockets deliver, where all are sent the same. */
  floor?: boolean
}

/** A goal is met where the updates are that many, or, where it says so, that many times the best peer's. */
const load = ({ spec, guess, peers, goal, times, floor = false }: Load): Scenario['run'] => {
  const fan = spec.clients * ((spec.each ?? 0) > 0 ? (spec.each ?? 0) / (spec.topics ?? 500) : 1)
  return async (context) => {
    const ours = await greatest(context.fanload, 'tickwire', spec, guess / fan)
    const least = floor ? await greatest(context.fanload, 'floor', spec, guess / fan) : undefined
    const found = context.peers ? await peerFigures(context.fanload, peers, spec, fan) : {}
    const best = Math.max(0, ...Object.values(found).map((peer) => (peer as Partial<Figures>).updates_s ?? 0))
    const ratio = best > 0 ? Math.round((ours.updates_s / best) * 10) / 10 : undefined
    const meets =
      (goal === undefined || ours.updates_s >= goal) && (times === undefined || (ratio !== undefined && ratio >= times))
    const aim = { updates_s: goal, ratio: times }
    const beside = least && {
      floor_updates_s: least.updates_s,
      floor_calm_updates_s: least.calm_updates_s,
      of_floor: Math.round((ours.updates_s / least.updates_s) * 100) / 100
    }
    return {
      ours: { ...ours, ...beside },
      peers: found,
      ratio,
      ...(goal === undefined ? {} : { goal: aim, ok: ours.sustained && meets })
    }
  }
}

const compressed: Scenario['run'] = async ({ fanload, done }) => {
  const ours = await greatest(fanload, 'tickwire', { compression: true, clients: 1_000 }, 1_500)
  const plain =
    (done.get('equal-1000')?.ours as Found | undefined) ?? (await greatest(fanload, 'tickwire', { clients: 1_000 }, 2_000))
  const kept = Math.round((ours.updates_s / plain.updates_s) * 100) / 100
  return { ours: { ...ours, plain_updates_s: plain.updates_s, kept }, goal: { kept: 0.9 }, ok: kept >= 0.9 }
}

const equal = (clients: number, peers: readonly Kind[], goal?: number, times?: number) =>
  load({ spec: { clients }, guess: 2_000_000, peers, goal, times, floor: true })
const random = (clients: number, peers: readonly Kind[], goal?: number, times?: number) =>
  load({ spec: { clients, each: 20 }, guess: 800_000, peers, goal, times })
const ONE: readonly Kind[] = ['ws']
const LIBRARIES: readonly Kind[] = ['ws', 'ws-batch', 'socket.io', 'socket.io-array']

export const SCENARIOS: Record<string, Scenario> = {
  'equal-100': { what: '100 clients, all with all 500 topics', run: equal(100, ONE) },
  'equal-1000': { what: '1,000 clients, all with all 500 topics', run: equal(1_000, PEERS, 12_000_000, 3) },
  'equal-5000': { what: '5,000 clients, all with all 500 topics', run: equal(5_000, ONE) },
  'random-100': { what: '100 clients, each a different random 20 of 500 topics', run: random(100, ONE) },
  'random-1000': { what: '1,000 clients, each a different random 20 of 500 topics', run: random(1_000, PEERS, 4_000_000) },
  'random-5000': { what: '5,000 clients, each a different random 20 of 500 topics', run: random(5_000, LIBRARIES, 2_000_000) },
  hot: {
    what: '1,000 clients, one topic alone',
    run: load({ spec: { clients: 1_000, topics: 1 }, guess: 2_000_000, peers: ['ws', 'socket.io'] })
  },
  compression: { what: 'equal-1000 with permessage-deflate', run: compressed },
  lite: {
    what: 'equal-1000 with the fields of `lite`',
    run: load({ spec: { clients: 1_000, contract: { fields: 'lite' } }, guess: 2_000_000, peers: [] })
  },
  latest: {
    what: '1,000 clients on `latest`, 40 topics at 20,000 events a second',
    run: fixed({ clients: 1_000, topics: 40, contract: { delivery: 'latest' } }, 20_000)
  },
  sampled: {
    what: '1,000 clients on `sampled` of 1 s, 500 topics at 20,000 events a second',
    run: fixed({ clients: 1_000, contract: { delivery: 'sampled', interval: 1_000 } }, 20_000)
  },
  curve: {
    what: 'Processor time per event: more clients with one contract, and more contracts of 400 clients',
    run: contractCurve
  },
  recording: { what: '400 clients, all with all 500 topics, with and without a journal of all events', run: recording },
  idle: { what: '5,000 connections with one silent topic', run: idle },
  storm: { what: '5,000 clients vanish and come back at once, each a different random 20 of 500 topics', run: storm },
  stalled: { what: '200 clients, one of which does not read', run: stalled },
  overload: {
    what: '1,000 clients, for a minute three times the greatest load of equal-1000, in a heap of 400 MB',
    run: overload
  },
  latency: { what: 'A tenth of the greatest load of equal-1000, from the plant to the client', run: latency }
}
