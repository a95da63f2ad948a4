import { describe, expect, test } from 'vitest'
import type { Access, Need, Poll, Subscription } from '../../src/providers/adapter.ts'
import { fyers } from '../../src/providers/fyers.ts'
import { only } from './captures.ts'
import { control, data, lite, scrip, snapshot } from './fyers.frames.ts'

const NOW = Date.UTC(2026, 0, 7, 5)
const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
const token = jwt({ hsm_key: 'key of the socket', exp: (NOW + 3_600_000) / 1000 })
const access: Access = { key: `APP-100:${token}` }
const open = (a: Access = access, route = '') => fyers.open(a, route)
type Session = ReturnType<typeof open>
const hear = (frame: Uint8Array | string, session: Session) => fyers.decode(frame, NOW, session)
const needOf = (out: unknown): Need => (out as Poll).need!
const tokensOf = (session: Session, need: Need, valid: Record<string, string>, invalid: string[] = []) =>
  fyers.decode(JSON.stringify({ s: 'ok', validSymbol: valid, invalidSymbol: invalid }), NOW, session, need)
/** What a subscribe frame asks for. */
const topicsOf = (frame: unknown): string => Buffer.from(frame as Uint8Array).toString('latin1')

const SBIN: Subscription[] = [
  { kind: 'trade', symbol: 'NSE:SBIN-EQ' },
  { kind: 'quote', symbol: 'NSE:SBIN-EQ' },
  { kind: 'book', symbol: 'NSE:SBIN-EQ' }
]
const TOKENS = { 'NSE:SBIN-EQ': '10100000003045' }

describe('login', () => {
  test('the key of the socket is in the token; login and mode go first, byte by byte as its own client writes them', () => {
    const key = 'k'.repeat(56)
    const [auth, mode, ...more] = fyers.greet!(open({ key: `A:${jwt({ hsm_key: key })}` }))
    expect(more).toEqual([])
    const written = Buffer.concat([
      Buffer.from('00500104010038', 'hex'),
      Buffer.from(key),
      Buffer.from('0200015003000101040008', 'hex'),
      Buffer.from('tickwire')
    ])
    expect(Buffer.from(auth as Uint8Array).toString('hex')).toBe(written.toString('hex'))
    expect(Buffer.from(mode as Uint8Array).toString('hex')).toBe('00110c02010008000000000000080002000146')
    const [, light] = fyers.greet!(open({ ...access, feed: 'lite' }))
    expect((light as Uint8Array).at(-1)).toBe(76)
  })

  test('the app may stand in the key and its token in the secret', () => {
    expect(fyers.upgrade!({ key: 'APP-100', secret: token })).toEqual({ authorization: `APP-100:${token}` })
    expect(fyers.expires!({ key: 'APP-100', secret: token })).toBe(NOW + 3_600_000)
  })

  test.each([
    ['its own end', { exp: 1_767_753_000, iat: 1 }, 1_767_753_000_000],
    ['else 06:00 in India after it was made', { iat: Date.UTC(2026, 0, 7, 3) / 1000 }, Date.UTC(2026, 0, 8, 0, 30)],
    ['the same day where it was made at night', { iat: Date.UTC(2026, 0, 7, 0, 10) / 1000 }, Date.UTC(2026, 0, 7, 0, 30)],
    ['unknown', {}, undefined],
    ['unknown of nonsense', { exp: 'soon', iat: -5 }, undefined]
  ])('a token ends at %s', (_, claims, end) => {
    expect(fyers.expires!({ key: `A:${jwt(claims)}` })).toBe(end)
    expect(fyers.expires!({ key: 'no token' })).toBeUndefined()
  })

  test('a refused, expired or wrong token is denied, so that it is read again; nothing is asked with it', () => {
    expect(hear(control(1, 'X', 0), open())).toEqual([{ type: 'reject', reason: 'authentication failed (11001)', denied: true }])
    const old = open({ key: `A:${jwt({ hsm_key: 'k', exp: NOW / 1000 - 1 })}` })
    expect(hear(control(1, 'K', 5), old)).toEqual([{ type: 'reject', reason: 'Token is expired (-99)', denied: true }])
    expect(old.authenticated).toBe(false)
    expect(hear(control(1, 'X', 0), open({ key: 'A:B' }))).toMatchObject([
      { denied: true, reason: expect.stringMatching(/no hsm_key/) }
    ])
    for (const code of [-8, -15, -16, -17, 11_001])
      expect(hear(JSON.stringify({ s: 'error', code, message: 'no' }), open())).toMatchObject([{ type: 'reject', denied: true }])
    const many = JSON.stringify({ s: 'error', code: -99, message: 'more than 5000 symbols' })
    expect(hear(many, open())).toEqual([{ type: 'reject', reason: 'more than 5000 symbols (-99)' }])
  })

  test('refused by REST it hangs up for as long as a token takes to renew; 401 is told by the machine', () => {
    const session = open()
    const need = needOf(fyers.subscribe(SBIN, session)[0])
    expect(need.purpose).toBe('login')
    const body = '{"s":"error","code":-17,"message":"Token expired"}'
    expect(fyers.decode(body, NOW, session, need)).toEqual([{ type: 'hangup', reason: 'Token expired (-17)', wait: 300_000 }])
  })
})

