import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { open, street as createStreet, until } from './client.ts'

const captures = fileURLToPath(new URL('../../../captures', import.meta.url))
const linesOf = (file: string): string[] => {
  const bytes = readFileSync(`${captures}/${file}`)
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}

test.each([
  ['binance', 'binance/spot-2021-10-12.jsonl', [{ method: 'SUBSCRIBE', params: ['nknusdt@depth@100ms'], id: 1 }], 1],
  ['coinbase', 'coinbase/advanced-2026-08-09.jsonl.gz', [{ type: 'subscribe', channel: 'ticker', product_ids: ['BTC-USD'] }], 0],
  [
    'kraken',
    'kraken/derived-v2-v1-2021-04-17-book1000.jsonl',
    [{ method: 'subscribe', params: { channel: 'book', symbol: ['XMR/USD'], depth: 100 }, req_id: 1 }],
    2
  ]
])(
  'the recorded session of %s is played unchanged, in order, and ends with a close',
  async (provider, file, requests, controls) => {
    const street = createStreet({ capture: provider, speed: 1_000 })
    const { wsUrl } = (await street.start())[provider]!
    const client = await open(wsUrl, ...requests)
    await until(() => client.closed() !== undefined)
    expect(client.texts.slice(controls)).toEqual(linesOf(file))
    expect(client.closed()).toEqual({ code: 1001 })
    await street.stop()
  }
)

test('frames come at their recorded distances, divided by the speed', async () => {
  const street = createStreet({ capture: 'binance', speed: 20 })
  const { wsUrl } = (await street.start())['binance']!
  const client = await open(wsUrl, { method: 'SUBSCRIBE', params: ['nknusdt@depth@100ms'], id: 1 })
  const came: number[] = []
  client.socket.addEventListener('message', () => came.push(performance.now()))
  await until(() => client.closed() !== undefined)
  const recorded = linesOf('binance/spot-2021-10-12.trace.jsonl').flatMap((line) => {
    const { t, ts } = JSON.parse(line)
    return t === 'recv' ? [ts * 1_000] : []
  })
  const last = Math.min(came.length, recorded.length) - 1
  const expected = (recorded[last]! - recorded[0]!) / 20
  expect(came.at(-1)! - came.at(-1 - last)!).toBeGreaterThan(expected * 0.9)
  expect(came.at(-1)! - came.at(-1 - last)!).toBeLessThan(expected * 1.1 + 250)
  await street.stop()
})

test('REST answers with what it answered that day, by symbol', async () => {
  const street = createStreet({ capture: 'binance' })
  const { restUrl } = (await street.start())['binance']!
  const depth = await (await fetch(`${restUrl}/api/v3/depth?symbol=BLZETH&limit=100`)).json()
  expect(depth).toMatchObject({ lastUpdateId: 281_916_627 })
  const listing = (await (await fetch(`${restUrl}/api/v3/exchangeInfo`)).json()) as { symbols: unknown[] }
  expect(listing.symbols.length).toBeGreaterThan(1_000)
  expect((await fetch(`${restUrl}/api/v3/depth?symbol=ZZZ`)).status).toBe(404)
  await street.stop()
})

test('the recording tells what it holds, and an unknown one is refused by name', () => {
  expect(createStreet({ capture: 'coinbase' }).watch).toEqual(['BTC-USD', 'ETH-USD'])
  expect(() => createStreet({ capture: 'nasdaq' })).toThrow(
    /no recorded session of "nasdaq"; there is one of binance, coinbase, kraken/
  )
  expect(() => createStreet({ capture: 'binance', speed: 0 })).toThrow(/speed is 0/)
  expect(() => createStreet({ capture: 'binance', captures: '/nowhere' })).toThrow(/spot-2021-10-12.jsonl is missing/)
})
