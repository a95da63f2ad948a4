import { expect, test } from 'vitest'
import { fetchListing } from '../../src/feed/lookup.ts'
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
    access: {},
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
