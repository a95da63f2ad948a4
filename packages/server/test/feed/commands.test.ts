import { afterEach, expect, test } from 'vitest'
import { topicName, type Book, type Published } from '@tickwire/protocol'
import { createFeed, type Feed } from '../../src/feed/feed.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { listing, openVenue, quietLog, until, venueAdapter, type Venue } from './venue.ts'

let feed: Feed | undefined
let venue: Venue | undefined
afterEach(async () => {
  await feed?.stop()
  await venue?.close()
})

const whole = { type: 'delta', symbol: 'BTC/USD', time: Date.now(), snapshot: true, bids: [[9, 1]], asks: [[11, 1]], sequence: 1 }

async function open() {
  venue = await openVenue({ '/listing': listing })
  const plant = createPlant({ epoch: 'e' })
  const { wsUrl, restUrl } = venue
  const adapter = venueAdapter('a', { books: 'numbered' })
  feed = createFeed({
    providers: [{ adapter, wsUrl, restUrl, readAccess: () => ({}) }],
    plant,
    instruments: createInstruments(),
    clock: Date.now,
    random: () => 0,
    log: quietLog,
    simulated: true,
    settings: { grace: 0 }
  })
  await feed.start()
  const { release } = feed.want({ kind: 'book', instrument: 'BTC-USD' })
  const last = () => plant.last(topicName('book', 'BTC-USD')) as Published<Book> | undefined
  await until(() => venue!.asked.length > 0)
  venue.say(whole)
  await until(() => last() !== undefined)
  return { feed, venue, last, release }
}

test('a resync asks for that book anew, and answers once it is whole', async () => {
  const { feed: it, venue: there, last } = await open()
  expect(it.books('BTC-USD')).toMatchObject([{ provider: 'a', state: 'valid', sequence: 1, resyncs: 0 }])
  const outcome = it.resync('BTC-USD', 'a')
  await until(() => there.asked.length > 2)
  expect(last()?.state).toBe('suspect')
  there.say({ ...whole, sequence: 2 })
  expect(await outcome).toMatchObject({ outcome: 'healed' })
  expect(it.books()).toMatchObject([{ state: 'valid', sequence: 2, resyncs: 1, damage: { cause: 'asked for' } }])
  expect(await it.resync('BTC-USD', 'nobody')).toMatchObject({ outcome: 'failed' })
})

test('a reconnect makes the new connection before it breaks the old one', async () => {
  const { feed: it, venue: there, last } = await open()
  const outcome = it.reconnect('a')
  await until(() => there.accepted() === 2 && there.sockets.size === 2)
  there.say({ ...whole, sequence: 3 })
  expect(await outcome).toMatchObject({ outcome: 'healed' })
  await until(() => there.sockets.size === 1)
  expect(last()).toMatchObject({ state: 'valid', sequence: 3 })
})

test('the book of a connection that is cut, or that nobody asks for any more, does not stand as valid', async () => {
  const { venue: there, last, release } = await open()
  there.drop()
  await until(() => last()?.state === 'stale')
  expect(last()?.bids).toEqual([[9, 1]])
  await until(() => there.accepted() === 2 && there.asked.length > 1)
  there.say({ ...whole, sequence: 4 })
  await until(() => last()?.state === 'valid')
  release()
  await until(() => last()?.state === 'stale')
})
