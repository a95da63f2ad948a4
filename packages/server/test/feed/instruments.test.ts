import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createInstruments } from '../../src/feed/instruments.ts'
import { distance } from '../../src/nearest.ts'
import type { Listing } from '../../src/providers/adapter.ts'

const row = (symbol: string, base: string, quote?: string, more: Partial<Listing> = {}): Listing => ({
  symbol,
  base,
  ...(quote === undefined ? {} : { quote }),
  trading: true,
  ...more
})

const open = () => {
  const instruments = createInstruments()
  instruments.add('north', [
    row('BTCUSDT', 'BTC', 'USDT', { priceDecimals: 2 }),
    row('ETHUSDT', 'ETH', 'USDT'),
    row('ETHBTC', 'ETH', 'BTC')
  ])
  instruments.add('south', [
    row('XBT/USDT', 'XBT', 'USDT', { priceDecimals: 1, aliases: ['XBTUSDT', 'XXBTUSDT'] }),
    row('XDG/USD', 'XDG', 'USD'),
    row('AAPLx/USD', 'AAPLx', 'USD')
  ])
  instruments.add('east', [row('AAPL', 'AAPL', undefined, { name: 'Apple Inc.' }), row('NSE:SBIN-EQ', 'NSE:SBIN-EQ')])
  return instruments
}

describe('instruments', () => {
  test.each([
    ['BTCUSDT', 'BTC-USDT'],
    ['btc/usdt', 'BTC-USDT'],
    ['XBT/USDT', 'BTC-USDT'],
    ['BTC-USDT', 'BTC-USDT'],
    ['btc_usdt', 'BTC-USDT'],
    ['  btc usdt ', 'BTC-USDT'],
    ['xbtusdt', 'BTC-USDT'],
    ['xxbtusdt', 'BTC-USDT'],
    ['XBT-USDT', 'BTC-USDT'],
    ['eth.xbt', 'ETH-BTC'],
    ['DOGEUSD', 'DOGE-USD'],
    ['doge/usd', 'DOGE-USD'],
    ['xdg-usd', 'DOGE-USD'],
    ['aapl', 'AAPL'],
    ['AAPLx/USD', 'AAPLx-USD'],
    ['aaplxusd', 'AAPLx-USD'],
    ['nse:sbin-eq', 'NSE:SBIN-EQ']
  ])('%s means %s', (typed, instrument) => {
    expect(open().resolve(typed)).toEqual({ ok: true, instrument })
  })

  test.each([
    ['BTCUSTD', 'BTC-USDT'],
    ['BTC', 'BTC-USDT'],
    ['ETHUSDC', 'ETH-USDT'],
    ['APPL', 'AAPL'],
    ['dog/usd', 'DOGE-USD']
  ])('%s is unknown, and %s is the first of the nearest names', (typed, nearest) => {
    const result = open().resolve(typed)
    expect(result).toMatchObject({ ok: false })
    expect(!result.ok && result.nearest[0]).toBe(nearest)
  })

  test('a joined spelling of two instruments is not guessed: both are named', () => {
    const instruments = createInstruments()
    instruments.add('a', [row('AB-USD', 'AB', 'USD'), row('A-BUSD', 'A', 'BUSD')])
    expect(instruments.resolve('ABUSD')).toEqual({ ok: false, nearest: ['AB-USD', 'A-BUSD'] })
    expect(instruments.resolve('ab/usd')).toEqual({ ok: true, instrument: 'AB-USD' })
  })

  test('a provider’s symbol is split by its listing, never by a substring', () => {
    const instruments = createInstruments()
    instruments.add('a', [row('BTCBUSD', 'BTC', 'BUSD')])
    expect(instruments.resolve('btcbusd')).toEqual({ ok: true, instrument: 'BTC-BUSD' })
    expect(instruments.resolve('BTCB-USD')).toMatchObject({ ok: false, nearest: ['BTC-BUSD'] })
  })

  test('maps run both ways per provider, aliases included, and an alias never hides a listed symbol', () => {
    const instruments = open()
    expect(instruments.symbolOf('south', 'BTC-USDT')).toBe('XBT/USDT')
    expect(instruments.instrumentOf('south', 'XXBTUSDT')).toBe('BTC-USDT')
    expect(instruments.symbolOf('east', 'BTC-USDT')).toBeUndefined()
    expect(instruments.instrumentOf('nobody', 'BTCUSDT')).toBeUndefined()
    instruments.add('south', [row('A-USDC', 'A', 'USDC', { aliases: ['A-USD'] }), row('A-USD', 'A', 'USD')])
    expect(instruments.instrumentOf('south', 'A-USD')).toBe('A-USD')
  })

  test('what a provider no longer lists stays known as not trading, until it is listed again', () => {
    const instruments = createInstruments()
    const trading = () => instruments.info('A-USD')!.providers.map((p) => p.trading)
    instruments.add('a', [row('AUSD', 'A', 'USD'), row('BUSD', 'B', 'USD')])
    instruments.add('a', [row('BUSD', 'B', 'USD'), row('CUSD', 'C', 'USD')])
    instruments.add('a', [row('BUSD', 'B', 'USD'), row('CUSD', 'C', 'USD')])
    expect([trading(), instruments.instrumentOf('a', 'AUSD')]).toEqual([[false], 'A-USD'])
    expect(instruments.resolve('C/USD').ok).toBe(true)
    instruments.add('a', [row('AUSD', 'A', 'USD')])
    expect(trading()).toEqual([true])
  })

  test('an unusable listing throws and leaves no trace', () => {
    const instruments = createInstruments()
    expect(() => instruments.add('a', [undefined as unknown as Listing])).toThrow()
    instruments.add('b', [row('AUSD', 'A', 'USD')])
    expect(instruments.resolve('A-USD').ok).toBe(true)
  })

  test('of two symbols of one instrument the traded one is subscribed', () => {
    const instruments = createInstruments()
    instruments.add('a', [row('OLD', 'A', 'USD', { trading: false }), row('NEW', 'A', 'USD')])
    expect(instruments.symbolOf('a', 'A-USD')).toBe('NEW')
    expect(instruments.instrumentOf('a', 'OLD')).toBe('A-USD')
  })

  test('an instrument tells who carries it, with the most decimals any of them has', () => {
    expect(open().info('BTC-USDT')).toEqual({
      instrument: 'BTC-USDT',
      base: 'BTC',
      quote: 'USDT',
      priceDecimals: 2,
      providers: [
        { provider: 'north', symbol: 'BTCUSDT', trading: true },
        { provider: 'south', symbol: 'XBT/USDT', trading: true }
      ]
    })
    expect(open().info('AAPL')).toMatchObject({ base: 'AAPL', name: 'Apple Inc.' })
    expect(open().all().map((i) => i.instrument)).toContain('NSE:SBIN-EQ') // prettier-ignore
  })

  test('any text at all gets an answer, and names that exist on every object are no instruments', () => {
    const instruments = open()
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => typeof instruments.resolve(text).ok === 'boolean'))
    for (const text of ['__proto__', 'constructor', 'toString', '', ' ', '-', '/', 'x'.repeat(100_000)])
      expect(instruments.resolve(text).ok).toBe(false)
  })

  test('edit distance is a metric for which a swap of neighbours is one edit', () => {
    expect(distance('BTCUSTD', 'BTCUSDT')).toBe(1)
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, b) === 0).toBe(a === b)
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      })
    )
  })
})

