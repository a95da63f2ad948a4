/** The seed's /api/websocket line by line, on a real port. */
import { describe, expect, test } from 'vitest'
import { bookOf, indexOf, quoteOf, SBIN, start, tickerOf, tradeOf } from './datastream.bench.ts'

const NONE = { SymbolUpdate: [], DepthUpdate: [], IndexUpdate: [] }
const TWO = '/subscribe?symbols=NSE:SBIN-EQ&symbols=NSE:INFY-EQ&data_type=SymbolUpdate'
const FULL = {
  symbol: 'NSE:SBIN-EQ',
  ltp: 610.5,
  open: 608,
  high: 612,
  low: 607.5,
  close: 607.9,
  bid: 610.45,
  ask: 610.55,
  change: 2.5,
  change_percent: 0.41
}

describe('REST', () => {
  test('[S3-17] POST connect answers connected, with no subscription and nothing cached', async () => {
    const { post } = await start()
    expect(await post('/connect')).toEqual({
      status: 200,
      body: {
        status: 'success',
        data: { connected: true, subscriptions: NONE, data_cache: { SymbolUpdate: 0, DepthUpdate: 0, IndexUpdate: 0 } }
      }
    })
  })

  test('[S3-18] POST disconnect lets go of everything upstream and says so in the status', async () => {
    const { post, get, held } = await start()
    await post(TWO)
    expect(held()).toContain('trade:NSE:SBIN-EQ')
    expect((await post('/disconnect')).body).toMatchObject({ status: 'success' })
    expect(held()).toEqual([])
    expect((await get('/status')).body.data).toMatchObject({ connected: false, subscriptions: NONE })
  })

  test('[S3-19] POST subscribe takes a repeated parameter and answers with the count, the type and the symbols', async () => {
    const { post, held } = await start()
    expect(await post(TWO)).toEqual({
      status: 200,
      body: {
        status: 'success',
        message: 'Subscribed to 2 symbols',
        data_type: 'SymbolUpdate',
        symbols: ['NSE:SBIN-EQ', 'NSE:INFY-EQ']
      }
    })
    expect(held()).toEqual(expect.arrayContaining(['ticker:NSE:SBIN-EQ', 'quote:NSE:SBIN-EQ', 'trade:NSE:INFY-EQ']))
  })

  test('[S3-20] POST unsubscribe lets go of that symbol as that type alone', async () => {
    const { post, get, held } = await start()
    await post(TWO)
    await post('/subscribe?symbols=NSE:SBIN-EQ&data_type=DepthUpdate')
    expect((await post('/unsubscribe?symbols=NSE:SBIN-EQ&data_type=SymbolUpdate')).body).toEqual({
      status: 'success',
      message: 'Unsubscribed from 1 symbols',
      data_type: 'SymbolUpdate',
      symbols: ['NSE:SBIN-EQ']
    })
    expect((await get('/status')).body.data.subscriptions).toEqual({
      ...NONE,
      SymbolUpdate: ['NSE:INFY-EQ'],
      DepthUpdate: ['NSE:SBIN-EQ']
    })
    expect(held()).toContain('book:NSE:SBIN-EQ')
    expect(held()).not.toContain('trade:NSE:SBIN-EQ')
  })

  test('[S3-21] GET status tells the subscriptions of each type and of how many there is a value', async () => {
    const { post, get, say } = await start()
    await post(TWO)
    say(SBIN)
    expect(await get('/status')).toEqual({
      status: 200,
      body: {
        status: 'success',
        data: {
          connected: true,
          subscriptions: { ...NONE, SymbolUpdate: ['NSE:SBIN-EQ', 'NSE:INFY-EQ'] },
          data_cache: { SymbolUpdate: 1, DepthUpdate: 0, IndexUpdate: 0 }
        }
      }
    })
  })

  test('[S3-22] [S3-12] GET data/{data_type} answers with the latest of each symbol of that type', async () => {
    const { post, get, say } = await start()
    await post(TWO)
    say(SBIN, quoteOf('NSE:SBIN-EQ', 610.45, 610.55), tickerOf('NSE:INFY-EQ', 2750.8), tickerOf('AAPL', 1))
    const { status, body } = await get('/data/SymbolUpdate')
    expect([status, body.status, body.data_type]).toEqual([200, 'success', 'SymbolUpdate'])
    expect(Object.keys(body.data)).toEqual(['NSE:SBIN-EQ', 'NSE:INFY-EQ'])
    expect(body.data['NSE:SBIN-EQ']).toMatchObject(FULL)
    expect(body.data['NSE:INFY-EQ']).toMatchObject({ ltp: 2750.8, open: null, bid: null })
  })

  test.each(['/symbol/NSE:SBIN-EQ', '/symbol/NSE%3ASBIN-EQ', '/symbol/nse:sbin-eq'])(
    '[S3-23] GET %s finds a symbol with a colon and a hyphen, in either spelling of the address',
    async (path) => {
      const { post, get, say } = await start()
      await post(TWO)
      expect((await get(`${path}?data_type=SymbolUpdate`)).body).toEqual({ status: 'success', symbol: 'NSE:SBIN-EQ', data: null })
      say(SBIN, quoteOf('NSE:SBIN-EQ', 610.45, 610.55))
      const { body } = await get(`${path}?data_type=SymbolUpdate`)
      expect(body).toMatchObject({ status: 'success', symbol: 'NSE:SBIN-EQ', data: FULL })
    }
  )
})

