/** What clients of /api/websocket should not send: each is answered in its words, and nothing else is disturbed. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SBIN, start } from './datastream.bench.ts'

const MESSAGES: readonly [title: string, message: unknown, code: string, says: RegExp][] = [
  ['no JSON', '{', 'BAD_JSON', /not JSON/],
  ['null', null, 'UNKNOWN_OP', /"action"/],
  ['a list', [], 'UNKNOWN_OP', /"action"/],
  ['a number', 7, 'UNKNOWN_OP', /"action"/],
  ['no action', { symbols: ['AAPL'] }, 'UNKNOWN_OP', /subscribe, unsubscribe, get_status/],
  ['an action that is a list', { action: ['subscribe'] }, 'UNKNOWN_OP', /"action"/],
  ['no symbols', { action: 'subscribe', data_type: 'SymbolUpdate' }, 'BAD_MESSAGE', /^symbols: a list of symbols/],
  ['an empty list', { action: 'subscribe', symbols: [] }, 'BAD_MESSAGE', /^symbols: name at least one/],
  ['a symbol that is a number', { action: 'subscribe', symbols: [1] }, 'BAD_MESSAGE', /^symbols\.0: each symbol is a string/],
  ['a symbol that is blank', { action: 'subscribe', symbols: [' '] }, 'BAD_MESSAGE', /^symbols\.0: a symbol is empty/],
  ['a long symbol', { action: 'subscribe', symbols: ['A'.repeat(65)] }, 'BAD_MESSAGE', /at most 64 characters/],
  ['too many', { action: 'subscribe', symbols: Array.from({ length: 101 }, (_, i) => `S${i}`) }, 'BAD_MESSAGE', /at most 100/],
  [
    'an unknown type',
    { action: 'subscribe', symbols: ['AAPL'], data_type: 'Trades' },
    'BAD_MESSAGE',
    /^data_type: one of Symbol/
  ],
  ['a lite book', { action: 'subscribe', symbols: ['AAPL'], data_type: 'DepthUpdate', lite: true }, 'BAD_MESSAGE', /^lite: /],
  ['lite that is a word', { action: 'subscribe', symbols: ['AAPL'], lite: 'yes' }, 'BAD_MESSAGE', /^lite: true or false/],
  [
    'an unknown symbol',
    { action: 'subscribe', symbols: ['NSE:SBIM-EQ'] },
    'BAD_SYMBOL',
    /NSE:SBIM-EQ: .*nearest are NSE:SBIN-EQ/
  ],
  ['a share as an index', { action: 'subscribe', symbols: ['AAPL'], data_type: 'IndexUpdate' }, 'BAD_SYMBOL', /is no index/],
  ['an unknown index', { action: 'subscribe', symbols: ['NSE:NO-INDEX'], data_type: 'IndexUpdate' }, 'BAD_SYMBOL', /no provider/],
  ['nothing to leave', { action: 'unsubscribe', symbols: ['AAPL'] }, 'NOT_FOUND', /no subscription to AAPL as SymbolUpdate/],
  ['a prototype', { action: 'subscribe', symbols: ['__proto__', 'constructor'] }, 'BAD_SYMBOL', /__PROTO__/]
]

describe('over the stream', () => {
  test.each(MESSAGES)('%s is answered with an error, and the connection goes on', async (_title, message, code, says) => {
    const { open, say, held } = await start()
    const client = await open()
    client.send(message)
    expect(await client.message('error')).toMatchObject({ status: 'error', code, message: expect.stringMatching(says) })
    expect(held()).toEqual([])
    client.subscribe(['NSE:SBIN-EQ'])
    await client.message('subscribed')
    say(SBIN)
    expect(await client.message('SymbolUpdate')).toMatchObject({ ltp: 610.5 })
  })

  test('symbols that are known are subscribed, the others are named with the nearest', async () => {
    const { open } = await start()
    const { subscribe, message } = await open()
    subscribe(['NSE:SBIN-EQ', 'NSE:SBIM-EQ'])
    expect(await message('subscribed')).toMatchObject({
      message: 'Subscribed to 1 symbols',
      symbols: ['NSE:SBIN-EQ'],
      errors: [{ symbol: 'NSE:SBIM-EQ', code: 'BAD_SYMBOL', nearest: expect.arrayContaining(['NSE:SBIN-EQ']) }]
    })
  })

  test('twice the same subscription is one', async () => {
    const { open, say, counts } = await start()
    const { subscribe, message, of, send } = await open()
    subscribe(['NSE:SBIN-EQ', 'nse:sbin-eq'])
    subscribe(['NSE:SBIN-EQ'])
    await message('subscribed', 1)
    say(SBIN)
    await message('SymbolUpdate')
    send({ action: 'get_status' })
    expect((await message('status')).subscriptions.SymbolUpdate).toEqual(['NSE:SBIN-EQ'])
    expect([of('SymbolUpdate').length, counts.get('trade:NSE:SBIN-EQ')]).toEqual([1, 1])
  })

  test('a client that goes on sending nonsense is cut', async () => {
    const { open } = await start({ limits: { strikes: 5 } })
    const { send, closed } = await open()
    for (let i = 0; i < 5; i++) send('nonsense')
    expect(await closed()).toBe(4500)
  })

  test('topics beyond the limit of a connection are refused, and the earlier ones stay', async () => {
    const { open } = await start({ limits: { topics: 1 } })
    const { subscribe, message } = await open()
    subscribe(['NSE:SBIN-EQ'], 'DepthUpdate')
    await message('subscribed')
    subscribe(['NSE:INFY-EQ'], 'DepthUpdate')
    expect(await message('error')).toMatchObject({ code: 'TOO_MANY_SYMBOLS' })
  })
})

const REQUESTS: readonly [method: 'get' | 'post', path: string, status: number, says: RegExp][] = [
  ['post', '/subscribe', 400, /^symbols: a list/],
  ['post', '/subscribe?symbols=', 400, /a symbol is empty/],
  ['post', '/subscribe?symbols=AAPL&data_type=Nothing', 400, /^data_type: one of/],
  ['post', '/subscribe?symbols=AAPL&data_type=DepthUpdate&data_type=SymbolUpdate', 400, /^data_type: one of/],
  ['post', '/subscribe?symbols=NSE:NOBODY-EQ', 404, /NSE:NOBODY-EQ: no provider lists it/],
  ['post', '/subscribe?symbols=AAPL&data_type=IndexUpdate', 404, /is no index/],
  ['post', '/unsubscribe?symbols=AAPL', 404, /no subscription to AAPL as SymbolUpdate/],
  ['get', '/data/Nothing', 404, /^data_type: one of SymbolUpdate/],
  ['get', '/symbol/AAPL', 404, /AAPL is not subscribed as SymbolUpdate/],
  ['get', '/symbol/AAPL?data_type=x', 400, /^data_type: one of/],
  ['get', `/symbol/${'A'.repeat(100)}`, 400, /at most 64/]
]

describe('over REST', () => {
  test.each(REQUESTS)('%s %s is refused with %d', async (method, path, status, says) => {
    const rig = await start()
    const answer = await rig[method](path)
    expect(answer).toMatchObject({ status, body: { status: 'error', message: expect.stringMatching(says) } })
    expect(rig.held()).toEqual([])
  })

  test('more than 100 symbols at once are refused', async () => {
    const { post } = await start()
    const symbols = Array.from({ length: 101 }, (_, i) => `symbols=S${i}`).join('&')
    expect(await post(`/subscribe?${symbols}`)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/at most 100/) }
    })
  })

  test('[S3-51] with keys configured, both ask for an access token in these words, and take the gateway’s', async () => {
    const keys = [createHash('sha256').update('secret').digest('hex')]
    const { get, open } = await start({ auth: { keys } })
    expect(await get('/status')).toMatchObject({ status: 401, body: { status: 'error', message: 'an access token is required' } })
    expect((await get('/status', { authorization: 'Bearer secret' })).status).toBe(200)
    const client = await open()
    client.subscribe(['NSE:SBIN-EQ'])
    expect(await client.message('error')).toMatchObject({ code: 'UNAUTHORIZED' })
    client.send({ action: 'authenticate', token: 'secret' })
    expect(await client.message('status')).toMatchObject({ connected: true })
    client.subscribe(['NSE:SBIN-EQ'])
    expect(await client.message('subscribed')).toMatchObject({ symbols: ['NSE:SBIN-EQ'] })
  })
})
