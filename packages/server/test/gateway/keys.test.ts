/** Keys of the gateway where clients of other protocols put them: each is let in with one, and refused in its own words. */
import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { emulated } from '../../src/dialects/emulate.ts'
import { emulations, mirrors } from '../../src/dialects/index.ts'
import { startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'

const TOKEN = 'the-token-of-a-client'
const KEYS = { keys: [createHash('sha256').update(TOKEN).digest('hex')] }
let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})
const start = async (provider: string, options: RigOptions = {}): Promise<Rig> =>
  (rig = await startRig({ dialect: emulated(provider, mirrors[provider]!), auth: KEYS, ...options }))

type Headers = Record<string, string>
type Spoken = {
  /** A REST address that answers, where the keys go, and what a wrong one and none are answered. */
  rest: string
  places: ((token: string) => { headers?: Headers; query?: string })[]
  wrong: [number, unknown]
  none: [number, unknown]
  socket: string
  /** Messages of a client with this token, and headers or query of its handshake. */
  says?: (token: string) => object[]
  handshake?: (token: string) => { headers?: Headers; query?: string }
  heard: RegExp
  /** What a wrong token is answered on the socket: a status of the handshake, or a message. */
  refused: number | RegExp
  /** What whoever brings no token is told when he subscribes. */
  stranger: number | RegExp
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const header = (name: string) => (token: string) => ({ headers: { [name]: token } })
const query = (name: string) => (token: string) => ({ query: `${name}=${token}` })
const massiveError = (error: string) => ({ status: 'ERROR', request_id: expect.any(String) as string, error })

const SPOKEN: Record<string, Spoken> = {
  alpaca: {
    rest: '/v1beta3/crypto/us/snapshots?symbols=BTC/USDT',
    places: [(token) => ({ headers: { 'apca-api-key-id': token, 'apca-api-secret-key': 'any' } }), bearer],
    wrong: [403, { message: 'forbidden.' }],
    none: [401, { message: 'unauthorized.' }],
    socket: '/v1beta3/crypto/us',
    says: (token) => [
      { action: 'auth', key: token, secret: 'any' },
      { action: 'subscribe', trades: ['BTC/USDT'] }
    ],
    heard: /"T":"t".*"p":95000/,
    refused: /\[{"T":"error","code":402,"msg":"auth failed"}\]/,
    stranger: /"code":401,"msg":"not authenticated"/
  },
  massive: {
    rest: '/v2/last/trade/X:BTCUSDT',
    places: [query('apiKey'), bearer],
    wrong: [401, massiveError('Unknown API Key')],
    none: [401, massiveError('API Key was not provided')],
    socket: '/crypto',
    says: (token) => [
      { action: 'auth', params: token },
      { action: 'subscribe', params: 'XT.BTC-USDT' }
    ],
    heard: /"ev":"XT".*"p":95000/,
    refused: /"status":"auth_failed","message":"authentication failed"/,
    stranger: /authenticate first/
  },
  finnhub: {
    rest: '/api/v1/quote?symbol=ONE:BTCUSDT',
    places: [query('token'), header('x-finnhub-token'), bearer],
    wrong: [401, { error: 'Invalid API key' }],
    none: [401, { error: 'Please use an API key.' }],
    socket: '/',
    handshake: query('token'),
    says: () => [{ type: 'subscribe', symbol: 'ONE:BTCUSDT' }],
    heard: /"p":95000/,
    refused: 401,
    stranger: 401
  },
  binance: {
    rest: '/api/v3/ticker/price?symbol=BTCUSDT',
    places: [header('x-mbx-apikey'), bearer],
    wrong: [401, { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' }],
    none: [401, { code: -2014, msg: 'API-key format invalid.' }],
    socket: '/ws',
    handshake: header('x-mbx-apikey'),
    says: () => [{ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 }],
    heard: /"e":"trade".*"p":"95000/,
    refused: 401,
    stranger: /"code":-2015.*"id":1/
  },
  kraken: {
    rest: '/0/public/Ticker?pair=BTC/USDT',
    places: [header('api-key'), bearer],
    wrong: [200, { error: ['EAPI:Invalid key'] }],
    none: [200, { error: ['EAPI:Invalid key'] }],
    socket: '/v2',
    says: (token) => [{ method: 'subscribe', params: { channel: 'trade', symbol: ['BTC/USDT'], token }, req_id: 7 }],
    heard: /"channel":"trade","type":"update".*"price":95000/,
    refused: /"error":"ESession:Invalid session","success":false.*"req_id":7/,
    stranger: /"error":"ESession:Invalid session"/
  },
  coinbase: {
    rest: '/api/v3/brokerage/market/products/BTC-USDT/ticker',
    places: [header('cb-access-key'), bearer],
    wrong: [401, { error: 'UNAUTHENTICATED', error_details: 'Unauthorized', message: 'Unauthorized' }],
    none: [401, { error: 'UNAUTHENTICATED', error_details: 'Unauthorized', message: 'Unauthorized' }],
    socket: '/',
    says: (token) => [{ type: 'subscribe', channel: 'market_trades', product_ids: ['BTC-USDT'], jwt: token }],
    heard: /"market_trades".*"price":"95000"/,
    refused: /{"type":"error","message":"authentication failure"}/,
    stranger: /{"type":"error","message":"authentication failure"}/
  }
}

const addressOf = (base: string, path: string, more?: string): string =>
  base + path + (more === undefined ? '' : `${path.includes('?') ? '&' : '?'}${more}`)
/** What a socket said, as one text, or the status that its handshake was refused with. */
function socketOf(provider: string, { socket, handshake }: Spoken, token: string | undefined, says: readonly object[]) {
  const { headers = {}, query: more } = (token === undefined ? undefined : handshake?.(token)) ?? {}
  const ws = new WebSocket(addressOf(`${rig!.base.replace('http', 'ws')}/emulate/${provider}`, socket, more), { headers })
  let heard: string | number = ''
  ws.on('message', (data: Buffer) => (heard += data.toString()))
  ws.on('unexpected-response', (_request, { statusCode }) => {
    heard = statusCode!
    ws.terminate()
  })
  ws.on('error', () => {})
  ws.on('open', () => {
    for (const message of says) ws.send(JSON.stringify(message))
  })
  return { ws, heard: () => heard }
}
const matches = (heard: string | number, wanted: number | RegExp): boolean =>
  typeof wanted === 'number' ? heard === wanted : typeof heard === 'string' && wanted.test(heard)

test('every emulated protocol says where its keys are', () => {
  expect(Object.keys(SPOKEN).sort()).toEqual(Object.keys(mirrors).sort())
  for (const { name, keys, under } of emulations)
    expect([name, keys !== undefined, under?.startsWith('/emulate/')]).toEqual([name, true, true])
})

describe.each(Object.entries(SPOKEN))('%s', (provider, spoken) => {
  const ask = async (headers: Headers = {}, more?: string) => {
    const answer = await fetch(addressOf(`${rig!.base}/emulate/${provider}`, spoken.rest, more), { headers })
    return [answer.status, await answer.json()] as const
  }

  test('REST: a key in any of its places lets in, a wrong one and none are refused in its words', async () => {
    const { plant } = await start(provider)
    plant.publish('trade:BTC-USDT', { ...tradeOf('BTC-USDT', 95_000), id: '5' }, 3)
    for (const place of spoken.places) {
      const [right, wrong] = [place(TOKEN), place('another')]
      const [status, body] = await ask(right.headers, right.query)
      expect(status).toBe(200)
      expect(body).not.toEqual(spoken.wrong[1])
      expect(await ask(wrong.headers, wrong.query)).toEqual(spoken.wrong)
    }
    expect(await ask()).toEqual(spoken.none)
  })

  test('WebSocket: a key in its place lets in', async () => {
    const { plant } = await start(provider)
    const { ws, heard } = socketOf(provider, spoken, TOKEN, spoken.says?.(TOKEN) ?? [])
    let seq = 0
    await expect
      .poll(() => {
        plant.publish('trade:BTC-USDT', { ...tradeOf('BTC-USDT', 95_000), id: String(++seq) }, 3)
        return heard()
      })
      .toMatch(spoken.heard)
    ws.terminate()
  })

  test('WebSocket: a wrong key is refused in its words, and nothing is heard', async () => {
    await start(provider)
    const { heard, ws } = socketOf(provider, spoken, 'another', spoken.says?.('another') ?? [])
    await expect.poll(() => matches(heard(), spoken.refused)).toBe(true)
    await expect.poll(() => ws.readyState).toBe(WebSocket.CLOSED)
  })

  test('WebSocket: whoever brings none is told so', async () => {
    await start(provider)
    const says = (spoken.says?.('') ?? []).filter((message) => !('action' in message && message.action === 'auth'))
    const { heard, ws } = socketOf(provider, spoken, undefined, says)
    await expect.poll(() => matches(heard(), spoken.stranger)).toBe(true)
    ws.terminate()
  })

  test('[T18] a token in an address is in no line of the log', async () => {
    const written: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void written.push(line) })
    const spoiled = emulated(provider, {
      ...mirrors[provider]!,
      http: [{ route: 'GET /boom', answer: () => Promise.reject(new Error('boom')) }]
    })
    await start(provider, { dialect: spoiled, log })
    const { headers } = bearer(TOKEN)
    const url = `${rig!.base}/emulate/${provider}/boom?token=${TOKEN}&apiKey=${TOKEN}`
    expect((await fetch(url, { headers })).status).toBe(500)
    expect(written.join('')).toContain('request failed')
    expect(written.join('')).not.toContain(TOKEN)
  })
})

test('pages may send the headers of every protocol', async () => {
  await start('alpaca')
  const answer = await fetch(`${rig!.base}/emulate/alpaca/v2/assets`, {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost:1', 'access-control-request-method': 'GET' }
  })
  expect(answer.headers.get('access-control-allow-headers')).toContain('apca-api-key-id')
})

test('who brings no key to the stream in time is told that in its words', async () => {
  await start('alpaca', { limits: { authWithin: 0 } })
  const { heard } = socketOf('alpaca', SPOKEN['alpaca']!, undefined, [])
  await expect.poll(() => heard(), { timeout: 30_000 }).toMatch(/"code":404,"msg":"auth timeout"/)
})
