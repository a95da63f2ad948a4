import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { readPricing } from '../../src/providers/yahoo.pricing.ts'
import { yahoo as typed } from '../../src/providers/yahoo.ts'
import { decode, lines, only, rows } from './captures.ts'

const yahoo = providers.yahoo!
const NOW = 1_800_000_000_000
const frames = lines('yahoo/stream-frames.jsonl')
type Expected = { line: number; expected: Record<string, string | number> }
type Recorded = { fixture: string; url: string; status: number; headers: Record<string, string>; body: unknown }
const recorded = (name: string) => rows<Recorded>(`yahoo/${name}.jsonl.gz`)

describe('recorded frames', () => {
  test.each(rows<Expected>('yahoo/expected-stream-frames.jsonl'))(
    'frame $line equals an independent decoder’s fields',
    ({ line, expected: e }) => {
      const text = frames[line]!
      const pricing = readPricing(text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text)!
      expect(pricing).toMatchObject({ id: e.id, time: Number(e.time), marketHours: e.market_hours, quoteType: e.quote_type })
      expect(pricing.price).toBeCloseTo(Number(e.price), 2)
      if (e.day_volume !== undefined) expect(pricing.dayVolume).toBe(Number(e.day_volume))
    }
  )
  test('the noise of 32-bit floats is not shown', () => {
    expect(decode(yahoo, frames[0]!)[0]).toMatchObject({ type: 'ticker', symbol: 'BTC-USD', last: 94_745.08 })
  })
  test('every frame is a ticker with its session, the overnight one too', () => {
    const all = frames.flatMap((frame) => decode(yahoo, frame))
    expect(all.map(({ type }) => type)).toEqual(frames.map(() => 'ticker'))
    expect(decode(yahoo, frames[4]!)[0]).toMatchObject({ symbol: 'AAPL', session: 'overnight' })
  })
  test('a message older than the last of its symbol is dropped', () => {
    const session = typed.open({})
    expect(typed.decode(frames[2]!, NOW, session).length).toBe(1)
    expect(typed.decode(frames[3]!, NOW, session)).toEqual([])
  })
})

test('other types of frames mean nothing; what is no message is refused', () => {
  expect(decode(yahoo, { type: 'hello' })).toEqual([])
  expect(decode(yahoo, { type: 'pricing', message: '%%%' })).toEqual([expect.objectContaining({ type: 'refused' })])
  expect(decode(yahoo, { type: 'pricing', message: 7 })).toEqual([expect.objectContaining({ type: 'refused' })])
})

describe('REST', () => {
  const ask = (body: unknown, need: Partial<Need>, session = typed.open({})) =>
    typed.decode(typeof body === 'string' ? body : JSON.stringify(body), NOW, session, {
      type: 'need',
      purpose: 'snapshot',
      path: '',
      ...need
    })

  test('each recorded chart is candles in order without a null, or a refusal in its words', () => {
    for (const { body, url } of recorded('rest-chart')) {
      const symbol = decodeURIComponent(new URL(url).pathname.split('/').at(-1)!)
      const all = ask(body, { purpose: 'history', symbol, interval: '1d' })
      const candles = only('candle', all)
      expect(candles.map(({ start }) => start)).toEqual(candles.map(({ start }) => start).toSorted((a, b) => a - b))
      expect(candles.every((c) => c.symbol === symbol && c.close > 0)).toBe(true)
      expect(all.length - candles.length, url).toBe(0)
    }
  })
  test('each recorded quote is a ticker or an index, or has no price', () => {
    let priced = 0
    for (const { body } of recorded('rest-quote'))
      for (const m of ask(body, {})) {
        if (m.type === 'ticker' || m.type === 'index') priced++
        else expect(m.type).toBe('refused')
      }
    expect(priced).toBe(18)
  })
  test('news has its uuid, its publisher and the symbols it is about', () => {
    const stories = recorded('rest-search-and-news').flatMap(({ body }) => only('news', ask(body, { note: 'news' })))
    expect(stories.length).toBeGreaterThan(5)
    expect(stories.every(({ id, headline, url }) => id.length > 10 && headline !== '' && url !== undefined)).toBe(true)
  })
})

