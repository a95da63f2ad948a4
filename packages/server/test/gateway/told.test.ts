import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NEW_TOPIC, type Published } from '@tickwire/protocol'
import { decodeCursor, decodeSeqs, encodeCursor, encodeSeq, hashText } from '../../src/gateway/cursor.ts'
import { isNews, markOf } from '../../src/gateway/told.ts'

const topics = ['x', 'y', 'z']

test('a cursor gives back the sequences it was made of, in its epoch and for its topics alone', () => {
  const seq = fc.oneof(fc.constant(0), fc.nat({ max: 36 ** 10 - 1 }))
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
      fc.infiniteStream(seq),
      (epoch, names, some) => {
        const seqs = names.map(() => some.next().value as number)
        const text = encodeCursor(epoch, names, seqs.map(encodeSeq))
        expect(decodeSeqs(text, epoch, names)).toEqual(seqs)
        expect(decodeSeqs(text, `${epoch}!`, names)).toBeUndefined()
        expect(decodeSeqs(text, epoch, [...names, 'more'])).toBeUndefined()
        expect(decodeSeqs(`${text}~1`, epoch, names)).toBeUndefined()
      }
    )
  )
})

test('a star in the place of a sequence is a topic of which nothing was read', () => {
  const text = encodeCursor('e1', topics, [encodeSeq(7), NEW_TOPIC, encodeSeq(0)])
  expect(decodeSeqs(text, 'e1', topics)).toEqual([7, null, 0])
})

test('a cursor needs no escape in an address', () => {
  const text = encodeCursor('a.b% ~é', topics, [1, 35, 2 ** 40].map(encodeSeq))
  expect(text).toMatch(/^[\w.~-]+$/)
  expect(decodeCursor(encodeURIComponent(text), 'a.b% ~é', topics)).toHaveLength(3)
})

test('what is no cursor is none', () => {
  const head = encodeCursor('e1', topics, [])
  for (const junk of [
    '',
    '~',
    head,
    `${head}1`,
    `${head}~1`,
    `${head}~1~2~-3`,
    `${head}~1~2~0`,
    `${head}~1~2~01`,
    `${head}~1~2~3~4`
  ])
    expect(decodeSeqs(junk, 'e1', topics), junk).toBeUndefined()
})

const quote = (seq: number, fields: Partial<Record<'bid' | 'ask' | 'time', number>> = {}): Published => ({
  type: 'quote',
  provider: 'p',
  instrument: 'X',
  time: seq,
  received: seq,
  bid: 100,
  bidSize: 1,
  ask: 101,
  askSize: 1,
  topic: 'quote:X',
  seq,
  published: seq,
  ...fields
})
const at = (event: Published | undefined, chosen?: string[] | 'lite') => markOf(event, chosen)

test('without fields every later event is news, and one from the future is none of this topic', () => {
  expect(isNews(at(quote(7)), quote(7), undefined, 0)).toBe(false)
  expect(isNews(at(quote(7)), quote(8), undefined, 0)).toBe(true)
  expect(isNews(at(undefined), quote(1), undefined, 0)).toBe(true)
  expect(isNews(at(undefined), undefined, undefined, 0)).toBe(false)
  expect(isNews(at(quote(9)), quote(8), undefined, 0)).toBeUndefined()
  expect(isNews('junk!', quote(8), undefined, 0)).toBeUndefined()
})

test('with fields a difference in one of them is news, and nothing else', () => {
  expect(isNews(at(quote(1), ['bid']), quote(2, { ask: 105 }), ['bid'], 0)).toBe(false)
  expect(isNews(at(quote(1), ['bid']), quote(2, { bid: 100.1 }), ['bid'], 0)).toBe(true)
  expect(isNews(at(quote(1), 'lite'), quote(2, { time: 99 }), 'lite', 0)).toBe(false)
  expect(isNews(at(quote(1), 'lite'), quote(2, { ask: 99 }), 'lite', 0)).toBe(true)
  // Of an event that has none of them all counts.
  expect(isNews(at(quote(1), ['price']), quote(2), ['price'], 0)).toBe(true)
})

test('a threshold is a share of what was told, in either direction and at any size', () => {
  const price = fc.double({ min: 1e-9, max: 1e21, noNaN: true })
  fc.assert(
    fc.property(price, price, fc.double({ min: 0, max: 50, noNaN: true }), (before, now, percent) => {
      const told = at(quote(1, { bid: before }), ['bid'])
      const moved = before !== now && Math.abs(now - before) >= (before * percent) / 100
      expect(isNews(told, quote(2, { bid: now }), ['bid'], percent)).toBe(moved)
    })
  )
})

test('the hash is FNV-1a', () => {
  expect(hashText('')).toBe(0x811c9dc5)
  expect(hashText('foobar')).toBe(0xbf9cf968)
})