describe('asking', () => {
  test('tokens first, by one call; topics once the socket let us in; acks in the order of asking', () => {
    const session = open()
    const [poll, ...more] = fyers.subscribe(SBIN, session)
    expect(more).toEqual([])
    expect(needOf(poll)).toMatchObject({
      path: '/data/symbol-token',
      post: { symbols: ['NSE:SBIN-EQ'] },
      headers: { authorization: access.key }
    })
    expect(poll).toMatchObject({ every: Infinity })
    expect(tokensOf(session, needOf(poll), TOKENS)).toEqual([])
    const [reply, ...rest] = only('reply', hear(control(1, 'K', 5), session))
    expect(rest).toEqual([])
    const topics = '\x00\x02\x0esf|nse_cm|3045\x0edp|nse_cm|3045'
    expect(topicsOf(reply!.frame)).toBe(`\x00\x29\x04\x02\x01\x00\x20${topics}\x02\x00\x01\x0b`)
    expect(only('ack', hear(control(4, 'K'), session)).map(({ kind, symbol }) => `${kind} ${symbol}`)).toEqual([
      'trade NSE:SBIN-EQ',
      'quote NSE:SBIN-EQ',
      'book NSE:SBIN-EQ'
    ])
  })

  test('let in before the tokens came, it asks when they come; a symbol is looked up once', () => {
    const session = open()
    const [poll] = fyers.subscribe(SBIN, session)
    expect(fyers.subscribe(SBIN, session)).toEqual([])
    expect(hear(control(1, 'K', 0), session)).toEqual([])
    expect(only('reply', tokensOf(session, needOf(poll), TOKENS)).map(({ frame }) => topicsOf(frame))).toEqual([
      expect.stringContaining('sf|nse_cm|3045')
    ])
    expect(topicsOf(fyers.subscribe([{ kind: 'ticker', symbol: 'NSE:SBIN-EQ' }], session)[0])).toContain('sf|nse_cm|3045')
  })

  test('only what is wanted is told: the same message is a trade to one and a ticker to another', () => {
    const session = open()
    const [poll] = fyers.subscribe([{ kind: 'ticker', symbol: 'NSE:SBIN-EQ' }], session)
    hear(control(1, 'K', 0), session)
    tokensOf(session, needOf(poll), TOKENS)
    const all = hear(data(1, snapshot(1, 'sf|nse_cm|3045', scrip({}), { name: 'SBI' })), session)
    expect(all.map((m) => [m.type, 'symbol' in m && m.symbol])).toEqual([['ticker', 'NSE:SBIN-EQ']])
  })

  test('the last to leave ends a topic; what was traded meanwhile is nobody’s trade', () => {
    const session = open()
    const [poll] = fyers.subscribe(SBIN, session)
    hear(control(1, 'K', 0), session)
    tokensOf(session, needOf(poll), TOKENS)
    hear(data(1, snapshot(1, 'sf|nse_cm|3045', scrip({}))), session)
    expect(fyers.unsubscribe([SBIN[0]!], session)).toEqual([])
    const [frame] = fyers.unsubscribe(SBIN.slice(1), session)
    expect((frame as Uint8Array)[2]).toBe(5)
    expect(topicsOf(frame)).toContain('dp|nse_cm|3045')
    fyers.subscribe(SBIN, session)
    expect(only('trade', hear(data(2, snapshot(1, 'sf|nse_cm|3045', scrip({ volume: 9_000 }))), session))).toEqual([])
    expect(only('trade', hear(data(3, snapshot(1, 'sf|nse_cm|3045', scrip({ volume: 9_001 }))), session))).toMatchObject([
      { size: 1 }
    ])
  })

  test('what it would be silent about is refused: unknown symbols, the depth of an index, trades in lite mode', () => {
    const session = open()
    const index: Subscription[] = [
      { kind: 'book', symbol: 'NSE:NIFTY50-INDEX' },
      { kind: 'trade', symbol: 'NSE:NIFTY50-INDEX' },
      { kind: 'index', symbol: 'NSE:NIFTY50-INDEX' },
      { kind: 'quote', symbol: 'NSE:NO-EQ' }
    ]
    const [poll] = fyers.subscribe(index, session)
    expect(tokensOf(session, needOf(poll), { 'NSE:NIFTY50-INDEX': '101000000026000' }, ['NSE:NO-EQ'])).toEqual([])
    const all = hear(control(1, 'K', 0), session)
    expect(only('reject', all).map(({ kind, symbol, reason }) => [kind, symbol, reason])).toEqual([
      ['book', 'NSE:NIFTY50-INDEX', 'Index does not have market depth'],
      ['trade', 'NSE:NIFTY50-INDEX', 'there is no trade of it'],
      ['quote', 'NSE:NO-EQ', 'invalid symbol (-300)']
    ])
    expect(topicsOf(only('reply', all)[0]!.frame)).toContain('if|nse_cm|Nifty 50')
    const light = open({ ...access, feed: 'lite' })
    fyers.subscribe(SBIN.slice(0, 1), light)
    expect(hear(control(1, 'K', 0), light)).toMatchObject([
      { type: 'reject', kind: 'trade', reason: 'lite mode has last prices alone' }
    ])
  })

  test('lite mode has the statistics of the day by REST, fifty symbols a call', () => {
    const session = open({ ...access, feed: 'lite' })
    const wanted = Array.from({ length: 51 }, (_, i): Subscription => ({ kind: 'ticker', symbol: `NSE:S${i}-EQ` }))
    const polls = fyers.subscribe(wanted, session).filter((out): out is Poll => 'poll' in (out as object))
    expect(polls.map(({ poll, every, need }) => [poll, every, need?.path.split(',').length])).toEqual([
      ['tokens 1', Infinity, 1],
      ['quotes 0', 60_000, 50],
      ['quotes 1', 60_000, 1],
      ['quotes 2', Infinity, undefined]
    ])
    hear(data(1, snapshot(1, 'sf|nse_cm|1', scrip({}), { name: 'S1-EQ' })), session)
    expect(only('ticker', hear(data(2, lite(1, 70_000)), session))).toEqual([
      { type: 'ticker', symbol: 'NSE:S1-EQ', time: NOW, last: 700 }
    ])
  })

  test.each([
    [4, { type: 'reject', kind: 'index', symbol: 'NSE:NIFTY50-INDEX', reason: 'subscription failed (11011)' }],
    [5, { type: 'reject', reason: 'unsubscribing failed (11012)' }],
    [7, { type: 'reject', reason: 'pausing failed (11031)' }],
    [8, { type: 'reject', reason: 'resuming failed (11032)' }],
    [12, { type: 'reject', reason: 'setting the mode failed (12001)' }]
  ])('an answer of type %i that is not K is a reject, K is silent or an ack', (type, meaning) => {
    const session = open()
    const [poll] = fyers.subscribe([{ kind: 'index', symbol: 'NSE:NIFTY50-INDEX' }], session)
    hear(control(1, 'K', 0), session)
    tokensOf(session, needOf(poll), { 'NSE:NIFTY50-INDEX': '101000000026000' })
    expect(hear(control(type, 'N'), session)).toEqual([meaning])
    expect(only('reject', hear(control(type, 'K'), session))).toEqual([])
  })

  test('acks as its clients word them are understood; a ping is text on both sockets', () => {
    const session = open()
    expect(hear('{"type":"cn","code":200,"message":"Authentication done","s":"ok"}', session)).toEqual([])
    expect(session.authenticated).toBe(true)
    session.sent.push(SBIN)
    for (const type of ['ful', 'lit', 'unsub', 'cp', 'cr'])
      expect(hear(JSON.stringify({ type, code: 200, message: 'on', s: 'ok' }), session)).toEqual([])
    expect(hear('{"type":"sub","code":200,"message":"Subscribed","s":"ok"}', session).length).toBe(3)
    expect(fyers.ping).toEqual({ every: 10_000, frame: 'ping' })
    expect(hear(new TextEncoder().encode('pong'), session)).toEqual([])
    expect(hear(Uint8Array.from([0, 1, 11]), session)).toEqual([])
  })

  test.each<[object, object[]]>([
    [{ invalid_symbols: ['NSE:NO-EQ', 5] }, [{ type: 'reject', symbol: 'NSE:NO-EQ', reason: 'invalid symbol (-300)' }]],
    [{ s: 'error', code: -300, invalid_symbols: ['NSE:NO-EQ'] }, [{ type: 'reject', symbol: 'NSE:NO-EQ' }]],
    [{ error: 'Index does not have market depth' }, [{ type: 'reject', reason: 'Index does not have market depth' }]],
    [
      { type: 'sub', s: 'error', code: 11_011, message: 'no' },
      SBIN.map(({ kind, symbol }) => ({ type: 'reject', kind, symbol }))
    ],
    [{ type: 'lit', s: 'error', code: 12_001, message: 'no' }, [{ type: 'reject', reason: 'no (12001)' }]]
  ])('the error %j of its clients is told to whom it concerns', (message, meanings) => {
    const session = open()
    session.sent.push(SBIN)
    expect(hear(JSON.stringify(message), session)).toMatchObject(meanings)
    expect(hear(JSON.stringify([message]), open()).length).toBeGreaterThan(0)
  })

  test('a spent budget asks for quiet, and asks again', () => {
    const session = open()
    const need = needOf(fyers.subscribe(SBIN, session)[0])
    const all = fyers.decode('{"s":"error","code":429,"message":"request limit reached"}', NOW, session, need)
    expect(all[0]).toEqual({ type: 'quiet', for: 60_000, reason: 'request limit reached (429)' })
    expect(needOf(only('reply', all)[0]!.frame)).toMatchObject({ path: '/data/symbol-token', post: { symbols: ['NSE:SBIN-EQ'] } })
  })

  test('one data connection, 5,000 topics, the minute and the day of the REST budget', () => {
    expect(fyers.limits).toMatchObject({ connections: 1, subscriptionsPerConnection: 5_000, requestsPerSecond: 10 })
    expect(fyers.limits.requests!.every(({ count, per }) => count <= (per === 60_000 ? 200 : 100_000))).toBe(true)
    expect([fyers.staleAfter, fyers.calendar]).toEqual([90_000, 'XNSE'])
  })
})