describe('WS /api/websocket/stream', () => {
  test('[S3-24] [S3-02] subscribe, updates with type and data, get_status, unsubscribe', async () => {
    const { open, say, held } = await start()
    const { send, subscribe, message, of } = await open()
    subscribe(['NSE:SBIN-EQ', 'NSE:INFY-EQ'])
    expect(await message('subscribed')).toMatchObject({ status: 'success', message: 'Subscribed to 2 symbols' })
    say(SBIN)
    expect(await message('SymbolUpdate')).toMatchObject({ symbol: 'NSE:SBIN-EQ', ltp: 610.5 })
    send({ action: 'get_status' })
    expect(await message('status')).toEqual({
      connected: true,
      subscriptions: { ...NONE, SymbolUpdate: ['NSE:SBIN-EQ', 'NSE:INFY-EQ'] },
      data_cache: { SymbolUpdate: 1, DepthUpdate: 0, IndexUpdate: 0 }
    })
    send({ action: 'unsubscribe', symbols: ['NSE:SBIN-EQ', 'NSE:INFY-EQ'], data_type: 'SymbolUpdate' })
    expect(await message('unsubscribed')).toMatchObject({ message: 'Unsubscribed from 2 symbols' })
    expect(held()).toEqual([])
    expect(of('SymbolUpdate')).toHaveLength(1)
  })

  test('[S3-24] what is to be done may be called type instead of action, as other streams call it', async () => {
    const { open } = await start()
    const { send, message } = await open()
    send({ type: 'subscribe', symbols: ['NSE:SBIN-EQ'] })
    expect(await message('subscribed')).toMatchObject({ symbols: ['NSE:SBIN-EQ'], data_type: 'SymbolUpdate' })
    send({ type: 'get_status' })
    expect((await message('status')).subscriptions.SymbolUpdate).toEqual(['NSE:SBIN-EQ'])
    send({ type: 'unsubscribe', symbols: ['NSE:SBIN-EQ'] })
    expect(await message('unsubscribed')).toMatchObject({ symbols: ['NSE:SBIN-EQ'] })
  })

  test('[S3-26] [S3-01] [S3-10] a SymbolUpdate has the last price, the day, the best offers and the change', async () => {
    const { open, say } = await start()
    const { subscribe, message } = await open()
    say(SBIN, quoteOf('NSE:SBIN-EQ', 610.45, 610.55))
    subscribe(['NSE:SBIN-EQ'])
    expect(await message('SymbolUpdate')).toEqual({
      ...FULL,
      volume: 9,
      timestamp: '2023-11-14T22:13:20.000Z',
      provider: 'alpha',
      confidence: null
    })
  })

  test('[S3-26] close is the previous close as somebody told it, of an index too, and null where nobody did', async () => {
    const { open, say } = await start()
    const { subscribe, message } = await open()
    const { prevClose: _untold, ...untold } = SBIN
    say(untold, indexOf('INDEX:NIFTY50', 23_150.5, { prevClose: 23_100.25 }))
    subscribe(['NSE:SBIN-EQ'])
    expect(await message('SymbolUpdate')).toMatchObject({ ltp: 610.5, close: null })
    subscribe(['NSE:NIFTY50-INDEX'])
    expect(await message('SymbolUpdate', 1)).toMatchObject({ ltp: 23_150.5, close: 23_100.25 })
  })

  test('[S3-26] the last price is that of the last trade, and the change is measured up to it; odd lots and late trades set none', async () => {
    const { open, say } = await start()
    const { subscribe, message, of } = await open()
    say(SBIN, tradeOf('NSE:SBIN-EQ', 611))
    subscribe(['NSE:SBIN-EQ'])
    expect(await message('SymbolUpdate')).toMatchObject({ ltp: 611, close: 607.9, change: 3, change_percent: 0.493421 })
    say(tradeOf('NSE:SBIN-EQ', 1, { ineligible: true }), tradeOf('NSE:SBIN-EQ', 2, { backfill: true }))
    say(tradeOf('NSE:SBIN-EQ', 612))
    await message('SymbolUpdate', 1)
    expect(of('SymbolUpdate').map(({ ltp }) => ltp)).toEqual([611, 612])
  })

  test('[S3-26] the day reaches as far as the last trade, unless that was outside of regular hours', async () => {
    const { open, say } = await start()
    const { subscribe, message } = await open()
    say(SBIN, tradeOf('NSE:SBIN-EQ', 613))
    subscribe(['NSE:SBIN-EQ'])
    expect(await message('SymbolUpdate')).toMatchObject({ ltp: 613, high: 613, low: 607.5 })
    say(tradeOf('NSE:SBIN-EQ', 600, { session: 'post' }))
    expect(await message('SymbolUpdate', 1)).toMatchObject({ ltp: 600, high: 612, low: 607.5 })
  })

  test('[S3-04] the lite form of a SymbolUpdate is the symbol and its price, sent when the price changes', async () => {
    const { open, say } = await start()
    const { subscribe, message, of } = await open()
    subscribe(['NSE:SBIN-EQ'], 'SymbolUpdate', { lite: true })
    await message('subscribed')
    say(SBIN)
    expect(await message('SymbolUpdate')).toEqual({ symbol: 'NSE:SBIN-EQ', ltp: 610.5 })
    say(quoteOf('NSE:SBIN-EQ', 610.45, 610.55), { ...SBIN, volume: 10 })
    say(tradeOf('NSE:SBIN-EQ', 610.6))
    await message('SymbolUpdate', 1)
    expect(of('SymbolUpdate').map(({ ltp }) => ltp)).toEqual([610.5, 610.6])
  })

  test('[S3-27] [S3-05] [S3-10] a DepthUpdate has levels of price and quantity, best first', async () => {
    const { open, say } = await start()
    const { subscribe, message } = await open()
    subscribe(['NSE:SBIN-EQ'], 'DepthUpdate')
    await message('subscribed')
    const bids = [[610.45, 1000], [610.4, 2000]] as const // prettier-ignore
    const asks = [[610.5, 1500], [610.55, 2500]] as const // prettier-ignore
    say(bookOf('NSE:SBIN-EQ', bids, asks))
    expect(await message('DepthUpdate')).toEqual({
      symbol: 'NSE:SBIN-EQ',
      bid: [
        { price: 610.45, quantity: 1000 },
        { price: 610.4, quantity: 2000 }
      ],
      ask: [
        { price: 610.5, quantity: 1500 },
        { price: 610.55, quantity: 2500 }
      ],
      timestamp: '2023-11-14T22:13:20.000Z',
      provider: 'alpha'
    })
  })

  test('[S3-28] [S3-03] [S3-10] an IndexUpdate has the value and its change, under the name by which it was asked for', async () => {
    const { open, say } = await start()
    const { subscribe, message, of } = await open()
    say(indexOf('INDEX:NIFTY50', 23_150.5, { change: 50.25, changePercent: 0.22 }))
    subscribe(['NSE:NIFTY50-INDEX', 'INDEX:NIFTY50'], 'IndexUpdate')
    await message('IndexUpdate', 1)
    const figures = { ltp: 23_150.5, change: 50.25, change_percent: 0.22 }
    expect(of('IndexUpdate')).toMatchObject([
      { symbol: 'NSE:NIFTY50-INDEX', ...figures },
      { symbol: 'INDEX:NIFTY50', ...figures }
    ])
  })
})

