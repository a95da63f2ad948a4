/** What an event costs, at a rate that is far from the limit: by clients, by distinct contracts and by contract. */
import type { Spec } from './fanout-feed.ts'
import { startGenerator, startServer, type Usage, type Window } from './fanout-run.ts'
import type { Context } from './fanout-scenarios.ts'

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

async function costAt(fanload: string, spec: Partial<Spec> & { clients: number }, rate: number, secs = 2, warm = 1) {
  const server = await startServer('tickwire', spec)
  try {
    const { child } = await startGenerator(fanload, 'tickwire', spec, server, { clients: spec.clients })
    try {
      await server.child.ask(`rate ${rate}`)
      await child.ask(`measure 0.01 ${warm}`)
      const before = await server.child.ask<Usage>('usage')
      const window = await child.ask<Window>(`measure ${secs} 0`)
      const after = await server.child.ask<Usage>('usage')
      const events = ((after.at - before.at) / 1_000) * rate
      return { window, user_us: (after.user - before.user) / events, system_us: (after.system - before.system) / events }
    } finally {
      await child.stop(false)
    }
  } finally {
    await server.child.stop(true)
  }
}

/** At one rate: what is delivered, how late, and at what cost. What is conflated is not late, it is not sent. */
export const fixed =
  (spec: Partial<Spec> & { clients: number }, rate: number) =>
  async ({ fanload }: Context) => {
    const { window, user_us, system_us } = await costAt(fanload, spec, rate)
    const { updates_s, p50_ms, p99_ms, srv_cpu, open, disconnects } = window
    const cost = { user_us_per_event: round(user_us), system_us_per_event: round(system_us) }
    const ours = { offered_s: rate * spec.clients, updates_s, p50_ms, p99_ms, srv_cpu, open, disconnects, ...cost }
    const ok = open === spec.clients && disconnects === 0 && updates_s > 0 && updates_s < ours.offered_s && srv_cpu < 90
    return { ours, goal: { srv_cpu: 90, disconnects: 0 }, ok }
  }

const CLIENTS = [50, 200, 800, 3_200] as const
const CONTRACTS = [1, 4, 16, 64] as const
const RATE = 1_000
const AT = 400

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Microseconds that one more of x costs, by least squares. */
function slope(points: readonly { x: number; us: number }[]): number {
  const [x, us] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.us))]
  const over = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  return points.reduce((sum, point) => sum + (point.x - x) * (point.us - us), 0) / over
}

type Point = { x: number; user_us: number; system_us: number; us: number }

export async function contractCurve({ fanload }: Context) {
  const point = async (x: number, spec: Partial<Spec> & { clients: number }): Promise<Point> => {
    const { user_us, system_us } = await costAt(fanload, spec, RATE, 1.5)
    return { x, user_us: round(user_us), system_us: round(system_us), us: user_us + system_us }
  }
  const byClients: Point[] = []
  for (const clients of CLIENTS) byClients.push(await point(clients, { clients }))
  const byContracts: Point[] = []
  for (const contracts of CONTRACTS) byContracts.push(await point(contracts, { clients: AT, contracts }))
  const [client, contract] = [slope(byClients), slope(byContracts)]
  const shown = (points: readonly Point[]) => points.map(({ x, user_us, system_us }) => ({ x, user_us, system_us }))
  const ours = {
    events_s: RATE,
    by_clients: shown(byClients),
    by_contracts: shown(byContracts),
    us_per_client: round(client, 3),
    us_per_contract: round(contract, 3)
  }
  return { ours, goal: { client_to_contract: 0.1 }, ok: contract > 0 && client <= contract * 0.1 }
}

/** `warm`: seconds until the code of a journal is compiled, which costs more than what it does then. */
const RECORDED = { clients: 400, rate: 5_000, secs: 4, warm: 10 }

/** What an event costs with and without a journal beside the fan-out, turn and turn about, on one core for all threads. */
export async function recording({ fanload }: Context) {
  const costs = { without: [] as number[], recorded: [] as number[] }
  for (const record of [false, true, true, false, false, true, true, false]) {
    const { clients, rate, secs, warm } = RECORDED
    const { user_us, system_us } = await costAt(fanload, { clients, record }, rate, secs, warm)
    costs[record ? 'recorded' : 'without'].push(user_us + system_us)
  }
  const [without, recorded] = [mean(costs.without), mean(costs.recorded)]
  const lost = round(1 - without / recorded, 3)
  const ours = { events_s: RECORDED.rate, us_per_event: round(without), us_per_event_recorded: round(recorded), lost }
  return { ours, goal: { lost: 0.05 }, ok: lost <= 0.05 }
}
