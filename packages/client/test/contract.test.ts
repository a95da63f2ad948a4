/** What was agreed on for a topic, and the proof that it was kept. */
import { digestAfter, digestOf, type Contract, type Published } from '@tickwire/protocol'
import { readMessage } from '@tickwire/server/dialects/native-schema.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultIn, strongest } from '../src/contract.ts'
import { drive, kinds, sent, trade } from './drive.ts'

const TOPIC = 'trade:BTC-USDT'
const digestAt = (seq: number): number =>
  Array.from({ length: seq }, (_, i) => trade(i + 1)).reduce(digestAfter, digestOf('e1', TOPIC))
const at = (seq: number) => ({ epoch: 'e1', seq, digest: digestAt(seq) })

/** Subscribed, and given the snapshot. */
function joined(seq: number) {
  const world = drive()
  world.open()
  world.want(TOPIC)
  world.subscribed(seq, { position: at(seq), contract: { delivery: 'every' } })
  world.hear([trade(seq)])
  return world
}
const told = (seq: number, digest = digestAt(seq)) => ({
  op: 'digest' as const,
  digests: { [TOPIC]: [seq, digest] as [number, number] }
})

describe('the digest', () => {
  test('is a number that any client can work out: these are the ones of PROTOCOL.md', () => {
    expect(digestOf('e1', TOPIC)).toBe(DIGESTS[0])
    expect(digestAt(1)).toBe(DIGESTS[1])
    expect(digestAfter(digestAt(1), { seq: 2, published: 1_764_000_000_123.75 })).toBe(DIGESTS[2])
  })

  test('agrees as long as every event came, and says up to where', () => {
    const world = joined(10)
    world.hear([trade(11), trade(12)])
    expect(world.hear(told(12))).toEqual([])
    expect(world.machine.lanes.get(TOPIC)!.proven).toBe(12)
  })

  test('an event that never came, came twice under another number, or was changed on the way is told with the span in doubt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 11, max: 30 }), fc.constantFrom('time', 'number'), (at, way) => {
        const world = joined(10)
        world.hear(told(10))
        for (let seq = 11; seq <= 30; seq++) {
          const event = trade(seq)
          world.hear([seq === at && way === 'time' ? { ...event, published: seq + 1 } : event])
        }
        const effects = world.hear(way === 'time' ? told(30) : told(30, digestAt(30) ^ 1))
        expect(effects).toEqual([{ type: 'gap', report: { source: 'digest', topic: TOPIC, from: 11, to: 30 } }])
        // It goes on from what the server says.
        world.hear([trade(31)])
        expect(world.hear(way === 'time' ? told(31) : told(31, digestAfter(digestAt(30) ^ 1, trade(31))))).toEqual([])
      })
    )
  })

  test('a server that stands elsewhere than we do has lost something between us', () => {
    const world = joined(10)
    expect(world.hear(told(12))).toEqual([{ type: 'gap', report: { source: 'digest', topic: TOPIC, from: 11, to: 12 } }])
  })

  test('after a loss that was told it is taken up again from the next one, without a complaint', () => {
    const world = joined(10)
    world.hear([{ op: 'lost', topic: TOPIC, count: 3, from: 11, to: 13, reason: 'slow' }, trade(14)])
    expect(world.hear(told(14))).toEqual([])
    world.hear([trade(15)])
    expect(world.hear(told(15, digestAt(15) ^ 1))).toMatchObject([{ report: { source: 'digest', from: 15, to: 15 } }])
  })

  test('a position sent for a resume has it, and what was missed is checked against the position that answers', () => {
    const world = joined(10)
    world.hear([trade(11)])
    world.cut()
    world.wait()
    expect(sent(world.open())).toMatchObject([{ resume: { [TOPIC]: at(11) } }])
    world.subscribed(13, { recovered: true, position: at(13) })
    expect(kinds(world.hear([trade(12), trade(13)]))).toEqual(['deliver'])
    expect(world.machine.lanes.get(TOPIC)!.proven).toBe(13)
    world.cut()
    world.wait()
    world.open()
    world.subscribed(15, { recovered: true, position: { ...at(15), digest: 1 } })
    expect(world.hear([trade(14), trade(15)])).toMatchObject([
      { type: 'deliver' },
      { type: 'gap', report: { source: 'digest', from: 14, to: 15 } },
      { type: 'deliver' }
    ])
  })
})

