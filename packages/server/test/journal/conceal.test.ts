/** What is secret never reaches a recording, in whatever form it is said. */
import type { Topic } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import type { Hooks } from '../../src/connection/link.ts'
import { createConceal } from '../../src/journal/conceal.ts'
import type { Entry } from '../../src/journal/journal.ts'
import { recordTraffic } from '../../src/journal/recorder.ts'
import { seekerOf } from '../../src/ops/needles.ts'

const KEY = 'PKABCDEF12345678'
const SECRET = 's/e+c=r3t-0987654321'
const conceal = createConceal([KEY, SECRET])

describe('credentials', () => {
  test.for([
    [`wss://user:pass@acme.example/ws?token=abc&symbol=X`, 'wss://acme.example/ws?token=[redacted]&symbol=X'],
    ['/v1/orders?apikey=1&signature=2&key=3&limit=4', '/v1/orders?apikey=[redacted]&signature=[redacted]&key=[redacted]&limit=4'],
    [`/feed/${KEY}/last`, '/feed/[redacted]/last'],
    [`/x?q=${encodeURIComponent(SECRET)}`, '/x?q=[redacted]'],
    ['/book?symbol=BTCUSDT&limit=1000', '/book?symbol=BTCUSDT&limit=1000']
  ])('of the address %s stays %s', ([address, left]) => {
    expect(conceal.address(address!)).toBe(left)
  })

  test('logins are concealed, as text and as bytes; prices are as they were', () => {
    const login = JSON.stringify({ action: 'auth', key: KEY, secret: SECRET })
    for (const frame of [conceal.sent(login), Buffer.from(conceal.sent(Buffer.from(login))).toString()]) {
      expect(frame).not.toContain(KEY)
      expect(frame).not.toContain(SECRET)
      expect(frame).toContain('auth')
    }
    const price = '{"e":"trade","p":"100.10"}'
    expect(conceal.received(price)).toBe(price)
    const bytes = Uint8Array.of(1, 200, 3)
    expect(conceal.received(bytes)).toEqual(bytes)
    expect(conceal.received(`{"hello":"${KEY}"}`)).not.toContain(KEY)
  })

  test('headers that hold one are left out, and answers to a login are concealed', () => {
    expect(conceal.headers({ etag: 'a', 'set-cookie': 'b', authorization: 'c', 'x-api-key': 'd' })).toEqual({ etag: 'a' })
    const body = Buffer.from(conceal.body(Buffer.from('{"access_token":"abcdefghijk","n":1}'))).toString()
    expect(body).not.toContain('abcdefghijk')
    expect(body).toContain('"n":1')
  })
})

