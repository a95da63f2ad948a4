/** What is named like a secret is concealed in what providers send, however deep it is said; market data is left as it came. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createConceal } from '../../src/journal/conceal.ts'
import { censorNamed } from '../../src/ops/named.ts'

const conceal = createConceal()
const TOKEN = 'pqia91ma19a5s61cv6a81va65sdf19v8'

test.each([
  'listenKey',
  'access_token',
  'token',
  'refreshToken',
  'api_secret',
  'apiKey',
  'secretKey',
  'password',
  'passphrase',
  'session',
  'sessionId',
  'Set-Cookie',
  'jwt',
  'signature'
])(
  '[T18] a value named %s is concealed, although nobody knew it: as text, as bytes, in JSON within JSON, and in answers',
  (name) => {
    const text = JSON.stringify({ e: 'login', [name]: TOKEN, data: JSON.stringify({ [name]: TOKEN, n: 1 }), n: 1.1 })
    const left = JSON.stringify({
      e: 'login',
      [name]: '[redacted]',
      data: JSON.stringify({ [name]: '[redacted]', n: 1 }),
      n: 1.1
    })
    expect(conceal.received(text)).toBe(left)
    expect(Buffer.from(conceal.received(Buffer.from(text)) as Uint8Array).toString()).toBe(left)
    const long = JSON.stringify({ [name]: TOKEN, books: ' '.repeat(64 << 10) })
    for (const body of [text, long]) expect(Buffer.from(conceal.body(Buffer.from(body))).toString()).not.toContain(TOKEN)
    expect(conceal.received(`42["auth", {"${name}" : "${TOKEN}"}]`)).toBe(`42["auth", {"${name}" : "[redacted]"}]`)
  }
)

test.each([
  ['{"password":12345678,"n":1}', '{"password":"[redacted]","n":1}'],
  [
    `{"tokens":["${TOKEN}","USDT"],"credentials":{"a":["x","${TOKEN}"],"n":1}}`,
    '{"tokens":["[redacted]","USDT"],"credentials":{"a":["x","[redacted]"],"n":1}}'
  ],
  ['{"token":"","secret":null,"auth":true,"x":"y"}', '{"token":"","secret":null,"auth":true,"x":"y"}'],
  [`{"secret":"${TOKEN}`, '{"secret":"[redacted]']
])('%s is left as %s', (text, left) => {
  expect(censorNamed(text)).toBe(left)
})

test.each([
  '{"e":"trade","p":"96404.38000000","monkey":"banana"}',
  '{"token":"2885","instrument_token":408065,"fytoken":"10100000003045"}',
  '{"session":"regular","session":{"change":-201.23,"id":"1"},"trading_session_details":"pre-market hours of a long name"}',
  '{"bars":[],"next_page_token":"QUFQTHwyMDIyLTEwLTE4VDIwOjAwOjAwLjYzMTM"}',
  '{"title":"The token of ACME: its key partners, and a \\"secret\\": nobody knows"}',
  '[{"ev":"XT","key":7,"signature":0}]'
])('%s is market data, and nothing of it is concealed', (text) => {
  expect(censorNamed(text)).toBe(text)
})

test('a secret is concealed whole, and nothing else, whatever characters are in it and however often it is quoted', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', 'a', '{', ']', ',', 'é', '7'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 3 }), (secret, other, depth) => {
      let [said, left] = [`!${secret}`, '[redacted]'].map((password) => JSON.stringify({ a: other, password, z: [other] }))
      for (let i = 0; i < depth; i++) [said, left] = [said, left].map((data) => JSON.stringify({ data, z: other }))
      expect(censorNamed(said!)).toBe(left)
    }),
    { numRuns: 500 }
  )
})

const folder = new URL('../../../../captures/', import.meta.url).pathname

test('of all captures of market data nothing is concealed', () => {
  const told = { lines: 0, changed: [] as string[] }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(json|jsonl|xml)(\.gz)?$/.test(name)) continue
    const file = readFileSync(join(folder, name))
    for (const line of (name.endsWith('.gz') ? gunzipSync(file) : file).toString().split('\n')) {
      told.lines++
      if (conceal.received(line) !== line) told.changed.push(`${name}: ${line.slice(0, 200)}`)
    }
  }
  expect(told.changed).toEqual([])
  expect(told.lines).toBeGreaterThan(40_000)
})
