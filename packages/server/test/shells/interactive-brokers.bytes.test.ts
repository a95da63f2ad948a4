import { describe, expect, test } from 'vitest'
import { Fields, MOST_BYTES, faultOf, isUnasked, openCutter, unescaped } from '../../src/shells/interactive-brokers.bytes.ts'

const message = (...fields: (string | number)[]): Buffer => {
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(''))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}
const announced = (length: number): Buffer => {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32BE(length)
  return bytes
}

describe('the bytes of TWS', () => {
  test.each([1, 2, 3, 7, 1_000])('come out as whole messages when they come in pieces of %i', (size) => {
    const sent = [message(49, 1, 1_795_000_000), message(99, 2), message(4, 2, -1, 2104, 'x'.repeat(50))]
    const all = Buffer.concat(sent)
    const cut = openCutter()
    const came: Buffer[] = []
    for (let at = 0; at < all.length; at += size) {
      const { messages, broken } = cut(all.subarray(at, at + size))
      expect(broken).toBeUndefined()
      came.push(...messages)
    }
    expect(came).toEqual(sent)
  })
  // The SDK reads the length with a sign: at these it would begin the same message again for ever.
  test.each([0, MOST_BYTES + 1, 0x4854_5450, 2 ** 31, 4_000_000_000, 2 ** 32 - 4, 2 ** 32 - 1])(
    '[T15] end at a length of %i, after the messages before it, and nothing is read after that',
    (length) => {
      const good = message(49, 1, 1)
      const cut = openCutter()
      const { messages, broken } = cut(Buffer.concat([good, announced(length)]))
      expect(messages).toEqual([good])
      expect(broken).toContain(`a message of ${length} bytes`)
      expect(cut(good)).toEqual({ messages: [], broken })
    }
  )
  test('[T15] past ticks can be no more than the bytes they come in', () => {
    expect(faultOf(message(98, 3, 33_000_000))).toBe('TWS announced 33000000 ticks in a message of 14 bytes')
    expect(faultOf(message(96, 3, -1))).toContain('-1 ticks')
    expect(faultOf(message(98, 3, 1, 1_795_000_000, 0, 100.5, 2, 'ARCA', '', 1))).toBeUndefined()
    expect(faultOf(message(17, 3, 'a', 'b', 1))).toBeUndefined()
  })
  test('[T15] what is never asked for and makes the SDK take memory does not reach it', () => {
    expect(isUnasked(message(93, 1, 33_000_000))).toBe(true)
    expect(isUnasked(message(99, 2))).toBe(false)
  })
})

test('the fields of a message are read in their order, and then there are none', () => {
  const fields = new Fields()
  fields.push(undefined)
  expect(fields.concat(['49', '1'])).toBe(fields)
  fields.push(undefined)
  expect(fields.length).toBe(4)
  expect([fields.shift(), fields[0], fields.shift(), fields.shift(), fields.length]).toEqual([undefined, '49', '49', '1', 1])
  expect(JSON.stringify(fields)).toBe('[null]')
  expect([fields.shift(), fields.length, fields[0], fields.shift()]).toEqual([undefined, 0, undefined, undefined])
})

test('escapes are read as what they stand for, and what is none stays', () => {
  expect(unescaped('Soci\\u00e9t\\u00E9 \\u00 \\uzzzz')).toBe('Soci\u00e9t\u00e9 \\u00 \\uzzzz')
})