describe('symbols', () => {
  test.each([
    ['NSE:SBIN-EQ', 'NSE:SBIN-EQ', 'NSE:SBIN-EQ'],
    ['NSE:SBIN', 'NSE:SBIN-EQ', 'NSE:SBIN-EQ'],
    ['NSE:M&M-EQ', 'NSE:M&M-EQ', 'NSE:M&M-EQ'],
    ['BSE:PIDILITIND-A', 'BSE:PIDILITIND-A', 'BSE:PIDILITIND-A'],
    ['NSE:NIFTY25DECFUT', 'NSE:NIFTY25DECFUT', 'NSE:NIFTY25DECFUT'],
    ['NSE:NIFTY25D0926000CE', 'NSE:NIFTY25D0926000CE', 'NSE:NIFTY25D0926000CE'],
    ['NSE:USDINR25DEC84.5CE', 'NSE:USDINR25DEC84.5CE', 'NSE:USDINR25DEC84.5CE'],
    ['MCX:SILVER24DECFUT', 'MCX:SILVER24DECFUT', 'MCX:SILVER24DECFUT'],
    ['INDEX:NIFTY50', 'NSE:NIFTY50-INDEX', 'INDEX:NIFTY50'],
    ['NSE:NIFTY50-INDEX', 'NSE:NIFTY50-INDEX', 'INDEX:NIFTY50'],
    ['INDEX:SENSEX', 'BSE:SENSEX-INDEX', 'INDEX:SENSEX'],
    ['BSE:SENSEX-INDEX', 'BSE:SENSEX-INDEX', 'INDEX:SENSEX'],
    ['BSE:AUTO-INDEX', 'BSE:AUTO-INDEX', 'INDEX:BSE-AUTO'],
    ['INDEX:INDIAVIX', 'NSE:INDIAVIX-INDEX', 'INDEX:INDIAVIX'],
    ['INDEX:NIFTYNEWONE', 'NSE:NIFTYNEWONE-INDEX', 'INDEX:NIFTYNEWONE'],
    ['BSE:NEWONE-INDEX', 'BSE:NEWONE-INDEX', 'INDEX:BSE-NEWONE'],
    ['INDEX:NIFTY50-EQL-WGT', 'NSE:NIFTY50 EQL WGT-INDEX', 'INDEX:NIFTY50-EQL-WGT'],
    ['NSE:SOME BEES-NAV-INDEX', 'NSE:SOME BEES-NAV-INDEX', 'NSE:SOME BEES-NAV-INDEX'],
    ['MCX:CRUDEOIL-INDEX', 'MCX:CRUDEOIL-INDEX', 'MCX:CRUDEOIL-INDEX']
  ])('%s is asked for as %s and is %s here', (text, symbol, base) => {
    const row = fyers.identify!(text)
    expect(row).toMatchObject({ symbol, base, trading: true })
    // Whatever it is called, its id and its symbol lead back to the same.
    expect(fyers.identify!(base)).toEqual(row)
    expect(fyers.identify!(symbol)).toEqual(row)
    const calendar = symbol.startsWith('BSE:') ? 'XBOM' : symbol.startsWith('MCX:') ? 'XIMC' : undefined
    expect(row?.calendar).toBe(calendar)
  })

  test.each(['AAPL', 'BTC-USDT', 'EUR-USD', 'INDEX:SPX', 'LSE:SHEL', 'BSE:SBIN', 'NSE:', '', `NSE:${'X'.repeat(60)}`])(
    '%s is none of them',
    (text) => expect(fyers.identify!(text)).toBeUndefined()
  )

  test.each([
    ['10100000003045', 'NSE:A-EQ', 'nse_cm|3045'],
    ['1011240926000045', 'NSE:A25DECFUT', 'nse_fo|000045'],
    ['10122409261234', 'NSE:USDINR25DECFUT', 'cde_fo|1234'],
    ['10202409261234', 'NSE:GOLD25DECFUT', 'nse_com|1234'],
    ['1120240926440939', 'MCX:CRUDEOIL25JAN5900CE', 'mcx_fo|440939'],
    ['1210000000500331', 'BSE:PIDILITIND-A', 'bse_cm|500331'],
    ['1211240926880001', 'BSE:SENSEX25DECFUT', 'bse_fo|880001'],
    ['1212240926880001', 'BSE:USDINR25DECFUT', 'bcs_fo|880001']
  ])('the token %s gives the topic of %s', (fytoken, symbol, topic) => {
    const session = open()
    const [poll] = fyers.subscribe([{ kind: 'ticker', symbol }], session)
    hear(control(1, 'K', 0), session)
    const [reply] = only('reply', tokensOf(session, needOf(poll), { [symbol]: fytoken }))
    expect(topicsOf(reply!.frame)).toContain(`sf|${topic}`)
  })
})
