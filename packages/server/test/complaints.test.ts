import { expect, test } from 'vitest'
import { z } from 'zod'
import { inOurWords } from '../src/complaints.ts'
import { readMessage } from '../src/dialects/native-schema.ts'

const said = (schema: z.ZodType, value: unknown): string => schema.safeParse(value).error?.issues[0]?.message ?? ''

test.for([
  [z.number(), 'x', 'must be a number'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.string(), 1, 'must be a string'],
  [z.boolean(), 'yes', 'must be true or false'],
  [z.array(z.string()), 'x', 'must be a list'],
  [z.object({}), 'x', 'must be an object'],
  [z.record(z.string(), z.string()), 1, 'must be an object'],
  [z.number().min(0), -1, 'must be at least 0'],
  [z.number().positive(), 0, 'must be more than 0'],
  [z.number().max(9), 10, 'must be at most 9'],
  [z.number().lt(9), 9, 'must be less than 9'],
  [z.string().min(2), 'x', 'must have at least 2 characters'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 item'],
  [z.enum(['a', 'b']), 'c', 'must be one of a, b'],
  [z.literal('a'), 'c', 'must be a'],
  [z.string().regex(/^a$/), 'b', 'must be of the form /^a$/'],
  [z.url(), 'b', 'must be an address, as in https://example.com'],
  [z.number().multipleOf(5), 6, 'must be a multiple of 5'],
  [z.strictObject({}), { b: 1 }, 'b: not known here'],
  [z.union([z.string(), z.number()]), true, 'is of none of the forms that it may have']
] as const)('what a schema without words of its own refuses is told in ours: %s', ([schema, value, words]) => {
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
