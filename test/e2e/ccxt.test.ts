/** The shell of CCXT with the real library, against simulated exchanges on loopback. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import type { Ending, Link } from '@tickwire/server/connection/link.ts'
import { ccxt, type Session } from '@tickwire/server/providers/ccxt.ts'
import type { Access, Adapter, Meaning, Need } from '@tickwire/server/providers/adapter.ts'
import { openCcxt } from '@tickwire/server/shells/ccxt.ts'
import type { Shell } from '@tickwire/server/shells/shell.ts'
import { createStreet, type Addresses, type Street } from '@tickwire/street'
import { until } from './program.ts'

const NAMES = ['binance', 'kraken', 'coinbase']
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown) => void unhandled.push(reason)

let street: Street
let addresses: Addresses
beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  street = createStreet({ seed: 7, clock: Date.now, log: SILENT, providers: NAMES })
  addresses = await street.start()
})
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled)
  await street.stop()
})

/** The library's own settings, so that its exchanges are reached on loopback. */
const settingsOf = () => {
  const originOf = (name: string) => new URL(addresses[name]!.restUrl).origin
  const [binance, kraken, coinbase] = NAMES.map(originOf) as [string, string, string]
  const socket = (name: string) => addresses[name]!.wsUrl
  return {
    binance: {
      options: { fetchMarkets: ['spot'] },
      urls: { api: { public: `${binance}/api/v3`, ws: { spot: socket('binance').replace(/\/stream$/, '/ws') } } }
    },
    kraken: { urls: { api: { public: kraken, ws: { publicV2: socket('kraken') } } } },
    coinbase: { urls: { api: { rest: coinbase, ws: socket('coinbase') } } }
  }
}
const accessTo = (exchanges: string): Access => ({ options: { exchanges, settings: JSON.stringify(settingsOf()) } })

type Connection = {
  link: Link
  session: Session
  frames: string[]
  meanings: Meaning[]
  endings: Ending[]
  opened: boolean
  ask: (verb: 'subscribe' | 'unsubscribe', ...subscriptions: Parameters<typeof ccxt.subscribe>[0]) => void
  of: <T extends Meaning['type']>(type: T) => Extract<Meaning, { type: T }>[]
}
const shells: Shell[] = []
const links: Link[] = []
const open = (access: Access): Shell => {
  const shell = openCcxt({ wsUrl: '', readAccess: () => access }, { pollEvery: 50, backoff: { base: 5, cap: 50 } })
  shells.push(shell)
  return shell
}
function dial(shell: Shell, exchange: string): Connection {
  const session = ccxt.open({}, exchange)
  const connection: Connection = {
    session,
    frames: [],
    meanings: [],
    endings: [],
    opened: false,
    link: shell.dial(
      { url: ccxt.dial!('', {}, exchange) },
      {
        onOpen: () => void (connection.opened = true),
        onFrame(frame) {
          connection.frames.push(String(frame))
          connection.meanings.push(...ccxt.decode(frame, Date.now(), session))
        },
        onClose: (ending) => void connection.endings.push(ending)
      }
    ),
    ask(verb, ...subscriptions) {
      for (const frame of ccxt[verb](subscriptions, session)) connection.link.send(frame as string)
    },
    of: (type) => connection.meanings.filter((m): m is never => m.type === type)
  }
  links.push(connection.link)
  return connection
}
afterEach(() => {
  for (const link of links.splice(0)) link.close()
  for (const shell of shells.splice(0)) shell.rest?.stop()
})
const connectionsTo = (name: string) => street.report().find(({ provider }) => provider === name)!.connections

const answer = async (shell: Shell, need: Need): Promise<readonly Meaning[]> => {
  const answer = await shell.rest!.get(need)
  if (!answer.ok) throw new Error(answer.reason)
  return ccxt.decode(answer.body, Date.now(), ccxt.open({}), need)
}
const listingOf = (shell: Shell) => answer(shell, { type: 'need', purpose: 'listing', path: ccxt.listing! })

describe('the listing', () => {
  test('names the pairs of all exchanges that are named, in their order', async () => {
    const [listing] = await listingOf(open(accessTo('kraken, binance')))
    if (listing?.type !== 'listing') throw new Error('no listing')
    expect(listing.rows.find(({ symbol }) => symbol === 'kraken:BTC/USD')).toMatchObject({
      base: 'BTC',
      quote: 'USD',
      trading: true
    })
    expect(listing.rows.some(({ symbol }) => symbol === 'binance:BTC/USDT')).toBe(true)
  })
  test('without a name nothing is carried, and it says what to set', async () => {
    const answer = await open({}).rest!.get({ path: '/listing' })
    expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining('options.exchanges') as string })
  })
  test('one exchange that cannot be listed keeps nobody else from it, and what did not change is said to be so', async () => {
    const shell = open(accessTo('nosuch,kraken'))
    const meanings = await listingOf(shell)
    expect(meanings[0]).toMatchObject({ type: 'listing' })
    expect(meanings[1]).toMatchObject({ type: 'refused', reason: expect.stringMatching(/nosuch/) as string })
    expect(await shell.rest!.get({ path: '/listing?changed' })).toMatchObject({ ok: true, unchanged: true })
  })
})

