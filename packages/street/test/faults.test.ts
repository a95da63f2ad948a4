import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Street } from '../src/street.ts'
import { open, street as createStreet, until } from './client.ts'

let street: Street
let wsUrl = ''
let restUrl = ''
beforeAll(async () => {
  street = createStreet({ providers: ['coinbase'] })
  ;({ wsUrl, restUrl } = (await street.start())['coinbase']!)
})
afterEach(() => street.fault('coinbase', 'heal'))
afterAll(() => street.stop())

const channels = ['heartbeats', 'ticker', 'market_trades', 'level2']
/** Coinbase numbers every message of a connection, so what is lost, twice or misplaced shows. */
const connect = async () => {
  const client = await open(
    wsUrl,
    ...channels.map((channel) => ({ type: 'subscribe', channel, product_ids: ['BTC-USD', 'ETH-USD', 'BTC-USDT'] }))
  )
  await client.first((text) => text.includes('"level2"'))
  return client
}
const numbers = (texts: readonly string[]): number[] => texts.map((text) => Number(JSON.parse(text).sequence_num))
const inOrder = (found: readonly number[]) => found.every((number, i) => i === 0 || number === found[i - 1]! + 1)

const parses = (text: string) => {
  try {
    return typeof JSON.parse(text).sequence_num === 'number'
  } catch {
    return false
  }
}
const lag = (text: string) => Date.now() - Date.parse(JSON.parse(text).timestamp)

test('drop cuts every connection, and the next one lives', async () => {
  const client = await connect()
  street.fault('coinbase', 'drop')
  await until(() => client.closed() !== undefined)
  await (await connect()).more(10)
})
test('refuse cuts new connections and leaves the open ones', async () => {
  const client = await connect()
  street.fault('coinbase', 'refuse')
  const next = await open(wsUrl)
  await until(() => next.closed() !== undefined)
  await client.more(5)
  expect(client.closed()).toBeUndefined()
})
test('a stall sends nothing, and afterwards everything, in order', async () => {
  const client = await connect()
  street.fault('coinbase', 'stall')
  // What was under way when it began has arrived once nothing came for 20 times the usual gap between messages.
  let before = -1
  let quietSince = Date.now()
  await until(() => {
    if (client.texts.length !== before) quietSince = Date.now()
    before = client.texts.length
    return Date.now() - quietSince > 500
  })
  street.fault('coinbase', 'heal')
  await until(() => client.texts.length > before + 10)
  expect(inOrder(numbers(client.texts))).toBe(true)
})
test('a half-open connection is mute and deaf though its socket stays, even when the fault is healed', async () => {
  const client = await connect()
  street.fault('coinbase', 'half-open')
  street.fault('coinbase', 'heal')
  await (await connect()).more(20)
  const before = client.texts.length
  client.send({ type: 'subscribe', channel: 'status' })
  await (await connect()).more(20)
  expect(client.texts.length).toBe(before)
  expect(client.closed()).toBeUndefined()
})
test('garbage mangles some messages and spares others', async () => {
  const client = await connect()
  street.fault('coinbase', 'garbage')
  await client.first((text) => !parses(text))
  const from = client.texts.length
  await until(() => client.texts.slice(from).some(parses))
})
test('duplicate sends some messages twice', async () => {
  const client = await connect()
  street.fault('coinbase', 'duplicate')
  await until(() => numbers(client.texts).some((number, i, all) => i > 0 && number === all[i - 1]))
})
test('reorder lets messages change places and loses none', async () => {
  const client = await connect()
  street.fault('coinbase', 'reorder')
  await until(() => numbers(client.texts).some((number, i, all) => i > 0 && number === all[i - 1]! - 1))
  street.fault('coinbase', 'heal')
  await client.more(5)
  const sorted = numbers(client.texts).sort((a, b) => a - b)
  expect(inOrder(sorted)).toBe(true)
})
test('gap loses messages', async () => {
  const client = await connect()
  street.fault('coinbase', 'gap')
  await until(() => !inOrder(numbers(client.texts)))
  expect(new Set(client.texts).size).toBe(client.texts.length)
})
test('slow delays every message and keeps their order', async () => {
  const client = await connect()
  let most = 0
  client.socket.addEventListener('message', ({ data }) => (most = Math.max(most, lag(String(data)))))
  street.fault('coinbase', 'slow')
  await until(() => most >= 800)
  street.fault('coinbase', 'heal')
  await client.more(10)
  expect(inOrder(numbers(client.texts))).toBe(true)
})
test('slow ends in traffic: what comes after the delay is prompt again, in order', async () => {
  const client = await connect()
  street.fault('coinbase', 'slow', 900)
  const lags: number[] = []
  client.socket.addEventListener('message', ({ data }) => lags.push(lag(String(data))))
  await until(() => lags.some((ms) => ms >= 800))
  // The traffic is far denser than one message in the delay, so there is always one under way.
  await until(() => lags.length > 20 && lags.slice(-10).every((ms) => ms < 400))
  expect(inOrder(numbers(client.texts))).toBe(true)
})
test('throttle answers REST with 429 and when to come back', async () => {
  street.fault('coinbase', 'throttle')
  const response = await fetch(`${restUrl}/market/products`)
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1'])
  street.fault('coinbase', 'heal')
  expect((await fetch(`${restUrl}/market/products`)).status).toBe(200)
})
test('a port that is taken is an error at start that names it', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await until(() => taken.listening)
  const { port } = taken.address() as AddressInfo
  const other = createStreet({ providers: ['kraken'], ports: { kraken: port } })
  await expect(other.start()).rejects.toThrow(String(port))
  await other.stop()
  taken.close()
})
