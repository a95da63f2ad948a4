/** REST of what moves and of how long things take: what differs since the last question, and quantiles per hop. */
import type { Breadth, Change } from '@tickwire/protocol'
import { afterEach, expect, test } from 'vitest'
import { observe, openHistogram, spreadOf, turn } from '../../src/connection/histogram.ts'
import type { RestSources } from '../../src/gateway/gateway.ts'
import { startRig, type Rig } from './rig.ts'

const NOW = 1_795_132_800_000
const stamp = (instrument: string) => ({ provider: 'one', instrument, time: NOW, received: NOW })
const change = (instrument: string, moved: number): Change => ({
  type: 'change',
  ...stamp(instrument),
  price: 1,
  windows: { '1m': moved }
})
const histogram = openHistogram()
for (let i = 0; i < 100; i++) observe(histogram, i < 90 ? 4 : 80)

const sources: Partial<RestSources> = {
  providers: () => [],
  hops: () => [
    { hop: 'provider_received', provider: 'one', kind: 'trade', histogram },
    { hop: 'received_published', histogram: openHistogram() }
  ],
  moving: () => ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'],
  groups: () => ['all', 'crypto'],
  mode: 'live',
  ready: () => true,
  startedAt: NOW,
  build: { version: '1' }
}
const rigs: Rig[] = []
async function start(): Promise<Rig> {
  const rig = await startRig({ rest: sources })
  rigs.push(rig)
  return rig
}
afterEach(async () => {
  for (const { gateway } of rigs.splice(0)) await gateway.close(0)
})

test('/v1/changes gives what is known, and to who asks again only what was published since', async () => {
  const { base, plant } = await start()
  plant.publish('change:BTC-USDT', change('BTC-USDT', 1), NOW)
  plant.publish('change:ETH-USDT', change('ETH-USDT', 2), NOW + 5)
  const ask = async (path: string) => (await (await fetch(`${base}${path}`)).json()) as { latest: number; changes: Change[] }
  const first = await ask('/v1/changes')
  expect(first.changes.map(({ instrument, windows }) => [instrument, windows['1m']])).toEqual([
    ['BTC-USDT', 1],
    ['ETH-USDT', 2]
  ])
  expect(await ask(`/v1/changes?since=${first.latest}`)).toEqual({ latest: NOW + 5, changes: [] })
  plant.publish('change:BTC-USDT', change('BTC-USDT', 3), NOW + 9)
  expect(await ask(`/v1/changes?since=${first.latest}`)).toMatchObject({ latest: NOW + 9, changes: [{ windows: { '1m': 3 } }] })
  expect((await fetch(`${base}/v1/changes?since=yesterday`)).status).toBe(400)
})

test('/v1/breadth names the groups and gives those of which anything is known', async () => {
  const { base, plant } = await start()
  const counts = { window: '5m', advancing: 1, declining: 2, unchanged: 0, mean: 0, median: 0 }
  const breadth: Breadth = { type: 'breadth', ...stamp('crypto'), ...counts }
  plant.publish('breadth:crypto', breadth, NOW)
  expect(await (await fetch(`${base}/v1/breadth`)).json()).toMatchObject({
    latest: NOW,
    groups: ['all', 'crypto'],
    breadth: [{ instrument: 'crypto', advancing: 1, declining: 2 }]
  })
})

test('/v1/latency gives quantiles per hop and provider, /metrics the same as histograms in seconds', async () => {
  const { base } = await start()
  const { hops } = (await (await fetch(`${base}/v1/latency`)).json()) as { hops: Record<string, unknown>[] }
  expect(hops).toMatchObject([{ hop: 'provider_received', provider: 'one', kind: 'trade', count: 100 }])
  expect(hops[0]!['p50']).toBeGreaterThan(3)
  expect(hops[0]!['p50']).toBeLessThanOrEqual(5)
  expect(hops[0]!['p99']).toBeGreaterThan(75)
  const lines = (await (await fetch(`${base}/metrics`)).text()).split('\n')
  for (const line of [
    'tickwire_provider_to_received_seconds_bucket{provider="one",kind="trade",le="0.005"} 90',
    'tickwire_provider_to_received_seconds_bucket{provider="one",kind="trade",le="+Inf"} 100',
    'tickwire_provider_to_received_seconds_sum{provider="one",kind="trade"} 1.16',
    'tickwire_received_to_published_seconds_count 0'
  ])
    expect(lines).toContain(line)
})

test('the quantiles of a histogram are of the last one to two minutes, its counts of all time', () => {
  const own = openHistogram()
  turn(own, 0)
  observe(own, 1_000)
  turn(own, 60_000)
  observe(own, 1)
  expect(spreadOf(own)?.count).toBe(2)
  turn(own, 120_000)
  expect(spreadOf(own)).toMatchObject({ count: 1, p99: expect.closeTo(1, 1) as number })
  turn(own, 180_000)
  expect(spreadOf(own)).toBeUndefined()
  expect(own.counts.reduce((sum, n) => sum + n, 0)).toBe(2)
})
