/** A peer that is there no more is noticed by pings that nobody answers, long before its silence alone would tell. */
import { expect, test } from 'vitest'
import { ponged, probe, type Probed } from '../../src/connection/probe.ts'

/** Seconds at which a ping left, and at which nobody was there. */
function watch(answers: (second: number) => boolean, heard: (second: number) => number) {
  const pings: number[] = []
  let now = 0
  const slot: Probed = { link: { ping: () => void pings.push(now / 1_000) }, liveSince: 0, probeAt: 0, missed: 0, answers: false }
  for (; now <= 60_000; now += 1_000) {
    if (probe(slot, heard(now / 1_000) * 1_000, now)) return { pings, gone: now / 1_000 }
    if (pings.at(-1) === now / 1_000 && answers(now / 1_000)) ponged(slot, now + 20)
  }
  return { pings, gone: undefined }
}

test('two pings in a row without an answer, and nothing else heard: nobody is there', () => {
  expect(
    watch(
      (second) => second < 15,
      () => 12
    )
  ).toEqual({ pings: [0, 10, 20, 30], gone: 40 })
})
test('a frame is as good as an answer, and who answers is there', () => {
  expect(
    watch(
      (second) => second < 15,
      (second) => second
    ).gone
  ).toBeUndefined()
  expect(
    watch(
      () => true,
      () => 0
    ).gone
  ).toBeUndefined()
})
test('who never answered pings may know none: silence alone is judged there', () => {
  expect(
    watch(
      () => false,
      () => 0
    )
  ).toEqual({ pings: [0, 10, 20, 30, 40, 50, 60], gone: undefined })
})
test('an answer after a missed one measures nothing: nobody knows which ping it answers', () => {
  const slot: Probed = { link: { ping: () => undefined }, liveSince: 0, probeAt: 0, missed: 0, answers: false }
  probe(slot, 0, 0)
  expect(ponged(slot, 30)).toBe(30)
  probe(slot, 0, 10_000)
  probe(slot, 0, 20_000)
  expect(ponged(slot, 20_005)).toBeUndefined()
  probe(slot, 0, 30_000)
  expect(ponged(slot, 30_040)).toBe(40)
})
