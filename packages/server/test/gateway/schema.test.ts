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
    { op: 'subscribe', topics: ['trade:A'], resume: { 'trade:A': { epoch: 'e', seq: 4, digest: 4_294_967_295 } } },
    {
      op: 'subscribe',
      topics: ['quote:A'],
      contract: { delivery: 'sampled', interval: 1_000, fields: ['bid', 'ask'], maxAge: 2_000 }
    },
    { op: 'subscribe', topics: ['quote:A'], contract: { maxRate: 5, fields: 'lite' } },
    { op: 'unsubscribe', topics: ['trade:A'] },
    { op: 'digest', id: 3 },
    { op: 'ping', id: 2 },
    { op: 'pong' }
  ]
  for (const message of messages) expect(readMessage(JSON.stringify(message))).toEqual({ ok: true, message })
})

test.for([
  ['latest', 'contract: must be an object, as in {"delivery": "latest"}'],
  [{ delivery: 'newest' }, 'contract.delivery: must be every, latest or sampled'],
  [{ delivery: 'sampled' }, 'contract.interval: sampled needs one, 100 to 60000 ms'],
  [{ delivery: 'sampled', interval: 50 }, 'contract.interval: must be 100 to 60000 ms'],
  [{ delivery: 'sampled', interval: 60_001 }, 'contract.interval: must be 100 to 60000 ms'],
  [{ interval: 1_000 }, 'contract.interval: goes with "delivery": "sampled" alone'],
  [{ maxRate: 0 }, 'contract.maxRate: must be at least 0.0167 a second, one in 60000 ms'],
  [{ fields: 'all' }, 'contract.fields: must be "lite" or a list of up to 64 fields, as in ["price", "size"]'],
  [{ fields: [] }, 'contract.fields: must be "lite" or a list of up to 64 fields, as in ["price", "size"]'],
  [{ maxAge: -1 }, 'contract.maxAge: must be milliseconds above 0'],
  [{ rate: 5 }, 'contract: rate: not of a contract, which has delivery, interval, maxRate, fields, maxAge']
] as const)('a contract %o is refused: %s', ([contract, message]) => {
  const read = readMessage(JSON.stringify({ op: 'subscribe', id: 1, topics: ['quote:A'], contract }))
  expect(read).toEqual({ ok: false, code: 'BAD_MESSAGE', message, id: 1 })
})