describe('one upstream for all', () => {
  test('[S3-09] [S3-52] REST and every stream share the plant: each holder counts once, and the last to leave ends it', async () => {
    const { open, post, counts, held } = await start()
    const [one, two] = await Promise.all([open(), open()])
    for (const { subscribe } of [one, two]) subscribe(['NSE:SBIN-EQ'], 'DepthUpdate')
    await Promise.all([one.message('subscribed'), two.message('subscribed')])
    await post('/subscribe?symbols=NSE:SBIN-EQ&data_type=DepthUpdate')
    await post('/subscribe?symbols=NSE:SBIN-EQ&data_type=DepthUpdate')
    expect(counts.get('book:NSE:SBIN-EQ')).toBe(3)
    one.ws.close()
    await post('/disconnect')
    await expect.poll(() => counts.get('book:NSE:SBIN-EQ'), { interval: 5 }).toBe(1)
    two.ws.close()
    await expect.poll(held, { interval: 5 }).toEqual([])
  })

  test('[S3-51] a connection hears and sees its own subscriptions alone', async () => {
    const { open, say } = await start()
    const [one, two] = await Promise.all([open(), open()])
    one.subscribe(['NSE:SBIN-EQ'])
    two.subscribe(['NSE:INFY-EQ'])
    await Promise.all([one.message('subscribed'), two.message('subscribed')])
    say(SBIN, tickerOf('NSE:INFY-EQ', 2750.8))
    await Promise.all([one.message('SymbolUpdate'), two.message('SymbolUpdate')])
    two.send({ action: 'get_status' })
    expect((await two.message('status')).subscriptions.SymbolUpdate).toEqual(['NSE:INFY-EQ'])
    expect(two.of('SymbolUpdate').map(({ symbol }) => symbol)).toEqual(['NSE:INFY-EQ'])
  })
})
