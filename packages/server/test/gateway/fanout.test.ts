import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Published, Quote } from '@tickwire/protocol'
import { dialect, type Dialect } from '../../src/dialects/dialect.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits, type Member, type Sink } from '../../src/gateway/fanout.ts'
import { createMember } from '../../src/gateway/member.ts'
import { createMeters } from '../../src/gateway/meters.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { timers } from '../../src/timers.ts'
import { tradeOf } from './rig.ts'

/** What is not shared may remember: this one counts what it rendered. */
type Memory = { rendered: number } | undefined

const plain = (shared: boolean): Dialect<Memory> =>
  dialect<Memory>({
    name: shared ? 'shared' : 'own',
    paths: [],
    maxMessage: 1,
    open: () => ({ memory: undefined, commands: [] }),
    receive: () => [],
    render: ({ topic, seq }: Published, memory) => JSON.stringify({ topic, seq, ...(memory && { nth: ++memory.rendered }) }),
    frame: (texts) => `[${texts.join(',')}]`,
    lost: (topic, count, from, to) => JSON.stringify({ topic, count, from, to }),
    ...(shared ? { shared: true as const } : {})
  })

type Got = { topic: string; seq: number; nth?: number } | { topic: string; count: number; from: number; to: number }

const quoteOf = (instrument: string): Quote => ({
  type: 'quote',
  provider: 'one',
  instrument,
  time: 1,
  received: 1,
  bid: 1,
  bidSize: 1,
  ask: 2,
  askSize: 1
})
const eventOf = (topic: string) => (topic.startsWith('trade') ? tradeOf('X', 1) : quoteOf('X'))

/** A plant, a fan-out without timers of consequence, and readers whose sockets fill and empty as told. */
function createStage(shared: boolean, limits: Partial<FanoutLimits> = {}) {
  const plant = createPlant({ epoch: 'e', keep: () => 20 })
  let now = 0
  const fanout = createFanout({
    plant,
    clock: () => now,
    timers,
    patience: { now: () => now, stop: () => {} },
    flushEvery: 1_000_000,
    limits: { ...FANOUT_LIMITS, outbox: { maxItems: 12, maxWeight: 100_000 }, ...limits },
    meters: createMeters()
  })
  const spoken = plain(shared)
  const readers = Array.from({ length: 4 }, () => {
    const reader = {
      got: [] as Got[],
      full: false,
      rendered: 0,
      /** Where this reader stands in each topic that it holds. */
      at: new Map<string, number>(),
      member: undefined as unknown as Member
    }
    const sink: Sink = {
      write: ({ messages }) => {
        for (const text of messages) reader.got.push(...(JSON.parse(String(text)) as Got[]))
      },
      backlog: () => (reader.full ? Number.MAX_SAFE_INTEGER : 0),
      waiting: () => 0
    }
    reader.member = createMember(spoken, sink, () => {})
    reader.member.memory = { rendered: 0 }
    return reader
  })
  return { plant, fanout, readers, advance: (by: number) => void (now += by) }
}
type Stage = ReturnType<typeof createStage>
type Reader = Stage['readers'][number]

function join({ plant, fanout }: Stage, reader: Reader, topics: readonly string[]) {
  fanout.settle(reader.member)
  const missed: Published[] = []
  const positions = new Map<string, number>()
  for (const topic of topics) {
    if (reader.member.topics.has(topic)) continue
    reader.member.topics.add(topic)
    const joined = plant.subscribe(topic, () => {})
    joined.stop()
    missed.push(...joined.missed)
    positions.set(topic, joined.position.seq - joined.missed.length)
    reader.at.set(topic, joined.position.seq - joined.missed.length)
  }
  if (positions.size > 0) fanout.join(reader.member, missed, positions)
}

function part({ fanout }: Stage, reader: Reader, topic: string) {
  fanout.settle(reader.member)
  check(reader)
  reader.member.topics.delete(topic)
  reader.at.delete(topic)
  fanout.join(reader.member, [], new Map())
}

/** Takes what a reader got: per topic each sequence follows the last, or is a newer state, or was announced as lost. */
function check(reader: Reader) {
  for (const each of reader.got) {
    const at = reader.at.get(each.topic)
    expect(at, `${each.topic} is held`).toBeDefined()
    if ('count' in each) {
      expect(each.from).toBe(at! + 1)
      expect(each.count).toBe(each.to - each.from + 1)
      reader.at.set(each.topic, each.to)
    } else {
      const next = at! + 1
      if (each.nth !== undefined) expect(each.nth, 'each event is rendered once, and in order').toBe(++reader.rendered)
      if (each.topic.startsWith('trade')) expect(each.seq, each.topic).toBe(next)
      else expect(each.seq, each.topic).toBeGreaterThanOrEqual(next)
      reader.at.set(each.topic, each.seq)
    }
  }
  reader.got.length = 0
}

const TOPICS = ['trade:a', 'trade:b', 'quote:c']
const reader = fc.integer({ min: 0, max: 3 })
const topic = fc.constantFrom(...TOPICS)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), topic }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('join' as const), reader, topics: fc.subarray(TOPICS, { minLength: 1 }) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('part' as const), reader, topic }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), reader, full: fc.boolean() }) }
)

