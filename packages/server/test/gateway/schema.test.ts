import { expect, expectTypeOf, test } from 'vitest'
import type { ClientMessage } from '@tickwire/protocol'
import { readMessage, type Accepted } from '../../src/dialects/native-schema.ts'

/** `undefined` and absent are one on the wire, so optional fields are compared without it. */
type Loose<M> = M extends unknown ? { [K in keyof M]: Exclude<M[K], undefined> } : never

test('the schemas accept exactly the messages of wire.ts', () => {
  expectTypeOf<Loose<Required<Accepted>>>().toEqualTypeOf<Loose<Required<ClientMessage>>>()
  const messages: ClientMessage[] = [
    { op: 'hello', version: 1, client: 'test', encoding: 'json' },
    { op: 'auth', token: 'x', id: 1 },
    { op: 'subscribe', topics: ['trade:A'], id: 'a', resume: { 'trade:A': { epoch: 'e', seq: 0 } }, notices: false },
    { op: 'unsubscribe', topics: ['trade:A'] },
    { op: 'ping', id: 2 },
    { op: 'pong' }
  ]
  for (const message of messages) expect(readMessage(JSON.stringify(message))).toEqual({ ok: true, message })
})
