/** The feed on the street: after a fault has ended, every book of every provider is fresh again. */
import { parseTopic, type Topic } from '@tickwire/protocol'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { afterEach, expect, test } from 'vitest'
import { street as createStreet, until } from './client.ts'

const VENUES = ['binance', 'coinbase', 'kraken']
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('after garbage on every connection each book of each provider is fresh again within seconds', async () => {
  const street = createStreet({ providers: VENUES })
  closing.push(() => street.stop())
  const addresses = await street.start()
  const plant = createPlant({ epoch: 'test' })
  const instruments = createInstruments()
  const feed = createFeed({
    providers: VENUES.map((name) => ({ adapter: adapters[name]!, ...addresses[name]!, readAccess: () => ({}) })),
    plant,
    instruments,
    clock: Date.now,
    random: Math.random,
    log: quiet,
    simulated: true
  })
  closing.push(() => feed.stop())
  await feed.start()
  const books = instruments
    .all()
    .flatMap(({ instrument, providers }) => providers.map(({ provider }) => `book:${instrument}@${provider}`))
  const fresh = new Set<string>()
  for (const name of books) {
    plant.subscribe(name, () => fresh.add(name))
    feed.want(parseTopic(name) as Topic)
  }
  expect(books.length).toBeGreaterThan(30)
  const all = () => fresh.size === books.length
  // From the first moment, so that first snapshots are lost as well as those of resyncs.
  for (const name of VENUES) street.fault(name, 'garbage', 2_000)
  await until(() => street.report().every(({ faults }) => faults.length === 0))
  fresh.clear()
  await until(all)
}, 30_000)
