/** What is secret never reaches a recording, in whatever form it is said. */
import type { Topic } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import type { Hooks } from '../../src/connection/link.ts'
import { createConceal } from '../../src/journal/conceal.ts'
import type { Entry } from '../../src/journal/journal.ts'
import { recordTraffic } from '../../src/journal/recorder.ts'

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
