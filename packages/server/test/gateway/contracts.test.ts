/** Contracts by properties: whatever clients ask for and however slowly they read, each is given what it was promised. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_CONTRACT, LITE, type AskedContract, type Contract, type MarketEvent, type Published } from '@tickwire/protocol'
import { native } from '../../src/dialects/native.ts'
import { contractFor } from '../../src/gateway/contracts.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits, type Member, type Sink } from '../../src/gateway/fanout.ts'
import { createMember } from '../../src/gateway/member.ts'
import { createMeters } from '../../src/gateway/meters.ts'
import { keepFor } from '../../src/plant/keep.ts'
import { createPlant } from '../../src/plant/plant.ts'
import type { Timers } from '../../src/timers.ts'
import { readFrames, type Frame } from './frames.ts'

/** Time that passes when told to. */
function createTime() {
  let now = 1_000_000
  const calls = new Set<{ at: number; act: () => void }>()
  const timers: Timers = {
    after(ms, act) {
      const call = { at: now + Math.max(0, ms), act }
      calls.add(call)
      return () => void calls.delete(call)
    },
    every: () => () => {}
  }
  const pass = (ms: number) => {
    const end = now + ms
    for (;;) {
      const [next] = [...calls].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (!next) break
      calls.delete(next)
      now = Math.max(now, next.at)
      next.act()
    }
    now = end
  }
  return { timers, pass, now: () => now }
}

const EVENTS: Record<string, (received: number) => MarketEvent> = {
  'trade:A': (received) => ({ ...stamp(received), type: 'trade', price: 1, size: 2, side: 'buy', id: 'x' }),
  'quote:A': (received) => ({ ...stamp(received), type: 'quote', bid: 1, bidSize: 1, ask: 2, askSize: 1 }),
  'candle:A:1m': (received) => ({
    ...stamp(received),
    type: 'candle',
    interval: '1m',
    // Bars follow each other, and now and then one is closed, or closed anew.
    start: Math.floor(received / 40) * 40,
    open: 1,
    high: 1,
    low: 1,
    close: 1,
    volume: 1,
    closed: received % 3 === 0,
    revision: 0
  }),
  'halt:A': (received) => ({ ...stamp(received), type: 'halt', state: 'trading' })
}
const stamp = (received: number) => ({ provider: 'one', instrument: 'A', time: received, received })
const TOPICS = Object.keys(EVENTS)
const CANDLE = 'candle:A:1m'

type Told = Published | { op: 'lost'; topic: string; from: number; to: number; count: number; reason: string }
type Said = Told[] | { op: 'contract'; topics: string[]; contract: Contract; reason: string }

const FORMS = [
  ['json', false],
  ['json', false],
  ['json', true],
  ['msgpack', false],
  ['msgpack', true]
] as const

function createStage(limits: Partial<FanoutLimits> = {}, spoken = native) {
  const time = createTime()
  const plant = createPlant({ epoch: 'e', keep: keepFor(30) })
  const meters = createMeters()
  const fanout = createFanout({
    plant,
    clock: time.now,
    timers: time.timers,
    patience: { now: time.now, stop: () => {} },
    flushEvery: 16,
    limits: { ...FANOUT_LIMITS, outbox: { maxItems: 12, maxWeight: 100_000 }, forgiveAfter: 300, cutAfter: 1e9, ...limits },
    meters
  })
  const readers = FORMS.map(([encoding, deflate]) => {
    const reader = {
      frames: [] as Frame[],
      full: false,
      cut: false,
      at: new Map<string, number>(),
      asked: new Map<string, Contract>(),
      inForce: new Map<string, Contract>(),
      member: undefined as unknown as Member
    }
    const sink: Sink = {
      deflate,
      write: (batch) => {
        reader.frames.push(...readFrames(batch.bytes()))
        return true
      },
      backlog: () => (reader.full ? Number.MAX_SAFE_INTEGER : 0),
      waiting: () => 0
    }
    const { memory } = native.open(
      { path: '/v1/ws', query: {}, rest: '', session: 's' },
      { server: '', epoch: 'e', mode: 'demo' } as never,
      0
    )
    reader.member = createMember(spoken, sink, () => {
      reader.cut = true
      fanout.drop(reader.member)
    })
    reader.member.memory = { ...memory, encoding }
    reader.member.encoding = encoding
    return reader
  })
  const publish = (topic: string, received = time.now()) => plant.publish(topic, EVENTS[topic]!(received), time.now())
  return { plant, fanout, meters, readers, publish, ...time }
}
type Stage = ReturnType<typeof createStage>
type Reader = Stage['readers'][number]