describe('a resume of state', () => {
  const QUOTE = 'quote:BTC-USDT'
  const quote = (seq: number): Published => {
    const { topic: _topic, type: _type, ...stamp } = trade(seq, QUOTE)
    return { ...stamp, topic: QUOTE, type: 'quote', bid: 1, bidSize: 1, ask: 2, askSize: 1 } as Published
  }
  const quotesAt = (seq: number) => ({
    epoch: 'e1',
    seq,
    digest: Array.from({ length: seq }, (_, i) => quote(i + 1)).reduce(digestAfter, digestOf('e1', QUOTE))
  })
  const EVERY = { contract: { delivery: 'every' } }
  const away = (to: number, over: object = {}) => {
    const world = drive()
    world.open()
    world.want(QUOTE)
    world.subscribed(5, { position: quotesAt(5), ...EVERY }, QUOTE)
    world.hear([quote(5), quote(6)])
    world.cut()
    world.wait()
    expect(sent(world.open())).toMatchObject([{ resume: { [QUOTE]: quotesAt(6) } }])
    world.subscribed(to, { position: quotesAt(to), recovered: true, ...EVERY, ...over }, QUOTE)
    return world
  }
  const standsAt = (seq: number, digest = quotesAt(seq).digest) => ({
    op: 'digest' as const,
    digests: { [QUOTE]: [seq, digest] as [number, number] }
  })

  test('goes on with the newest alone, which replaced what was missed, and from its digest all is proven again', () => {
    const world = away(20)
    expect(kinds(world.hear([quote(20), quote(21)]))).toEqual(['deliver'])
    const lane = world.machine.lanes.get(QUOTE)!
    expect(lane.proven).toBe(20)
    expect(world.hear(standsAt(21))).toEqual([])
    expect(lane.proven).toBe(21)
    world.hear([quote(22)])
    expect(world.hear(standsAt(22, 1))).toMatchObject([{ report: { source: 'digest', from: 22, to: 22 } }])
  })

  test('allows no other jump: not to what is not the newest, not of what is missing later, nor where each event counts', () => {
    const gap = (from: number, to: number) => ({ type: 'gap', report: { source: 'connection', from, to } })
    expect(away(20).hear([quote(21)])).toMatchObject([gap(7, 20), { type: 'deliver' }])
    const world = away(20)
    world.hear([quote(20)])
    expect(world.hear([quote(23)])).toMatchObject([gap(21, 22), { type: 'deliver' }])
    const traded = joined(10)
    traded.cut()
    traded.wait()
    traded.open()
    traded.subscribed(15, { recovered: true, position: at(15), ...EVERY })
    expect(traded.hear([trade(15)])).toMatchObject([gap(11, 14), { type: 'deliver' }])
  })

  test('with nothing missed goes on as it was, and after a loss from the digest that it is told', () => {
    expect(away(6).machine.lanes.get(QUOTE)).toMatchObject({ proven: 6, digest: quotesAt(6).digest })
    const world = joined(10)
    world.hear([{ op: 'lost', topic: TOPIC, count: 3, from: 11, to: 13, reason: 'slow' }])
    world.cut()
    world.wait()
    world.open()
    world.subscribed(13, { recovered: true, position: at(13), ...EVERY })
    expect(world.machine.lanes.get(TOPIC)).toMatchObject({ proven: 13, digest: at(13).digest })
  })
})

test('a connection cut before the snapshot came is resumed without a complaint, though the digest was told already', () => {
  const world = drive()
  world.open()
  world.want(TOPIC)
  world.subscribed(10, { position: at(10), contract: { delivery: 'every' } })
  world.cut()
  world.wait()
  expect(sent(world.open())).toMatchObject([{ resume: { [TOPIC]: { epoch: 'e1', seq: 9 } } }])
  world.subscribed(12, { recovered: true, position: at(12), contract: { delivery: 'every' } })
  expect(kinds(world.hear([trade(10), trade(11), trade(12), trade(13)]))).toEqual(['deliver'])
  expect(world.hear(told(13))).toEqual([])
  expect(world.machine.lanes.get(TOPIC)!.proven).toBe(13)
})

