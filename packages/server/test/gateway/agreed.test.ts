/** What a client and the running server agree on: contracts, encodings, compression, digests. */
import { decode, encode } from '@msgpack/msgpack'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { digestAfter, digestOf, type Published, type Quote, type ServerMessage } from '@tickwire/protocol'
import { connect, startRig, tradeOf, type Client, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
const clients: WebSocket[] = []
afterEach(async () => {
  for (const ws of clients.splice(0)) ws.terminate()
  await rig?.gateway.close(0)
  rig = undefined
})
const enter = async (url: string): Promise<Client> => {
  const client = await connect(url)
  clients.push(client.ws)
  return client
}

const TRADE = 'trade:BTC-USDT'
const QUOTE = 'quote:BTC-USDT'
const quoteAt = (bid: number): Quote => ({
  type: 'quote',
  provider: 'one',
  instrument: 'BTC-USDT',
  time: 1,
  received: Date.now(),
  bid,
  bidSize: 1,
  ask: bid + 1,
  askSize: 1
})
const trade = ({ plant }: Rig) => plant.publish(TRADE, tradeOf('BTC-USDT', 1), Date.now())
const quote = ({ plant }: Rig) => plant.publish(QUOTE, quoteAt(1), Date.now())

describe('contracts', () => {
  test('are answered per topic with what is in force, and are changed by subscribing again', async () => {
    const own = await start()
    const client = await enter(own.url)
    const contract = { delivery: 'sampled', interval: 5_000, fields: ['bid', 'ask', 'bid'], maxAge: 3_000 }
    const topics = [QUOTE, 'halt:BTC-USDT', 'trade:NOPE']
    client.send({ op: 'subscribe', topics, contract, notices: false })
    expect((await client.message('subscribed')).results).toMatchObject([
      { topic: QUOTE, contract: { delivery: 'sampled', interval: 5_000, fields: ['ask', 'bid'], maxAge: 3_000 } },
      { topic: 'halt:BTC-USDT', contract: { delivery: 'every', fields: ['ask', 'bid'] } },
      { ok: false, code: 'BAD_SYMBOL' }
    ])
    quote(own)
    quote(own)
    // What a sampled topic had for its next time comes before the answer that changes it.
    client.send({ op: 'subscribe', topics: [QUOTE], contract: { fields: 'lite' }, notices: false })
    expect((await client.message('subscribed', 1)).results).toMatchObject([
      { contract: { delivery: 'every', fields: 'lite' }, position: { seq: 2 } }
    ])
    const [sampled] = client.events()
    expect(Object.keys(sampled!).toSorted()).toEqual(['ask', 'bid', 'published', 'seq', 'topic', 'type'])
    expect(sampled!.seq).toBe(2)
    quote(own)
    await client.until(() => client.events().length === 2)
    expect(client.events()[1]).toMatchObject({ seq: 3, provider: 'one', bidSize: 1 })
    // Without a contract the one that is held stays.
    client.send({ op: 'subscribe', topics: [QUOTE], notices: false })
    expect((await client.message('subscribed', 2)).results).toMatchObject([{ contract: { delivery: 'every', fields: 'lite' } }])
  })

  test.for([
    [{ maxRate: 5 }, { delivery: 'sampled', interval: 200 }],
    [{ maxRate: 50 }, { delivery: 'sampled', interval: 100 }],
    [
      { delivery: 'sampled', interval: 2_000, maxRate: 5 },
      { delivery: 'sampled', interval: 2_000 }
    ],
    [
      { delivery: 'latest', maxRate: 0.1 },
      { delivery: 'sampled', interval: 10_000 }
    ],
    [{}, { delivery: 'every' }],
    [undefined, { delivery: 'every' }]
  ] as const)('%o is %o', async ([contract, inForce]) => {
    const own = await start()
    const client = await enter(own.url)
    client.send({ op: 'subscribe', topics: [QUOTE], ...(contract && { contract }), notices: false })
    const [result] = (await client.message('subscribed')).results
    expect(result).toMatchObject({ ok: true })
    expect(result!.ok && result!.contract).toEqual(inForce)
  })

  test('of topics that are sampled a resume is given the newest alone, and is recovered', async () => {
    const own = await start()
    for (let n = 0; n < 5; n++) trade(own)
    const client = await enter(own.url)
    const resume = { [TRADE]: { epoch: 'e1', seq: 2 } }
    client.send({ op: 'subscribe', topics: [TRADE], contract: { delivery: 'latest' }, resume, notices: false })
    expect((await client.message('subscribed')).results).toMatchObject([{ recovered: true, position: { seq: 5 } }])
    await client.until(() => client.events().length > 0)
    expect(client.events().map(({ seq }) => seq)).toEqual([5])
  })
})

describe('digests', () => {
  const fold = (client: Client, topic: string, from = digestOf('e1', topic)) =>
    client.events().reduce((digest, event) => (event.topic === topic ? digestAfter(digest, event) : digest), from)

  test('a client that folds what it was given comes to the digest it is told, asked for or with a ping', async () => {
    const own = await start({ limits: { heartbeat: { interval: 1_000, deadline: 8_000 } } })
    const client = await enter(own.url)
    client.send({ op: 'subscribe', topics: [TRADE, QUOTE], notices: false })
    const { results } = await client.message('subscribed')
    expect(results).toMatchObject([{ position: { seq: 0, digest: digestOf('e1', TRADE) } }, { position: { seq: 0 } }])
    for (let n = 0; n < 7; n++) trade(own)
    client.send({ op: 'digest', id: 'now' })
    const told = await client.message('digest')
    expect(told).toMatchObject({ id: 'now', digests: { [TRADE]: [7, fold(client, TRADE)], [QUOTE]: [0, digestOf('e1', QUOTE)] } })
    expect(client.events().length, 'all that it speaks of came before').toBe(7)
    await client.message('ping')
    const before = client.said.filter((each) => 'op' in each && each.op === 'digest').length
    trade(own)
    await client.message('ping', 1)
    const more = client.said.filter((each) => 'op' in each && each.op === 'digest').slice(before)
    expect(more).toEqual([{ op: 'digest', digests: { [TRADE]: [8, fold(client, TRADE)] } }])
  })

  test('a resume whose digest is not ours is not recovered, one whose digest is ours is', async () => {
    const own = await start()
    for (let n = 0; n < 5; n++) trade(own)
    const digest = own.plant.digestAt(TRADE, 3)!
    for (const [claimed, recovered] of [
      [digest, true],
      [(digest + 1) >>> 0, false]
    ] as const) {
      const client = await enter(own.url)
      const resume = { [TRADE]: { epoch: 'e1', seq: 3, digest: claimed } }
      client.send({ op: 'subscribe', topics: [TRADE], resume, notices: false })
      expect((await client.message('subscribed')).results).toMatchObject([
        { recovered, position: { seq: 5, digest: own.plant.digestAt(TRADE, 5) } }
      ])
      await client.until(() => client.events().at(-1)?.seq === 5)
      expect(client.events().map(({ seq }) => seq)).toEqual(recovered ? [4, 5] : [5])
    }
  })
})

type Said = { value: ServerMessage | Published[]; binary: boolean }
/** A client that tells bytes from text. */
async function listen(url: string, options: { perMessageDeflate: boolean }) {
  const ws = new WebSocket(url, options)
  clients.push(ws)
  const said: Said[] = []
  ws.on('message', (data: Buffer, binary) =>
    said.push({ value: (binary ? decode(data) : JSON.parse(data.toString())) as Said['value'], binary })
  )
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const events = () => said.flatMap(({ value }) => (Array.isArray(value) ? value : []))
  const until = (look: () => boolean) => expect.poll(look, { timeout: 30_000, interval: 5 }).toBe(true)
  return { ws, said, events, until }
}

describe('encodings', () => {
  test('after a hello that asks for MessagePack everything is binary and the same; either form is understood', async () => {
    const own = await start()
    const plain = await enter(own.url)
    plain.send({ op: 'subscribe', topics: [TRADE], notices: false })
    const client = await listen(own.url, { perMessageDeflate: false })
    client.ws.send(JSON.stringify({ op: 'hello', version: 1, encoding: 'msgpack' }))
    client.ws.send(encode({ op: 'subscribe', id: 1, topics: [TRADE], notices: false }))
    client.ws.send(JSON.stringify({ op: 'ping', id: 2 }))
    await client.until(() => client.said.length === 3)
    trade(own)
    trade(own)
    await client.until(() => client.events().length === 2)
    await plain.until(() => plain.events().length === 2)
    expect(client.said.map(({ binary }) => binary)).toEqual(client.said.map((_, n) => n > 0))
    expect(client.said.slice(1, 3).map(({ value }) => 'op' in value && value.op)).toEqual(['subscribed', 'pong'])
    expect(client.events()).toEqual(plain.events())
    client.ws.send(JSON.stringify({ op: 'hello', version: 1, encoding: 'json' }))
    client.ws.send(JSON.stringify({ op: 'ping', id: 3 }))
    await client.until(() => client.said.some(({ value, binary }) => !binary && 'op' in value && value.op === 'pong'))
    trade(own)
    await client.until(() => client.events().length === 3)
    expect(client.said.at(-1)!.binary).toBe(false)
  })

  test('bytes that are no MessagePack close with 1003, also where nobody asked for it', async () => {
    const own = await start()
    const client = await enter(own.url)
    client.ws.send(encode({ op: 'ping' }))
    expect((await client.closed()).code).toBe(1003)
  })
})

describe('compression', () => {
  test('is agreed without takeover, so that all are sent the same bytes; who does not ask for it has none; both read the same', async () => {
    const own = await start()
    const [plain, ...small] = await Promise.all(
      [false, true, true].map((perMessageDeflate) => listen(own.url, { perMessageDeflate }))
    )
    expect(plain!.ws.extensions).toBe('')
    for (const { ws } of small) expect(ws.extensions).toBe('permessage-deflate')
    const all = [plain!, ...small]
    const message = JSON.stringify({ op: 'subscribe', topics: [TRADE], notices: false, padding: 'x'.repeat(2_000) })
    for (const { ws } of all) ws.send(message)
    for (const { said, until } of all) await until(() => said.length === 2)
    for (let n = 0; n < 500; n++) trade(own)
    for (const { events, until } of all) await until(() => events().length === 500)
    for (const { events } of small) expect(events()).toEqual(plain!.events())
    // A second compressed message, after the inflating memory of the first was given back.
    for (const { ws } of all) ws.send(message)
    for (const { said, until } of all)
      await until(() => said.filter(({ value }) => 'op' in value && value.op === 'subscribed').length === 2)
    const { bytesRead: wide } = socketOf(plain!.ws)
    for (const { ws } of small) expect(socketOf(ws).bytesRead).toBeLessThan(wide / 4)
  })

  test('can be switched off', async () => {
    const own = await start({ compression: false })
    const client = await listen(own.url, { perMessageDeflate: true })
    expect(client.ws.extensions).toBe('')
  })
})

const socketOf = (ws: WebSocket): { bytesRead: number } => (ws as unknown as { _socket: { bytesRead: number } })._socket