function run(stage: Stage, steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  const { plant, fanout, readers, advance } = stage
  for (const each of steps) {
    advance(1)
    if (each.do === 'publish') plant.publish(each.topic, eventOf(each.topic), 1)
    else if (each.do === 'flush') fanout.flush()
    else if (each.do === 'settle') fanout.settle(readers[each.reader]!.member)
    else if (each.do === 'catch up') fanout.catchUp()
    else if (each.do === 'join') join(stage, readers[each.reader]!, each.topics)
    else if (each.do === 'fill') readers[each.reader]!.full = each.full
    else if (readers[each.reader]!.member.topics.has(each.topic)) part(stage, readers[each.reader]!, each.topic)
  }
  for (const one of readers) one.full = false
  fanout.flush()
  fanout.catchUp()
  for (const one of readers) {
    check(one)
    for (const name of one.member.topics) expect(one.at.get(name), `${name} is at its end`).toBe(plant.last(name)?.seq ?? 0)
  }
  fanout.stop()
}

test.for([
  ['shared', true],
  ['own', false]
] as const)(
  'whoever joins, parts, falls behind and comes back: no event comes twice and none is missing (%s frames)',
  ([, shared]) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => run(createStage(shared), steps)),
      { numRuns: 400 }
    )
  }
)

test('one whose dialect remembers is given each event once although some of a flush was written to it before', () => {
  const stage = createStage(false)
  const one = stage.readers[0]!
  join(stage, one, ['trade:a'])
  for (let n = 0; n < 3; n++) stage.plant.publish('trade:a', tradeOf('X', n), 1)
  stage.fanout.settle(one.member)
  stage.plant.publish('trade:a', tradeOf('X', 3), 1)
  stage.fanout.flush()
  expect(one.got.map((each) => 'nth' in each && each.nth)).toEqual([1, 2, 3, 4])
  stage.fanout.stop()
})

test('one that falls behind while an event is still being handed out is owed that event', () => {
  const stage = createStage(true, { burst: 1 })
  const one = stage.readers[0]!
  const { stop } = stage.plant.subscribe('trade:a', () => {
    one.full = true
    stage.plant.publish('trade:b', tradeOf('X', 1), 1)
  })
  join(stage, one, ['trade:a', 'trade:b'])
  stage.plant.publish('trade:a', tradeOf('X', 1), 1)
  one.full = false
  stage.fanout.catchUp()
  expect(one.got).toEqual([
    { topic: 'trade:b', seq: 1 },
    { topic: 'trade:a', seq: 1 }
  ])
  stop()
  stage.fanout.stop()
})

test('readers of the same topics are written the very same bytes, and each is written once per flush', () => {
  const stage = createStage(true)
  const written: Buffer[][] = stage.readers.map(() => [])
  for (const [i, { member }] of stage.readers.entries()) {
    member.sink = { ...member.sink, write: (batch) => void written[i]!.push(batch.bytes()) }
    join(stage, stage.readers[i]!, i % 2 === 0 ? ['trade:a', 'trade:b'] : ['trade:b', 'trade:a'])
  }
  for (let n = 0; n < 10; n++) stage.plant.publish(n % 2 === 0 ? 'trade:a' : 'trade:b', tradeOf('X', n), 1)
  stage.fanout.flush()
  expect(stage.fanout.stats()).toMatchObject({ groups: 1, lanes: 2 })
  expect(written.map((buffers) => buffers.length)).toEqual([1, 1, 1, 1])
  for (const [first] of written) expect(first).toBe(written[0]![0])
  stage.fanout.stop()
})

test('a last value is rendered once for all who join while it stands, and anew once there is a newer one', () => {
  const stage = createStage(true)
  const { dialect: spoken } = stage.readers[0]!.member
  const rendered: number[] = []
  const { render } = spoken
  spoken.render = (event, memory, now) => {
    rendered.push(event.seq)
    return render(event, memory, now)
  }
  stage.plant.publish('quote:c', quoteOf('X'), 1)
  for (const one of stage.readers.slice(0, 3)) join(stage, one, ['quote:c'])
  expect(rendered).toEqual([1])
  stage.plant.publish('quote:c', quoteOf('X'), 1)
  join(stage, stage.readers[3]!, ['quote:c'])
  expect(rendered).toEqual([1, 2])
  expect(stage.readers.map(({ got }) => got)).toEqual([1, 1, 1, 2].map((seq) => [{ topic: 'quote:c', seq }]))
  stage.fanout.stop()
})

test('nothing is left behind when the last reader has gone', () => {
  const stage = createStage(true)
  for (const one of stage.readers) join(stage, one, TOPICS)
  for (const { member } of stage.readers) stage.fanout.drop(member)
  expect(stage.fanout.stats()).toEqual({ groups: 0, lanes: 0, behind: 0 })
  expect(TOPICS.map((name) => stage.plant.listeners(name))).toEqual([0, 0, 0])
  stage.fanout.stop()
})
