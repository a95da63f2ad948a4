import { expect, test } from 'vitest'
import { z } from 'zod'
import { inOurWords } from '../src/complaints.ts'
import { readMessage } from '../src/dialects/native-schema.ts'

const said = (schema: z.ZodType, value: unknown): string => schema.safeParse(value).error?.issues[0]?.message ?? ''

test.for([
  ['must be a number', z.number(), 'x'],
  ['must be a whole number', z.int(), 1.5],
  ['must be a string', z.string(), 1],
  ['must be true or false', z.boolean(), 'yes'],
  ['must be a list', z.array(z.string()), 'x'],
  ['must be an object', z.object({}), 'x'],
  ['must be an object', z.record(z.string(), z.string()), 1],
  ['must be at least 0', z.number().min(0), -1],
  ['must be more than 0', z.number().positive(), 0],
  ['must be at most 9', z.number().max(9), 10],
  ['must be less than 9', z.number().lt(9), 9],
  ['must have at least 2 characters', z.string().min(2), 'x'],
  ['must have at most 1 item', z.array(z.string()).max(1), ['a', 'b']],
  ['must be one of a, b', z.enum(['a', 'b']), 'c'],
  ['must be a', z.literal('a'), 'c'],
  ['must be of the form /^a$/', z.string().regex(/^a$/), 'b'],
  ['must be an address, as in https://example.com', z.url(), 'b'],
  ['must be a multiple of 5', z.number().multipleOf(5), 6],
  ['b: not known here', z.strictObject({}), { b: 1 }],
  ['is of none of the forms that it may have', z.union([z.string(), z.number()]), true]
] as const)('what a schema without words of its own refuses is told in ours: %s', ([words, schema, value]) => {
  expect(said(schema, value)).toBe(words)
})

test('words of a schema’s own stay', () => {
  expect(said(z.number('must be a price'), 'x')).toBe('must be a price')
  expect(inOurWords({ code: 'custom', input: 1 })).toBeUndefined()
})

test.for([
  { op: 'subscribe', topics: ['trade:A'], resume: { 'trade:A': { epoch: 'e', seq: -1 } } },
  { op: 'subscribe', topics: ['trade:A'], resume: { 'trade:A': { epoch: 'e', seq: 1, digest: 1.5 } } },
  { op: 'subscribe', topics: ['trade:A'], resume: { 'trade:A': { epoch: 1, seq: 1 } } },
  { op: 'hello', version: 'one' }
])('a frame of the native protocol that is wrong is told what would be right: %j', (frame) => {
  const read = readMessage(JSON.stringify(frame))
  expect(read).toMatchObject({ ok: false, code: 'BAD_MESSAGE', message: expect.stringMatching(/: must be /) })
  expect(JSON.stringify(read)).not.toMatch(/expected|received|Invalid|Too (?:small|big)/)
})