describe('the contract', () => {
  test('is asked for, kept across a reconnection, and asked anew when it changes', () => {
    const world = drive()
    world.open()
    const lite = { delivery: 'sampled', interval: 500, fields: 'lite' } as const
    expect(sent(world.want([TOPIC, 'quote:BTC-USDT'], lite))).toMatchObject([
      { topics: [TOPIC, 'quote:BTC-USDT'], contract: lite }
    ])
    world.subscribed(1)
    world.cut()
    world.wait()
    expect(sent(world.open())).toMatchObject([{ contract: lite }])
    world.subscribed(1, { recovered: true })
    expect(sent(world.want(TOPIC, { delivery: 'latest' }))).toMatchObject([{ topics: [TOPIC], contract: { delivery: 'latest' } }])
    expect(sent(world.want(TOPIC, { delivery: 'latest' }))).toEqual([])
  })

  test('topics with different ones are asked for in messages of their own', () => {
    const world = drive()
    world.open()
    world.feed({ type: 'want', topics: [TOPIC] })
    world.feed({ type: 'want', topics: ['quote:BTC-USDT'], contract: { delivery: 'latest' } })
    const messages = sent(world.feed({ type: 'flush' }))
    expect(messages).toMatchObject([{ topics: [TOPIC] }, { topics: ['quote:BTC-USDT'], contract: { delivery: 'latest' } }])
    expect(messages[0]).not.toHaveProperty('contract')
  })

  test('under one that conflates a jump is no hole, and under every it is one for quotes too', () => {
    const jump = (delivery: 'every' | 'latest') => {
      const world = drive()
      world.open()
      world.want('quote:BTC-USDT')
      world.subscribed(5, { contract: { delivery } }, 'quote:BTC-USDT')
      return kinds(world.hear([trade(5, 'quote:BTC-USDT'), trade(9, 'quote:BTC-USDT')]))
    }
    expect(jump('latest')).toEqual(['deliver'])
    expect(jump('every')).toEqual(['deliver', 'gap', 'deliver'])
  })

  test('each event counts from where the server stood as it agreed to that, and under a greatest age as well', () => {
    for (const maxAge of [undefined, 50]) {
      const world = drive()
      world.open()
      const every: Contract = maxAge === undefined ? { delivery: 'every' } : { delivery: 'every', maxAge }
      world.want(TOPIC, { delivery: 'latest', maxAge: 50 })
      world.subscribed(5, { position: at(5), contract: { delivery: 'latest', maxAge: 50 } })
      world.hear([trade(5), trade(7)])
      world.want(TOPIC, every)
      world.subscribed(9, { position: at(9), contract: every })
      expect(kinds(world.hear([trade(10)]))).toEqual(['deliver'])
      expect(world.hear(told(10))).toEqual([])
      expect(world.machine.lanes.get(TOPIC)!.proven).toBe(10)
      expect(world.hear([trade(12)])).toMatchObject([{ report: { source: 'connection', from: 11, to: 11 } }, { type: 'deliver' }])
    }
  })

  test('a server that changes it is heard, and what then jumps is no hole', () => {
    const world = joined(10)
    const slow = { op: 'contract', topics: [TOPIC], contract: { delivery: 'latest' }, reason: 'slow' } as const
    expect(kinds(world.hear({ ...slow, topics: [TOPIC] }))).toEqual(['contract'])
    expect(kinds(world.hear([trade(20)]))).toEqual(['deliver'])
  })

  test.each([
    ['of two rates the higher', [{ delivery: 'sampled', interval: 1_000 }, { maxRate: 5 }], { maxRate: 5 }],
    ['latest over sampled', [{ delivery: 'latest' }, { delivery: 'sampled', interval: 100 }], { delivery: 'latest' }],
    ['of fields all that anyone named', [{ fields: ['price'] }, { fields: ['size', 'price'] }], { fields: ['price', 'size'] }],
    ['all fields where one wants a list and another lite', [{ fields: ['price'] }, { fields: 'lite' }], {}],
    ['the greatest age', [{ maxAge: 5 }, { maxAge: 9 }], { maxAge: 9 }],
    ['any age where one does not care', [{ delivery: 'latest', maxAge: 5 }, { delivery: 'latest' }], { delivery: 'latest' }],
    ['everything where one asks for nothing special', [{ delivery: 'latest' }, undefined], undefined]
  ] as const)('readers of one topic are given the strongest of theirs: %s', (_name, contracts, wanted) => {
    const asked = contracts.map((contract) => contract as Parameters<typeof strongest>[0][number])
    expect(strongest(asked)).toEqual(wanted)
    expect(strongest(asked.toReversed())).toEqual(wanted)
  })
})

