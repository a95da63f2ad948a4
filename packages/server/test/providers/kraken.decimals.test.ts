import { expect, test } from 'vitest'
import { kraken } from '../../src/providers/kraken.ts'

const update = JSON.stringify({
  channel: 'book',
  type: 'update',
  data: [{ symbol: 'BTC/USD', bids: [{ price: 1, qty: 2 }], asks: [], checksum: 1, timestamp: '2026-01-07T15:00:00.000000Z' }]
})
const decimals = JSON.stringify({
  channel: 'instrument',
  type: 'snapshot',
  data: { pairs: [{ symbol: 'BTC/USD', price_precision: 1, qty_precision: 8 }] }
})
const START = 1_767_798_000_000

test('decimals that do not come are asked for again every five seconds, and no more once they are there', () => {
  const session = kraken.open({}, '')
  const repliesAt = (ms: number) => kraken.decode(update, START + ms, session).filter(({ type }) => type === 'reply').length
  expect([0, 4_900, 5_000, 5_100, 10_000].map(repliesAt)).toEqual([0, 0, 2, 0, 2])
  kraken.decode(decimals, START + 10_100, session)
  expect(repliesAt(20_000)).toBe(0)
  expect(kraken.decode(update, START + 20_000, session)).toMatchObject([{ type: 'delta', checksum: { priceDecimals: 1 } }])
})