/** A connection that is open, as the machine would have it. */
async function opened(exchange: string, shell = open(accessTo(exchange))): Promise<Connection> {
  const connection = dial(shell, exchange)
  await until('the connection', () => connection.opened || connection.endings.length > 0)
  expect(connection.endings).toEqual([])
  return connection
}

test.each([
  ['binance', 'BTC/USDT'],
  ['kraken', 'BTC/USD'],
  ['coinbase', 'BTC/USD']
])(
  '%s streams trades, quotes, a ticker and a book, as the exchange published them',
  async (exchange, pair) => {
    const { ask, of } = await opened(exchange)
    const symbol = `${exchange}:${pair}`
    ask('subscribe', { kind: 'trade', symbol }, { kind: 'ticker', symbol }, { kind: 'book', symbol }, { kind: 'quote', symbol })
    await until('all four', () => of('trade').length > 3 && of('ticker').length > 0 && of('delta').length > 2)
    await until('quotes', () => of('quote').length > 0)
    expect(of('refused')).toEqual([])
    expect(of('reject')).toEqual([])
    const [book] = of('delta')
    expect(book).toMatchObject({ symbol, snapshot: true })
    expect(Math.max(...book!.bids.map(([price]) => price))).toBeLessThan(Math.min(...book!.asks.map(([price]) => price)))
    const heard = of('trade').filter(({ backfill }) => !backfill)
    expect(heard.every((trade) => trade.venue === exchange && trade.symbol === symbol)).toBe(true)
    // Price, size and the taker's side are those that the exchange itself has on record.
    const record = street.plant(exchange).recent(`trade:${pair.replace('/', '-')}`, 1_000) as unknown as Record<string, unknown>[]
    const published = new Map(record.map(({ id, price, size, side }) => [String(id), { price, size, side }]))
    const met = heard.filter(({ id }) => published.has(id!))
    expect(met.length).toBeGreaterThan(0)
    for (const { id, price, size, side } of met) expect({ price, size, side }).toEqual(published.get(id!))
  },
  60_000
)

test('candles stream, and the past ones and past trades are answered', async () => {
  const shell = open(accessTo('binance'))
  const { ask, of } = await opened('binance', shell)
  const symbol = 'binance:BTC/USDT'
  ask('subscribe', { kind: 'candle', symbol, interval: '1m' })
  await until('a candle', () => of('candle').length > 0)
  expect(of('candle')[0]).toMatchObject({ symbol, interval: '1m', closed: false })
  const past = await answer(shell, ccxt.history!(symbol, '1m', 20, Date.now(), {}))
  expect(past.length).toBeGreaterThan(1)
  expect(past.every((m) => m.type === 'candle' && m.symbol === symbol)).toBe(true)
  const missed = ccxt.fill!(symbol, Date.now() - 60_000, Date.now(), {})!
  await until('trades', async () => (await answer(shell, missed)).length > 0)
  expect((await answer(shell, missed)).every((m) => m.type === 'trade' && m.symbol === symbol)).toBe(true)
}, 60_000)

test('a symbol that the exchange does not have is refused, and the others go on', async () => {
  const { ask, of } = await opened('kraken')
  ask('subscribe', { kind: 'trade', symbol: 'kraken:NO/SUCH' }, { kind: 'candle', symbol: 'kraken:BTC/USD', interval: '3m' })
  ask('subscribe', { kind: 'trade', symbol: 'kraken:BTC/USD' })
  await until('trades', () => of('trade').length > 1)
  expect(of('reject')).toMatchObject([
    { kind: 'trade', symbol: 'kraken:NO/SUCH', reason: expect.stringMatching(/BadSymbol/) as string },
    { kind: 'candle', symbol: 'kraken:BTC/USD', reason: expect.stringMatching(/NotSupported/) as string }
  ])
}, 60_000)

test('what is asked a second time because nothing came yet is confirmed while its socket stands', async () => {
  const { ask, of, link, frames } = await opened('kraken')
  const ticker = { kind: 'ticker', symbol: 'kraken:BTC/USD' } as const
  ask('subscribe', ticker)
  await until('the socket', () => of('ticker').length > 0)
  ask('subscribe', ticker)
  expect(of('ack')).toEqual([{ type: 'ack', kind: 'ticker', symbol: 'kraken:BTC/USD' }])
  link.send('{"ping":1}')
  expect(frames.at(-1)).toBe('{"pong":1}')
}, 60_000)

