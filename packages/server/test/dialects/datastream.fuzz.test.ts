/** Whatever is sent to /api/websocket/stream and asked of /udf: an answer in its words, no topic that is none, nothing thrown. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { datastream } from '../../src/dialects/datastream.ts'
import { udf } from '../../src/dialects/udf.ts'
import { asked, connect, createStage } from './stage.ts'

const TYPES = new Set(['SymbolUpdate', 'DepthUpdate', 'IndexUpdate', 'subscribed', 'unsubscribed', 'status', 'error'])
const word = fc.constantFrom(
  'subscribe',
  'unsubscribe',
  'get_status',
  'authenticate',
  'SymbolUpdate',
  'DepthUpdate',
  'INDEXUPDATE',
  'AAPL',
  'btc-usdt',
  'NSE:SBIN-EQ',
  'NSE:NIFTY50-INDEX',
  'trade:AAPL@any',
  '__proto__',
  'constructor',
  '1D',
  '60',
  'ok',
  '-1',
  '1e400',
  '',
  '\u0000'
)
const value = fc.oneof(word, fc.array(word, { maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }))
const message = fc.record({ action: value, symbols: value, data_type: value, lite: value, token: value }, { requiredKeys: [] })

test('every message of a client is answered with a type and data', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, fc.jsonValue(), fc.string()), { maxLength: 8 }), (messages) => {
      const client = connect(createStage(), datastream)
      for (const each of messages) client.send(each)
      client.pass(50)
      const said = client.taken()
      expect(said.length).toBeGreaterThanOrEqual(messages.length)
      for (const { type, data } of said) expect([TYPES.has(type), typeof data]).toEqual([true, 'object'])
    }),
    { numRuns: 400 }
  )
})

const PATHS = ['/udf/symbols', '/udf/search', '/udf/history', '/udf/marks', '/udf/timescale_marks', '/udf/quotes']
const text = fc.oneof(word, fc.string(), fc.double().map(String), fc.integer().map(String))
const query = fc.dictionary(
  fc.constantFrom('symbol', 'symbols', 'query', 'from', 'to', 'resolution', 'countback', 'limit', 'type', 'exchange'),
  text
)

test('every question of a chart is answered: with what was asked for, or with an error and its message', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), query, async (path, params) => {
      const { status, body } = await asked(createStage(), udf, `${path}?${new URLSearchParams(params).toString()}`)
      if (status === 200) expect(body.s ?? 'ok').toMatch(/^(ok|no_data)$/)
      else expect(body).toEqual({ s: 'error', errmsg: expect.stringMatching(/./) })
    }),
    { numRuns: 400 }
  )
})