describe('the cookie and the crumb', () => {
  const reply = (text: string, note: string, status = 200, headers: Record<string, string> = {}, session = typed.open({})) => ({
    session,
    meanings: typed.decode(text, NOW, session, { type: 'need', purpose: 'login', path: '', note, answered: { status, headers } })
  })
  test('a 429 is quiet for minutes and its body is never a crumb', () => {
    const { session, meanings } = reply('Too Many Requests\r\n', 'crumb', 429)
    expect(meanings).toEqual([expect.objectContaining({ type: 'quiet', for: 300_000 })])
    expect(session.crumb).toBeUndefined()
    expect(reply('Edge: Too Many Requests', 'crumb', 200).session.crumb).toBeUndefined()
  })
  test.each(['<html>consent</html>', '', '{"finance":{"error":{}}}'])('%j is no crumb', (text) => {
    expect(reply(text, 'crumb').session.crumb).toBeUndefined()
  })
  test('a cookie leads to a crumb, a crumb to quotes of all symbols in one call', () => {
    const session = typed.open({})
    typed.subscribe(
      [
        { kind: 'ticker', symbol: 'AAPL' },
        { kind: 'ticker', symbol: '^GSPC' }
      ],
      session
    )
    const { meanings } = reply('', 'cookie', 404, { 'set-cookie': 'A3=d=x&S=y; Expires=Mon; Path=/, A1=z; Secure' }, session)
    expect(meanings).toMatchObject([
      { type: 'reply', frame: { poll: 'login', need: { headers: { cookie: 'A3=d=x&S=y; A1=z' } } } }
    ])
    const [quotes] = reply('AbC.dEf/123', 'crumb', 200, {}, session).meanings
    expect(quotes).toMatchObject({
      frame: { poll: 'quotes', need: { path: '/v7/finance/quote?symbols=AAPL,%5EGSPC&crumb=AbC.dEf%2F123' } }
    })
  })
  test('an invalid crumb is dropped and asked for once more, not again', () => {
    const session = typed.open({})
    session.crumb = 'old'
    const refused = { finance: { result: null, error: { code: 'Unauthorized', description: 'Invalid Crumb' } } }
    const ask = () =>
      typed.decode(JSON.stringify(refused), NOW, session, {
        type: 'need',
        purpose: 'snapshot',
        path: '',
        answered: { status: 401, headers: {} }
      })
    expect(ask().map(({ type }) => type)).toEqual(['reply', 'reply'])
    expect(ask()).toEqual([expect.objectContaining({ type: 'reject' })])
    expect(session.crumb).toBeUndefined()
  })
})

test.each([
  ['AAPL', 'AAPL', 'AAPL'],
  ['BRK.B', 'BRK-B', 'BRK.B'],
  ['BTC-USD', 'BTC-USD', 'BTC'],
  ['EUR-USD', 'EURUSD=X', 'EUR'],
  ['JPY=X', 'JPY=X', 'USD'],
  ['INDEX:SPX', '^GSPC', 'INDEX:SPX'],
  ['^GSPC', '^GSPC', 'INDEX:SPX'],
  ['NSE:RELIANCE-EQ', 'RELIANCE.NS', 'NSE:RELIANCE-EQ'],
  ['RELIANCE.NS', 'RELIANCE.NS', 'NSE:RELIANCE-EQ']
])('%s is %s there', (text, symbol, base) => {
  expect(typed.identify!(text)).toMatchObject({ symbol, base })
})

test('the whole subscription is said again every 15 s', () => {
  const session = typed.open({})
  const { frame, every } = typed.ping!
  expect([every, typeof frame === 'function' && frame(session)]).toEqual([15_000, undefined])
  typed.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)
  expect(typeof frame === 'function' && frame(session)).toBe('{"subscribe":["AAPL"]}')
})