test('what is no longer asked for is no longer told', async () => {
  const { ask, of, frames } = await opened('kraken')
  const symbol = 'kraken:BTC/USD'
  ask('subscribe', { kind: 'trade', symbol }, { kind: 'book', symbol })
  await until('both', () => of('trade').length > 0 && of('delta').length > 0)
  ask('unsubscribe', { kind: 'book', symbol })
  const before = of('delta').length
  const trades = of('trade').length
  await until('more trades', () => of('trade').length > trades + 2)
  expect(of('delta').length).toBe(before)
  ask('subscribe', { kind: 'book', symbol })
  await until('the book again', () => of('delta').length > before)
  expect(frames.length).toBeGreaterThan(0)
}, 60_000)

test('a closed connection says no more, and none of its sockets stays', async () => {
  const { ask, of, link, frames, endings } = await opened('kraken')
  ask('subscribe', { kind: 'trade', symbol: 'kraken:BTC/USD' }, { kind: 'book', symbol: 'kraken:BTC/USD' })
  await until('trades', () => of('trade').length > 0)
  expect(connectionsTo('kraken')).toBeGreaterThan(0)
  link.close()
  const told = frames.length
  await until('its sockets to go', () => connectionsTo('kraken') === 0)
  expect(frames.length).toBe(told)
  expect(endings).toEqual([])
}, 60_000)

describe('an exchange fails', () => {
  afterEach(() => street.revive('kraken'))

  test('its connection ends with the reason, the other exchange goes on, and a new connection is a new beginning', async () => {
    const shell = open(accessTo('kraken,coinbase'))
    const failing = await opened('kraken', shell)
    const well = await opened('coinbase', shell)
    failing.ask('subscribe', { kind: 'trade', symbol: 'kraken:BTC/USD' })
    well.ask('subscribe', { kind: 'trade', symbol: 'coinbase:BTC/USD' })
    await until('both', () => failing.of('trade').length > 0 && well.of('trade').length > 0)
    await street.kill('kraken')
    await until('the end', () => failing.endings.length > 0, 50_000)
    expect(failing.endings).toEqual([{ reason: expect.stringMatching(/^kraken: /) as string }])
    const before = well.of('trade').length
    await until('the other one', () => well.of('trade').length > before)
    expect(well.endings).toEqual([])
    await street.revive('kraken')
    const again = await opened('kraken', shell)
    again.ask('subscribe', { kind: 'trade', symbol: 'kraken:BTC/USD' })
    await until('trades again', () => again.of('trade').length > 0)
  }, 90_000)

  test('a socket that is cut is renewed within the connection, and what was missed is told', async () => {
    const { ask, of, endings } = await opened('kraken')
    ask('subscribe', { kind: 'trade', symbol: 'kraken:BTC/USD' })
    await until('trades', () => of('trade').length > 0)
    street.fault('kraken', 'drop', 50)
    await until('the hole', () => of('gap').length > 0)
    expect(of('gap')[0]).toMatchObject({ kind: 'trade', symbol: 'kraken:BTC/USD' })
    expect(of('need')[0]).toMatchObject({ purpose: 'trades', symbol: 'kraken:BTC/USD' })
    expect(endings).toEqual([])
  }, 60_000)
})

test('in the feed two exchanges are one provider, with a connection each, and the plant has their trades', async () => {
  const access = accessTo('kraken,binance')
  const shell = open(access)
  const plant = createPlant({ epoch: 'e' })
  const feed = createFeed({
    providers: [{ adapter: ccxt as Adapter, wsUrl: ccxt.wsUrl!, restUrl: ccxt.restUrl, readAccess: () => access, ...shell }],
    plant,
    instruments: createInstruments(),
    clock: Date.now,
    random: Math.random,
    log: SILENT,
    simulated: false
  })
  await feed.start()
  try {
    for (const instrument of ['BTC-USD', 'BTC-USDT']) feed.want({ kind: 'trade', instrument })
    const venues = (instrument: string) =>
      new Set(plant.recent(`trade:${instrument}`, Infinity).map((event) => event.type === 'trade' && event.venue))
    await until('both', () => venues('BTC-USD').has('kraken') && venues('BTC-USDT').has('binance'))
    expect(plant.last('trade:BTC-USD')).toMatchObject({ provider: 'ccxt' })
    expect(feed.providers()[0]).toMatchObject({ phase: 'live', connections: 2 })
  } finally {
    await feed.stop()
  }
}, 60_000)

test('an exchange that there is not ends its connection with the reason', async () => {
  const { endings } = dial(open(accessTo('nosuch')), 'nosuch')
  await until('the end', () => endings.length > 0)
  expect(endings[0]!.reason).toMatch(/nosuch/)
})

test('nothing that went wrong above reached the process', () => expect(unhandled).toEqual([]))