/** As a session does it. */
function subscribe({ plant, fanout }: Stage, reader: Reader, topic: string, asked: AskedContract | undefined) {
  const { member } = reader
  fanout.settle(member, asked !== undefined)
  check(reader)
  const before = member.topics.has(topic)
  const contract = asked ? contractFor(topic, asked) : (reader.asked.get(topic) ?? DEFAULT_CONTRACT)
  reader.asked.set(topic, contract)
  if (asked) member.contracts.set(topic, contract)
  member.topics.add(topic)
  // Where each is asked for, each counts from where the server stands as it agrees.
  if (before && contract.delivery === 'every' && reader.inForce.get(topic)!.delivery !== 'every' && !member.behind)
    reader.at.set(topic, plant.position(topic).seq)
  const isSlow = member.slow !== undefined && contract.delivery === 'every' && topic !== 'halt:A'
  reader.inForce.set(topic, isSlow ? { ...contract, delivery: 'latest' } : contract)
  if (before) return fanout.join(member, [], new Map())
  const { missed, position, stop } = plant.subscribe(topic, () => {})
  stop()
  reader.at.set(topic, position.seq - missed.length)
  fanout.join(member, missed, new Map([[topic, position.seq - missed.length]]))
}

function part({ fanout }: Stage, reader: Reader, topic: string) {
  fanout.settle(reader.member)
  check(reader)
  reader.member.topics.delete(topic)
  reader.member.contracts.delete(topic)
  for (const known of [reader.at, reader.asked, reader.inForce]) known.delete(topic)
  fanout.join(reader.member, [], new Map())
}

const ALWAYS = ['topic', 'type', 'seq', 'published']
function checkFields(event: Published, { fields }: Contract) {
  const whole = Object.keys(EVENTS[event.topic]!(0))
  const wanted = fields === 'lite' ? (LITE[event.type] ?? whole) : (fields ?? whole)
  const expected = new Set([...ALWAYS, ...whole.filter((name) => (wanted as readonly string[]).includes(name))])
  expect(new Set(Object.keys(event))).toEqual(expected)
}

function take(reader: Reader, each: Told) {
  const { topic } = each
  const at = reader.at.get(topic)
  const contract = reader.inForce.get(topic)!
  expect(at, `${topic} is held`).toBeDefined()
  if ('op' in each) {
    // Of candles that are no longer kept nobody knows whether one was closed.
    const promised = each.reason === 'age' ? reader.asked.get(topic)! : contract
    if (topic !== CANDLE) expect(promised.delivery, `${topic} was promised each`).toBe('every')
    expect(each.count).toBe(each.to - each.from + 1)
    if (contract.delivery === 'every') expect(each.from).toBe(at! + 1)
    else expect(each.from).toBeGreaterThan(at!)
    if (each.reason === 'age') expect(contract.maxAge).toBeDefined()
    else expect(topic, 'what counts is not lost').not.toBe('halt:A')
    reader.at.set(topic, each.to)
    return
  }
  checkFields(each, contract)
  if (contract.delivery === 'every') expect(each.seq, topic).toBe(at! + 1)
  else expect(each.seq, topic).toBeGreaterThan(at!)
  reader.at.set(topic, each.seq)
}

/** Takes what a reader was told, each under the contract that was in force there. */
function check(reader: Reader) {
  for (const { value, binary } of reader.frames.splice(0)) {
    expect(binary).toBe(reader.member.encoding === 'msgpack')
    const said = value as Said
    if (Array.isArray(said)) {
      for (const each of said) take(reader, each)
      continue
    }
    for (const topic of said.topics) {
      const asked = reader.asked.get(topic)
      // It was told while the topic was held.
      if (asked === undefined) continue
      expect(asked.delivery).toBe('every')
      reader.inForce.set(topic, said.contract)
      expect(said.contract).toEqual(said.reason === 'slow' ? { ...asked, delivery: 'latest' } : asked)
    }
  }
}