const AWKWARD = 's/e+c=r<3>t-tößt-0987'
const utf8 = Buffer.from(AWKWARD)
const quoted = (text: string): string => JSON.stringify(text).slice(1, -1)
const ascii = (text: string): string =>
  text.replaceAll(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
const html = (text: string): string => text.replaceAll('<', '\\u003c').replaceAll('>', '\\u003E')
const WAYS: [string, string][] = [
  ['as it is', AWKWARD],
  ['in JSON in JSON', quoted(quoted('s/e"c\\r3t-12345'))],
  ['with the slash escaped', AWKWARD.replaceAll('/', '\\/')],
  ['with all that is not ASCII escaped', ascii(AWKWARD)],
  ['with the slash and all that is not ASCII escaped', ascii(AWKWARD.replaceAll('/', '\\/'))],
  ['with what HTML takes for itself escaped', html(AWKWARD)],
  ['as a part of an address', encodeURIComponent(AWKWARD)],
  ['as a part of an address in small letters', encodeURIComponent(AWKWARD).toLowerCase()],
  ['as a part of an address in an address', encodeURIComponent(encodeURIComponent(AWKWARD))],
  ['in a form', new URLSearchParams({ a: AWKWARD }).toString().slice(2)],
  ['in hexadecimal digits', utf8.toString('hex')],
  ['in large hexadecimal digits', utf8.toString('hex').toUpperCase()],
  ['in base64', utf8.toString('base64')],
  ['in base64 for addresses', utf8.toString('base64url')]
]

describe('a known secret', () => {
  const own = createConceal([AWKWARD, 's/e"c\\r3t-12345', KEY])
  const long = ' '.repeat(64 << 10)
  const asBytes = (change: (bytes: Uint8Array) => unknown) => (text: string) =>
    Buffer.from(change(Buffer.from(text)) as Uint8Array).toString()
  const ROADS: [string, (text: string) => string][] = [
    ['received text', (text) => own.received(text) as string],
    ['received bytes', asBytes(own.received)],
    ['sent text', (text) => own.sent(text) as string],
    ['sent bytes', asBytes(own.sent)],
    ['a body', asBytes(own.body)],
    ['a long body', (text) => asBytes(own.body)(text + long).trimEnd()]
  ]

  test.for(WAYS)('[T18] %s is concealed in all that is written', ([, said]) => {
    for (const [road, conceals] of ROADS)
      for (const before of ['', '.', 'ab '])
        expect(conceals(`${before}{"x":"${said}"}`), road).toMatch(/^(\.|ab )?\{"x":"\[redacted\]=*"\}$/)
  })

  test('amid other bytes is concealed in base64 but for the characters that it shares with them', () => {
    for (const before of ['', 'a', 'ab', 'user:'])
      for (const form of ['base64', 'base64url'] as const) {
        const said = Buffer.from(`${before}${KEY}:z`).toString(form)
        const left = own.received(`{"x":"${said}"}`) as string
        expect(left).toContain('[redacted]')
        expect(Buffer.from(left.split('"')[3]!.split('[redacted]').join(''), form).toString()).not.toContain(KEY.slice(3, -3))
      }
  })

  test('that is short, and one that comes later, are concealed too', () => {
    const late = createConceal(['ab'])
    expect(late.received('x ab y')).toBe('x [redacted] y')
    late.add([KEY])
    expect(late.received(`x${encodeURIComponent(KEY)}`)).toBe('x[redacted]')
  })
})

test('what is named like a key is concealed where logins are said', () => {
  for (const body of ['{"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8"}', '{"session_key": "pqia91ma19a5s61cv6a81va65sdf19v8"}'])
    for (const said of [Buffer.from(conceal.body(Buffer.from(body))).toString(), conceal.sent(body)])
      expect(said).toMatch(/^\{"\w+": ?"\[redacted\]"\}$/)
  expect(conceal.sent('{"monkey":"banana12"}')).toBe('{"monkey":"banana12"}')
})

test('a text is found wherever it stands', () => {
  const needles = ['PKABCDEF', 'another-needle', '12345678901']
  const holds = seekerOf(needles)
  for (const needle of needles)
    for (let at = 0; at < 40; at++) {
      const text = ' '.repeat(at) + needle + ' '.repeat(40 - at)
      expect([holds(text), holds(text.toLowerCase())], text).toEqual([true, true])
    }
  expect(holds('{"e":"trade","p":"96404.38000000"}')).toBe(false)
})

test('all that passes on a connection is written down, with when, of whom and which; nothing of it is changed', async () => {
  const entries: Entry[] = []
  const heard: unknown[] = []
  const traffic = recordTraffic(
    (entry) => entries.push(entry),
    conceal,
    () => 7
  )
  let hooks: Hooks | undefined
  const dial = traffic.dialOf('acme', (_target, given) => {
    hooks = given
    return { send: (frame) => heard.push(frame), close: () => heard.push('closed') }
  })
  const link = dial(
    { url: 'wss://acme.example/?token=t' },
    { onOpen: () => heard.push('open'), onFrame: (frame) => heard.push(frame), onClose: ({ reason }) => heard.push(reason) }
  )
  hooks?.onOpen()
  link.send(KEY)
  hooks?.onFrame('hi')
  hooks?.onClose({ reason: 'gone' })
  const ok = { ok: true as const, status: 200, headers: { etag: 'e' }, body: Buffer.from('[]') }
  const reply = await traffic.transportOf('acme', () => Promise.resolve(ok))({ path: '/a?key=1' } as never)
  const topic: Topic = { kind: 'trade', instrument: 'X' }
  traffic
    .wanting(() => ({ upstream: 'live', release: () => heard.push('released') }))(topic)
    .release()
  const of = { time: 7, provider: 'acme', connection: 1 }
  expect(entries).toEqual([
    { type: 'opened', ...of, url: 'wss://acme.example/?token=[redacted]' },
    { type: 'sent', ...of, frame: '[redacted]' },
    { type: 'frame', ...of, frame: 'hi' },
    { type: 'closed', ...of, reason: 'gone' },
    { type: 'answer', time: 7, provider: 'acme', path: '/a?key=[redacted]', status: 200, headers: { etag: 'e' }, body: ok.body },
    { type: 'want', time: 7, topic: 'trade:X' },
    { type: 'release', time: 7, topic: 'trade:X' }
  ])
  expect(heard).toEqual(['open', KEY, 'hi', 'gone', 'released'])
  expect(reply).toBe(ok)
})
