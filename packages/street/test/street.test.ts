import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import type { Addresses, Street } from '../src/street.ts'
import { open, street as createStreet, until } from './client.ts'

let street: Street
let addresses: Addresses
beforeAll(async () => {
  street = createStreet()
  addresses = await street.start()
})
afterAll(() => street.stop())

describe('each provider is served in its own protocol, on its own path', () => {
  test.each([
    ['binance', [{ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 }], /"e":"trade"/],
    ['coinbase', [{ type: 'subscribe', channel: 'market_trades', product_ids: ['BTC-USD'] }], /"type":"update"/],
    ['kraken', [{ method: 'subscribe', params: { channel: 'trade', symbol: ['BTC/USD'] } }], /"channel":"trade","type":"update"/],
    [
      'alpaca',
      [
        { action: 'auth', key: 'k', secret: 's' },
        { action: 'subscribe', quotes: ['*', 'AAPL', 'TSLA'] }
      ],
      /"T":"q"/
    ]
  ])('%s', async (provider, requests, expected) => {
    const client = await open(addresses[provider]!.wsUrl, ...requests)
    expect(await client.first((text) => expected.test(text))).toMatch(expected)
    client.socket.close()
  })

  test.each(Object.keys(adapters).filter((provider) => ['binance', 'coinbase', 'kraken', 'alpaca'].includes(provider)))(
    'the adapter of %s understands every frame of its street, its listing and its candles',
    async (provider) => {
      const adapter = adapters[provider]!
      const { wsUrl, restUrl } = addresses[provider]!
      const session = adapter.open({ key: 'k', secret: 's' }, '')
      const ask = async (need: { path: string; purpose: 'listing' | 'history'; symbol?: string; interval?: '1m' }) =>
        adapter.decode(await (await fetch(restUrl + need.path)).text(), Date.now(), session, { type: 'need', ...need })
      const [listing] = await ask({ path: adapter.listing!, purpose: 'listing' })
      if (listing?.type !== 'listing') throw new Error('no listing')
      const symbols = listing.rows.map(({ symbol }) => symbol)
      const candles = await ask({ ...adapter.history!(symbols[0]!, '1m', 50, Date.now(), {}), purpose: 'history' } as never)
      expect(candles.filter(({ type }) => type === 'candle').length).toBeGreaterThan(10)

      const client = await open(wsUrl)
      const wanted = symbols.flatMap((symbol) =>
        adapter.kinds
          .filter((kind) => kind !== 'candle' && adapter.carries?.({ kind, symbol }) !== false)
          .map((kind) => ({ kind, symbol }))
      )
      for (const frame of [...(adapter.greet?.(session) ?? []), ...adapter.subscribe(wanted, session)])
        client.socket.send(frame as string)
      const types = new Set<string>()
      let read = 0
      await until(() => {
        for (const text of client.texts.slice(read, (read = client.texts.length)))
          for (const meaning of adapter.decode(text, Date.now(), session)) {
            types.add(meaning.type)
            if (meaning.type === 'reply') client.socket.send(meaning.frame as string)
            if (['refused', 'reject', 'gap'].includes(meaning.type)) throw new Error(`${meaning.type}: ${text.slice(0, 300)}`)
          }
        return read > 40
      })
      expect([...types]).toEqual(expect.arrayContaining(['ack', 'trade', 'quote']))
      client.socket.close()
    }
  )
})

describe('killing and reviving', () => {
  test('a killed provider cuts its clients and refuses new ones, and comes back on the same port', async () => {
    const { wsUrl } = addresses['kraken']!
    const client = await open(wsUrl)
    await street.kill('kraken')
    await until(() => client.closed() !== undefined)
    await expect(open(wsUrl)).rejects.toThrow('refuses')
    const others = await open(addresses['coinbase']!.wsUrl)
    others.socket.close()
    await street.revive('kraken')
    const again = await open(wsUrl)
    expect(await again.first((text) => text.includes('"channel":"status"'))).toContain('online')
    again.socket.close()
  })
})

const post = (path: string) => fetch(street.control + path, { method: 'POST' })

describe('the control endpoint', () => {
  test('lists providers, addresses and active faults, and sets and heals them', async () => {
    expect((await post('/street/binance/slow?for=60000')).status).toBe(200)
    const { providers } = (await (await fetch(`${street.control}/street`)).json()) as { providers: any[] }
    expect(providers.find(({ provider }) => provider === 'binance')).toMatchObject({
      ...addresses['binance'],
      open: true,
      faults: [{ fault: 'slow', until: expect.any(Number) }]
    })
    await post('/street/binance/heal')
    expect(street.report().every(({ faults }) => faults.length === 0)).toBe(true)
  })
  test.each([
    ['/street/nobody/drop', /no provider of "nobody"; there is one of binance/],
    ['/street/binance/jump', /no fault "jump"; there are drop/],
    ['/street/binance/drop?for=soon', /for is "soon"/]
  ])('%s is refused with a sentence that says what would be right', async (path, message) => {
    const response = await post(path)
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: string }).error).toMatch(message)
  })
  test('a page in a browser cannot pull the levers', async () => {
    const response = await fetch(`${street.control}/street/binance/drop`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' }
    })
    expect(response.status).toBe(403)
  })
})