const reader = fc.nat(FORMS.length - 1)
const topic = fc.constantFrom(...TOPICS)
/** Few, so that clients share lanes. */
const contract = fc.constantFrom<(AskedContract | undefined)[]>(
  undefined,
  undefined,
  {},
  { delivery: 'latest' },
  { delivery: 'latest', fields: 'lite' },
  { maxRate: 20 },
  { delivery: 'sampled', interval: 200, fields: ['price', 'bid'] },
  { fields: ['side', 'nothing'], maxAge: 50 },
  { delivery: 'latest', maxAge: 50 },
  { delivery: 'latest', maxAge: 1_000 }
)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topic,
      times: fc.constantFrom(1, 1, 1, 12),
      age: fc.constantFrom(0, 0, 30, 100)
    })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 60, 400) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      reader,
      topic,
      contract
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('part' as const), reader, topic }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), reader, full: fc.boolean() }) }
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function perform(stage: Stage, each: Step) {
  const { fanout, readers, publish, pass, now } = stage
  if (each.do === 'publish') {
    for (let n = 0; n < each.times; n++) publish(each.topic, now() - each.age - n)
    return undefined
  }
  if (each.do === 'pass') return pass(each.ms)
  const one = readers[each.reader]!
  if (one.cut) return undefined
  if (each.do === 'settle') return fanout.settle(one.member)
  if (each.do === 'fill') return (one.full = each.full)
  if (each.do === 'subscribe') return subscribe(stage, one, each.topic, each.contract)
  if (one.member.topics.has(each.topic)) part(stage, one, each.topic)
  return undefined
}

test('whatever is asked and however it is read: each as promised, or counted as lost; the newest in the end; never twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const stage = createStage()
      const { fanout, readers, pass, plant } = stage
      for (const each of steps) perform(stage, each)
      for (const one of readers) one.full = false
      pass(2_000)
      for (const one of readers.filter(({ cut }) => !cut)) {
        check(one)
        for (const name of one.member.topics) {
          const { maxAge, delivery } = one.inForce.get(name)!
          const last = plant.last(name)?.seq ?? 0
          if (maxAge === undefined || delivery === 'every') expect(one.at.get(name), `${name} is at its end`).toBe(last)
        }
        const standing = fanout.standing(one.member)
        for (const [name, at] of Object.entries(standing)) expect(at).toEqual([one.at.get(name), plant.digestAt(name, at[0])])
        const every = [...one.member.topics].filter((name) => one.inForce.get(name)!.delivery === 'every')
        expect(Object.keys(standing).toSorted()).toEqual(every.toSorted())
        fanout.drop(one.member)
      }
      expect(fanout.stats()).toMatchObject({ groups: 0, lanes: 0, behind: 0, slow: 0 })
      fanout.stop()
    }),
    { numRuns: 500 }
  )
})

const counting = (rendered: number[]): typeof native => ({
  ...native,
  render: (event, memory, now) => {
    rendered.push(event.seq)
    return native.render(event, memory, now)
  }
})

test('an event is rendered once for all who are given it in one form, whatever else they hold', () => {
  const rendered: number[] = []
  const stage = createStage({}, counting(rendered))
  const [one, two, three, packed] = stage.readers as [Reader, Reader, Reader, Reader]
  for (const name of TOPICS) subscribe(stage, one, name, {})
  subscribe(stage, two, 'trade:A', {})
  subscribe(stage, three, 'trade:A', { delivery: 'latest' })
  subscribe(stage, packed, 'trade:A', {})
  for (let n = 0; n < 5; n++) stage.publish('trade:A')
  stage.pass(20)
  expect(rendered).toEqual([1, 2, 3, 4, 5])
  expect(seqsOf(one)).toEqual([1, 2, 3, 4, 5])
  expect(seqsOf(two)).toEqual([1, 2, 3, 4, 5])
  expect(seqsOf(three)).toEqual([5])
  expect(seqsOf(packed)).toEqual([1, 2, 3, 4, 5])
  stage.fanout.stop()
})

const seqsOf = ({ frames }: Reader): number[] =>
  frames.splice(0).flatMap(({ value }) => (Array.isArray(value) ? (value as Published[]).map(({ seq }) => seq) : []))

test('`latest` is the newest at each flush, `sampled` the newest at multiples of its interval, which all clients share', () => {
  const stage = createStage()
  const [latest, sampled, late] = stage.readers as [Reader, Reader, Reader]
  subscribe(stage, latest, 'quote:A', { delivery: 'latest' })
  subscribe(stage, sampled, 'quote:A', { delivery: 'sampled', interval: 1_000 })
  stage.pass(250)
  subscribe(stage, late, 'quote:A', { maxRate: 1 })
  const times: number[] = []
  for (let n = 0; n < 40; n++) {
    stage.publish('quote:A')
    stage.pass(50)
    if (sampled.frames.length > times.length) times.push(stage.now() % 1_000)
  }
  expect(latest.frames.length).toBe(40)
  expect(seqsOf(sampled)).toEqual([15, 35])
  expect(seqsOf(late)).toEqual([15, 35])
  expect(times.every((at) => at < 50)).toBe(true)
  stage.fanout.stop()
})