describe('a provider without a listing', () => {
  const identify = (text: string) => (/^[A-Z]{1,5}$/.test(text) ? { symbol: `${text}.X`, base: text, trading: true } : undefined)

  test('is asked by the grammar of its symbols, and understood when it answers', () => {
    const instruments = createInstruments()
    instruments.learn('grammar', identify)
    expect(instruments.resolve('aapl')).toEqual({ ok: true, instrument: 'AAPL' })
    expect(instruments.symbolOf('grammar', 'AAPL')).toBe('AAPL.X')
    expect(instruments.instrumentOf('grammar', 'AAPL.X')).toBe('AAPL')
    expect(instruments.info('AAPL')?.providers).toEqual([{ provider: 'grammar', symbol: 'AAPL.X', trading: true }])
  })

  test('is asked for nothing that its grammar does not know', () => {
    const instruments = createInstruments()
    instruments.learn('grammar', identify)
    expect(instruments.resolve('BTC-USDT').ok).toBe(false)
    expect(instruments.symbolOf('grammar', 'BTC-USDT')).toBeUndefined()
  })
})

test('a derivative has its contract as the third part of its id', () => {
  const instruments = createInstruments()
  instruments.add('a', [
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', contract: 'PERP', trading: true },
    { symbol: 'BTCUSD_261225', base: 'BTC', quote: 'USD', contract: 'INVERSE-261225', trading: true }
  ])
  expect(instruments.instrumentOf('a', 'BTCUSDT')).toBe('BTC-USDT-PERP')
  expect(instruments.symbolOf('a', 'BTC-USD-INVERSE-261225')).toBe('BTCUSD_261225')
  expect(instruments.resolve('BTC-USDT').ok).toBe(false)
})
