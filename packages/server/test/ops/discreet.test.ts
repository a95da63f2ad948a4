import { expect, test } from 'vitest'
import type { ProviderStatus } from '@tickwire/protocol'
import type { PoolHooks } from '../../src/connection/shop.ts'
import { discreet } from '../../src/ops/discreet.ts'

const KEY = 'kq7-very-own-key'
const SECRET = 'an old secret/with+signs'

/** Whatever a pool may say of its provider. */
function listen() {
  const said: unknown[] = []
  const hear = (...args: unknown[]) => void said.push(args)
  const hooks = { onUnfilled: hear, onClosed: hear, onRejected: hear } as unknown as PoolHooks
  return { said, discreetly: discreet(() => ({ key: KEY, secret: SECRET }), hooks) }
}

test('[S11] what a provider says of our key is told without it: to readers, in states and in the names of counters', () => {
  const { said, discreetly } = listen()
  expect(discreetly.readAccess()).toEqual({ key: KEY, secret: SECRET })
  const reason = `HTTP 401: no such key ${KEY}, signed ${encodeURIComponent(SECRET)}`
  discreetly.hooks.onUnfilled({} as never, reason, 1)
  discreetly.hooks.onClosed([], `wss://x.example/?token=${KEY} invalid`, 1)
  discreetly.hooks.onRejected(reason, undefined)
  said.push(discreetly.status({ reason, refused: { [`bad: ${KEY}`]: 3 } } as unknown as ProviderStatus))
  expect(JSON.stringify(said)).not.toContain(KEY)
  expect(JSON.stringify(said)).not.toContain(encodeURIComponent(SECRET))
  expect(said).toMatchObject([
    [{}, 'HTTP 401: no such key [redacted], signed [redacted]', 1],
    [[], 'wss://x.example/?token=[redacted] invalid', 1],
    ['HTTP 401: no such key [redacted], signed [redacted]', undefined],
    { refused: { 'bad: [redacted]': 3 } }
  ])
})

test('any other reason is told as it came', () => {
  const { said, discreetly } = listen()
  discreetly.readAccess()
  for (const reason of [
    'closed 1006',
    'the token is not valid',
    'handshake refused with HTTP 401',
    'token expired',
    'basic plan only'
  ])
    discreetly.hooks.onRejected(reason, undefined)
  expect(said.flat().filter((each) => each !== undefined)).toEqual([
    'closed 1006',
    'the token is not valid',
    'handshake refused with HTTP 401',
    'token expired',
    'basic plan only'
  ])
})