test('of a candle topic the newest closed one stands beside the forming one', () => {
  const stage = createStage()
  const [one] = stage.readers as [Reader]
  subscribe(stage, one, 'candle:A:1m', { delivery: 'latest' })
  for (const received of [1, 2, 3, 4, 5]) stage.publish('candle:A:1m', received)
  stage.pass(20)
  expect(seqsOf(one)).toEqual([3, 5])
  stage.fanout.stop()
})

test('what is too old for its contract is lost by age, where each was promised', () => {
  const stage = createStage()
  const [one, two] = stage.readers as [Reader, Reader]
  subscribe(stage, one, 'trade:A', { maxAge: 100 })
  subscribe(stage, two, 'trade:A', { delivery: 'latest', maxAge: 100 })
  for (const age of [0, 200, 300, 0, 500]) stage.publish('trade:A', stage.now() - age)
  stage.pass(1)
  const lost = (from: number, to: number) => ({ op: 'lost', topic: 'trade:A', count: to - from + 1, from, to, reason: 'age' })
  expect(one.frames.flatMap(({ value }) => value)).toMatchObject([{ seq: 1 }, lost(2, 3), { seq: 4 }, lost(5, 5)])
  expect(two.frames).toEqual([])
  stage.fanout.stop()
})

test('a slow client who asked for each is told what is too old while it has the newest alone: caught up, its stream goes on without a jump', () => {
  const stage = createStage()
  const [slow, latest] = stage.readers as [Reader, Reader]
  subscribe(stage, slow, 'trade:A', { maxAge: 50 })
  subscribe(stage, latest, 'trade:A', { delivery: 'latest', maxAge: 50 })
  slow.full = true
  stage.publish('trade:A')
  stage.pass(20)
  for (let n = 0; n < 40; n++) stage.publish('trade:A')
  slow.full = false
  stage.pass(20)
  expect(slow.frames.map(({ value }) => value)).toContainEqual(expect.objectContaining({ op: 'contract', reason: 'slow' }))
  check(slow)
  latest.frames.splice(0)
  for (const age of [0, 60, 60, 60]) stage.publish('trade:A', stage.now() - age)
  stage.pass(400)
  stage.publish('trade:A')
  stage.pass(20)
  const lost = { op: 'lost', topic: 'trade:A', count: 1, from: 45, to: 45, reason: 'age' }
  const told = slow.frames.map(({ value }) => value)
  expect(told).toMatchObject([[lost], { op: 'contract', contract: { delivery: 'every', maxAge: 50 } }, [{ seq: 46 }]])
  check(slow)
  expect(seqsOf(latest)).toEqual([46])
  stage.fanout.stop()
})

test('[T6] of kinds of which each counts nothing is dropped: who cannot be given all of them is let go', () => {
  const stage = createStage()
  const [one, two] = stage.readers as [Reader, Reader]
  for (const each of [one, two]) subscribe(stage, each, 'halt:A', { delivery: 'latest' })
  one.full = two.full = true
  stage.publish('halt:A')
  stage.pass(20)
  for (let n = 0; n < 10; n++) stage.publish('halt:A')
  two.full = false
  stage.pass(20)
  expect(seqsOf(two)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  for (let n = 0; n < 10; n++) stage.publish('halt:A')
  one.full = false
  stage.pass(20)
  expect([one.cut, two.cut]).toEqual([true, false])
  stage.fanout.stop()
})

test('frames are compressed once for all who are given the same, and read the same as those that are not', () => {
  const stage = createStage()
  const [plain, , small, packed, both] = stage.readers as [Reader, Reader, Reader, Reader, Reader]
  const all = [plain, small, packed, both]
  for (const each of all) for (const name of ['trade:A', 'quote:A']) subscribe(stage, each, name, {})
  for (let n = 0; n < 100; n++) stage.publish(n % 2 === 0 ? 'trade:A' : 'quote:A')
  stage.pass(20)
  const [wide, narrow, tight, tightest] = all.map(({ frames }) => frames.at(-1)!)
  expect([wide, narrow, tight, tightest].map((frame) => frame!.compressed)).toEqual([false, true, false, true])
  expect(narrow!.value).toEqual(wide!.value)
  expect(tight!.value).toEqual(wide!.value)
  expect(tightest!.value).toEqual(wide!.value)
  expect(wide!.bytes / narrow!.bytes).toBeGreaterThan(4)
  expect(tight!.bytes).toBeLessThan(wide!.bytes)
  stage.fanout.stop()
})