describe('a wrong contract', () => {
  const number = fc.oneof(
    fc.integer({ min: -5, max: 70_000 }),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.constantFrom(100, 60_000, 1 / 60)
  )
  const some = <T>(all: fc.Arbitrary<T>) =>
    fc.oneof(fc.constant(undefined), fc.constant(undefined), all, fc.constantFrom(null, '1'))
  const field = fc.oneof(fc.constantFrom('price', 'size'), fc.constantFrom('', 'a b', 7))
  const contract = fc.record({
    delivery: some(fc.constantFrom('every', 'latest', 'sampled', 'sampled', 'often')),
    interval: some(number),
    maxRate: some(number),
    fields: some(fc.oneof(fc.constant('lite'), fc.array(field, { maxLength: 3 }), fc.constant(Array(65).fill('price')))),
    maxAge: some(number),
    rate: fc.option(fc.constant(1), { nil: undefined, freq: 9 })
  })

  test('is found here exactly where the server finds it', () => {
    const property = fc.property(contract, (asked) => {
      const given = JSON.parse(JSON.stringify(asked)) as object
      const read = readMessage(JSON.stringify({ op: 'subscribe', topics: [TOPIC], contract: given }))
      const fault = faultIn(given)
      expect(fault === undefined, `${JSON.stringify(given)}: ${fault}`).toBe(read.ok)
    })
    fc.assert(property, { numRuns: 2_000 })
    for (const wrong of [null, [], 'latest']) expect(faultIn(wrong)).toMatch(/^contract: must be an object/)
  })

  test.each([
    { interval: 5, delivery: 'sampled' },
    { delivery: 'sampled' },
    { delivery: 'often' },
    { maxRate: 0 },
    { maxAge: 0 },
    { fields: [] },
    { interval: 500 },
    { rate: 1 }
  ])('%o is told in the words of the server', (given) => {
    const read = readMessage(JSON.stringify({ op: 'subscribe', topics: [TOPIC], contract: given }))
    expect(read).toMatchObject({ ok: false, message: faultIn(given) })
  })

  test('that a later server alone knows of is told once, with its topic, and one in its place is asked', () => {
    const world = drive()
    world.open()
    world.want(TOPIC, { delivery: 'latest' })
    const refused = { op: 'error', id: 1, code: 'BAD_MESSAGE', message: 'contract: not today', retry: false } as const
    expect(world.hear(refused)).toMatchObject([{ type: 'settled', asked: TOPIC, result: { ok: false, code: 'BAD_MESSAGE' } }])
    world.feed({ type: 'change', topics: [TOPIC], contract: { delivery: 'every' } })
    expect(sent(world.feed({ type: 'flush' }))).toMatchObject([{ topics: [TOPIC], contract: { delivery: 'every' } }])
  })

  test('of a topic that was refused for itself, nothing is told again to those who stay', () => {
    const world = drive()
    world.open()
    world.want(TOPIC, { delivery: 'latest' })
    const result = { asked: TOPIC, ok: false, code: 'BAD_SYMBOL', message: 'no' } as const
    world.hear({ op: 'subscribed', id: 1, results: [result] })
    expect(world.feed({ type: 'change', topics: [TOPIC], contract: { delivery: 'every' } })).toEqual([])
    expect(world.feed({ type: 'flush' })).toEqual([])
  })
})

/** Worked out with a program of another language, from the text of PROTOCOL.md. */
const DIGESTS = [1_901_733_839, 511_402_147, 1_781_202_363]
