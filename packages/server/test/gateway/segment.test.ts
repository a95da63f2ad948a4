import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pack } from '../../src/dialects/native-codec.ts'
import { createThrift } from '../../src/gateway/deflate.ts'
import { createScratch } from '../../src/gateway/scratch.ts'
import { bundle, segmentOf, type Squeeze } from '../../src/gateway/segment.ts'
import { readFrames } from './frames.ts'

const value = fc.record({
  topic: fc.string({ unit: 'grapheme', maxLength: 40 }),
  seq: fc.nat(),
  text: fc.constantFrom('', 'x'.repeat(900))
})
const lanes = fc.array(fc.array(value, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })

test('a frame put together from the parts of its lanes holds what they hold, in any encoding, compressed in any way', () => {
  const scratch = createScratch()
  fc.assert(
    fc.property(
      lanes,
      fc.constantFrom('json' as const, 'msgpack' as const),
      fc.constantFrom<Squeeze[]>('no', 'parts', 'whole'),
      (values, encoding, squeeze) => {
        const segments = values.map((each) =>
          segmentOf(
            each.map((one) => (encoding === 'json' ? JSON.stringify(one) : pack(one))),
            encoding,
            each.length
          )
        )
        const batch = bundle(segments, encoding, () => squeeze, scratch.take)
        const [frame, ...more] = readFrames(Buffer.from(batch.bytes()))
        scratch.free()
        expect(more).toEqual([])
        expect(frame!.value).toEqual(values.flat())
        expect(frame!.binary).toBe(encoding === 'msgpack')
        expect(batch.events).toBe(values.flat().length)
        const [message] = batch.messages
        expect(
          typeof message === 'string'
            ? JSON.parse(message)
            : readFrames(bundle(segments, encoding, () => 'no', scratch.take).bytes())[0]!.value
        ).toEqual(values.flat())
      }
    )
  )
})

test('large frames, and arrays of many, have the heads that their sizes need', () => {
  for (const count of [1, 15, 16, 70_000]) {
    const parts = Array.from({ length: count }, (_, n) => pack(n))
    const batch = bundle(
      [segmentOf(parts, 'msgpack', count)],
      'msgpack',
      () => 'parts',
      (bytes) => Buffer.alloc(bytes)
    )
    expect((readFrames(batch.bytes())[0]!.value as number[]).length).toBe(count)
  }
  const long = JSON.stringify('a'.repeat(200_000))
  for (const squeeze of ['no', 'parts', 'whole'] as const) {
    const batch = bundle(
      [segmentOf([long], 'json', 1)],
      'json',
      () => squeeze,
      (bytes) => Buffer.alloc(bytes)
    )
    expect((readFrames(batch.bytes())[0]!.value as string[])[0]!.length).toBe(200_000)
  }
})

test('for a few clients only so much is compressed as costs little; for many always', () => {
  const thrift = createThrift(0)
  expect(thrift(50_000_000, 32, 0)).toBe('whole')
  expect(thrift(1_000_000, 1, 0)).toBe('whole')
  expect(thrift(1_000_000, 1, 0)).toBe('parts')
  expect(thrift(1_000_000, 1, 1_000)).toBe('whole')
})

test('room that a socket still holds is not written over', () => {
  const scratch = createScratch()
  const first = scratch.take(1_000)
  scratch.free()
  const second = scratch.take(1_000)
  expect(second.byteOffset).toBe(first.byteOffset)
  scratch.leave()
  const kept = second.fill(1).toString('hex')
  for (let n = 0; n < 1_000; n++) {
    scratch.take(100_000).fill(2)
    if (n % 2 === 0) scratch.free()
    else scratch.leave()
  }
  expect(second.toString('hex')).toBe(kept)
})
