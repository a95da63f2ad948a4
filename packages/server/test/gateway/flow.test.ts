/** How much a reader is sent ahead, by how fast he reads: a simulated pipe between a writer that asks and a reader with a pace. */
import { assert, double, integer, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFlow, LEAST } from '../../src/gateway/flow.ts'

const TURN = 10

/** Writes `rate` bytes a millisecond whenever the flow is not full, for a reader of `pace`, whose answers take `trip` ms. */
function play({ rate, pace, trip, turns }: { rate: number; pace: number; trip: number; turns: number }) {
  const flow = createFlow(0)
  let [written, read, held] = [0, 0, 0]
  const probes: { nth: number; at: number }[] = []
  const answers: { nth: number; due: number }[] = []
  const ages: number[] = []
  for (let now = TURN; now <= turns * TURN; now += TURN) {
    read = Math.min(written, read + pace * TURN)
    while (probes[0] && probes[0].at <= read) answers.push({ nth: probes.shift()!.nth, due: now + trip })
    while (answers[0] && answers[0].due <= now) flow.answered(answers.shift()!.nth, now)
    if (flow.isFull(now) || flow.waiting(now) > 1_000) held++
    else {
      written += rate * TURN
      flow.wrote(rate * TURN, now)
    }
    if (flow.isDue(now) || (flow.unprobed() > 16 * 1024 && now - flow.probedAt() >= 500))
      probes.push({ nth: flow.probed(now), at: written })
    ages.push((written - read) / pace)
  }
  return { ages, held, flow }
}

describe('[T6] what lies between us and a reader', () => {
  test('who reads faster than events come is never held up, however far away', () => {
    const cases = record({ rate: integer({ min: 1, max: 2_000 }), faster: double({ min: 2, max: 50, noNaN: true }), trip: integer({ min: 0, max: 90 }) })
    assert(
      property(cases, ({ rate, faster, trip }) => {
        expect(play({ rate, pace: rate * faster, trip, turns: 500 }).held).toBe(0)
      })
    )
  }) // prettier-ignore

  test('who reads more slowly has before long at most five seconds of his own pace before him', () => {
    const cases = record({ pace: integer({ min: 20, max: 500 }), times: double({ min: 1.2, max: 20, noNaN: true }), trip: integer({ min: 0, max: 200 }) })
    assert(
      property(cases, ({ pace, times, trip }) => {
        const { ages, held } = play({ rate: Math.ceil(pace * times), pace, trip, turns: 3_000 })
        expect(held).toBeGreaterThan(0)
        expect(Math.max(...ages.slice(1_500))).toBeLessThan(5_000)
      })
    )
  }) // prettier-ignore

  test('an answer to an earlier question says nothing of a later one', () => {
    const flow = createFlow(0)
    const first = flow.probed(0)
    const second = flow.probed(10)
    flow.answered(first, 20)
    flow.wrote(LEAST * 3, 30)
    const third = flow.probed(30)
    flow.answered(second, 40)
    expect([flow.waiting(50), flow.room()]).toEqual([20, 32 * 1024 - 3 * LEAST])
    flow.answered(third, 60)
    expect([flow.waiting(70), flow.owes()]).toEqual([0, 0])
  })

  test('where the kernel says how much it holds, that is believed as an answer is', () => {
    const flow = createFlow(0, 1_000)
    flow.wrote(100_000, 0)
    expect(flow.isFull(200)).toBe(false)
    flow.passed(40_000, 1_000)
    expect([flow.isFull(1_000), flow.owes(), flow.stalled(1_500)]).toEqual([true, 60_000, 500])
    flow.passed(100_000, 2_000)
    expect([flow.isFull(2_000), flow.stalled(9_000)]).toEqual([false, 0])
  })
})
