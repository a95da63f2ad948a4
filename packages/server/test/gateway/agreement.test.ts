/** One contract, two ways to ask for it: what a subscribe takes an address takes as well, and the other way round. */
import { afterEach, expect, test } from 'vitest'
import type { AskedContract } from '@tickwire/protocol'
import { readMessage } from '../../src/dialects/native-schema.ts'
import { connect, startRig, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})
const TOPIC = 'quote:BTC-USDT'

const CONTRACTS: readonly Record<string, unknown>[] = [
  { delivery: 'latest' },
  { delivery: 'none' },
  { delivery: 'sampled' },
  { delivery: 'sampled', interval: 100 },
  { delivery: 'sampled', interval: 99 },
  { delivery: 'sampled', interval: 60_001 },
  { delivery: 'sampled', interval: 500.5 },
  { delivery: 'sampled', interval: 'often' },
  { delivery: 'sampled', maxRate: 2 },
  { delivery: 'every', interval: 1_000 },
  { interval: 1_000 },
  { maxRate: 1 / 60 },
  { maxRate: 0.5 },
  { maxRate: 0.016 },
  { maxRate: 5_000 },
  { maxRate: -1 },
  { maxRate: 'x' },
  { maxAge: 0 },
  { maxAge: -5 },
  { maxAge: 0.5 },
  { maxAge: 1e9 },
  { fields: 'lite' },
  { fields: ['bid', 'ask'] },
  { fields: ['b1d'] },
  { fields: Array.from({ length: 64 }, (_, i) => `f${'abcdefghij'[i % 10]}`) },
  { fields: Array.from({ length: 65 }, () => 'bid') },
  { bogus: 1 },
  { maxrate: 5 }
]

test('[S1] a contract in the address of a stream is taken where a subscribe takes it, with the same in force; else both name the field', async () => {
  const { base, url } = (rig = await startRig())
  const client = await connect(url)
  let nth = 0
  const seen = { taken: 0, refused: 0 }
  for (const contract of CONTRACTS) {
    const read = readMessage(JSON.stringify({ op: 'subscribe', topics: [TOPIC], contract }))
    const query = Object.entries(contract).map(([name, value]) => `${name}=${String(value)}`)
    const answer = await fetch(`${base}/v1/events?topics=${TOPIC}&${query.join('&')}`)
    expect(answer.status, JSON.stringify(contract)).toBe(read.ok ? 200 : 400)
    seen[read.ok ? 'taken' : 'refused']++
    if (!read.ok) {
      const [field = ''] = Object.keys(contract).slice(-1)
      const { error } = (await answer.json()) as { error: { message: string } }
      const named = contract.delivery === 'sampled' && contract.interval === undefined ? 'interval' : field
      expect(error.message).toMatch(new RegExp(`^${named}: `))
      expect(read.message).toContain(named)
      continue
    }
    const reader = answer.body!.getReader()
    let text = ''
    while (!text.includes('\n\n', text.indexOf('event: subscribed')) || !text.includes('subscribed'))
      text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    const told = JSON.parse(/data: (.*)/.exec(text)![1]!) as { results: { contract: AskedContract }[] }
    client.send({ op: 'subscribe', topics: [TOPIC], contract, notices: false })
    const { results } = await client.message('subscribed', nth++)
    expect(told.results[0]!.contract).toEqual((results[0] as { contract: AskedContract }).contract)
  }
  expect(seen).toEqual({ taken: 11, refused: 17 })
  client.ws.terminate()
})

test('a parameter that there is not is refused by its name, of a stream and of the last values', async () => {
  const { base } = (rig = await startRig())
  for (const path of ['/v1/events', '/v1/last'])
    for (const [query, names] of [
      ['bogus=1', 'bogus'],
      ['Fields=bid', 'Fields'],
      ['last-event-id=x&token=y', 'last-event-id, token']
    ] as const) {
      const answer = await fetch(`${base}${path}?topics=${TOPIC}&${query}`)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        error: { code: 'BAD_MESSAGE', message: expect.stringContaining(`${names}: not known here; there are topics, `) }
      })
    }
})
