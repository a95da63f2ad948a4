import { expect, test } from 'vitest'
import { fetchCandles, fetchListing, fetchTrades } from '../../src/feed/lookup.ts'
import { venueAdapter } from './venue.ts'

const asked = async (restUrl: string, listingUrl?: string) => {
  const paths: string[] = []
  const adapter = venueAdapter('a', { restUrl: 'https://data.example', ...(listingUrl === undefined ? {} : { listingUrl }) })
  const get = ({ path }: { path: string }) => {
    paths.push(path)
    return Promise.resolve({ ok: false as const, reason: 'only asked' })
  }
  await fetchListing({
    adapter,
    restUrl,
    readAccess: () => ({}),
    rest: { get, quiet: () => undefined, stop: () => undefined },
    clock: () => 0
  })
  return paths
}

test('a listing at an address of its own is asked there, but not once the operator names another REST address', async () => {
  expect(await asked('https://data.example', 'https://lists.example')).toEqual(['https://lists.example/listing'])
  expect(await asked('http://127.0.0.1:9', 'https://lists.example')).toEqual(['/listing'])
  expect(await asked('https://data.example')).toEqual(['/listing'])
})

test('past candles come page by page where an answer names the next one; those before a page that fails are of use', async () => {
  const minute = (start: number) => ({ type: 'candle', symbol: 'X', interval: '1m', start, time: start }) as const
  const prices = { open: 1, high: 1, low: 1, close: 1, volume: 1, closed: true, revision: 0 }
  const adapter = venueAdapter('a', {
    intervals: ['1m'],
    history: () => ({ type: 'need', path: '/page/2', purpose: 'history' }),
    decode(body) {
      const page = Number(body)
      const rest = page > 0 ? [{ type: 'need' as const, path: `/page/${page - 1}`, purpose: 'history' as const }] : []
      return [{ ...minute(page * 60_000), ...prices }, ...rest]
    }
  })
  const answers = (broken: string | undefined) =>
    fetchCandles(
      {
        adapter,
        restUrl: '',
        readAccess: () => ({}),
        clock: () => 300_000,
        rest: {
          get: ({ path }) =>
            Promise.resolve(
              path === broken
                ? { ok: false as const, reason: 'broken' }
                : { ok: true as const, body: path.slice('/page/'.length), status: 200, headers: {} }
            ),
          quiet: () => undefined,
          stop: () => undefined
        }
      },
      'X',
      'X',
      '1m',
      10
    )
  const starts = async (broken?: string) => {
    const found = await answers(broken)
    return found.ok ? found.value.map(({ start }) => start) : found.reason
  }
  expect(await starts()).toEqual([0, 60_000, 120_000])
  expect(await starts('/page/0')).toEqual([60_000, 120_000])
  expect(await starts('/page/2')).toBe('broken')
})

const tape = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => ({ type: 'trade', symbol: 'X', time: 1_000 + i, price: 1, size: 1, side: 'buy', id: `${i}` }) as const
  )
const pastOf = (count: number, span: { from: number; to: number }) => {
  const adapter = venueAdapter('a', {
    fill: () => ({ type: 'need', path: '/trades', purpose: 'trades' }),
    decode: () => tape(count)
  })
  const get = () => Promise.resolve({ ok: true as const, body: '', status: 200, headers: {} })
  const rest = { get, quiet: () => undefined, stop: () => undefined }
  return fetchTrades({ adapter, restUrl: '', readAccess: () => ({}), clock: () => 5_000, rest }, 'X-USD', 'X', span)
}

test('a short answer has all of the span; of a long one, which may have been cut, only what lies between its ends is known', async () => {
  const short = await pastOf(10, { from: 0, to: 2_000 })
  expect(short).toMatchObject({ ok: true, value: { from: 0, to: 2_000, trades: { length: 10 } } })
  const long = await pastOf(500, { from: 0, to: 2_000 })
  expect(long).toMatchObject({ ok: true, value: { from: 1_000, to: 1_499, trades: { length: 499 } } })
  expect(long.ok && long.value.trades[0]).toMatchObject({ provider: 'a', instrument: 'X-USD', id: '0', backfill: true })
})

test('an answer that begins after the span has nothing of it, and says where it begins', async () => {
  expect(await pastOf(500, { from: 0, to: 500 })).toEqual({ ok: false, reason: 'its answer begins at 1970-01-01T00:00:01.000Z' })
})
