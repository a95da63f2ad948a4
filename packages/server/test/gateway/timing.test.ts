/** How long it takes to refuse a key tells nothing of the right one. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createAuth, sha256 } from '../../src/gateway/auth.ts'

const RIGHT = 'tw_0123456789ab_' + 'a'.repeat(43)
/** Wrong in the last character, and wrong in all of the secret: the id before it is no secret, and is counted by. */
const NEAR = `${RIGHT.slice(0, -1)}b`
const FAR = 'tw_0123456789ab_' + 'Q'.repeat(43)
const SAMPLES = 600
const CALLS = 10

const variance = (of: readonly number[], mean: number): number =>
  of.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (of.length - 1)
const meanOf = (of: readonly number[]): number => of.reduce((sum, each) => sum + each, 0) / of.length
/** Of each the faster two thirds: what the machine did meanwhile makes some slow, and none fast. */
const calm = (of: readonly number[]): number[] => of.toSorted((a, b) => a - b).slice(0, (SAMPLES * 2) / 3)

/** Welch's t of the times that two tokens take, measured by turns. */
async function welch(check: (token: string) => unknown): Promise<number> {
  const times: [near: number[], far: number[]] = [[], []]
  for (let n = 0; n < 2 * SAMPLES; n++) {
    const token = n % 2 === 0 ? NEAR : FAR
    const began = process.hrtime.bigint()
    for (let call = 0; call < CALLS; call++) await check(token)
    times[n % 2]?.push(Number(process.hrtime.bigint() - began))
  }
  const [near, far] = [calm(times[0]), calm(times[1])]
  const [a, b] = [meanOf(near), meanOf(far)]
  return Math.abs(a - b) / Math.sqrt(variance(near, a) / near.length + variance(far, b) / far.length)
}
/** Noise may part two that are equal once, but not each time; what leaks does it each time. */
async function least(check: (token: string) => unknown): Promise<number> {
  const found: number[] = []
  for (let n = 0; n < 6; n++) found.push(await welch(check))
  return Math.min(...found)
}

test('[S4] a key that is wrong in its last character takes as long as one that is wrong in all', async () => {
  const auth = createAuth([sha256(RIGHT).toString('hex'), sha256('another').toString('hex')], [], Infinity)
  expect((await auth.try(RIGHT, 'here', () => 1)).who).toBeDefined()
  // Each at another minute: wrong ones of one minute are counted, and the counting is not what is measured.
  let now = 1
  expect(
    await least((token) => {
      now += 61_000
      return auth.try(token, 'here', () => now)
    })
  ).toBeLessThan(4.5)
}, 60_000)

test('[S4] a comparison that ends at the first difference would be seen by this', async () => {
  const leaking = (token: string): boolean => {
    for (let i = 0; i < RIGHT.length; i++) if (token.codePointAt(i) !== RIGHT.codePointAt(i)) return false
    return true
  }
  expect(await least(leaking)).toBeGreaterThan(4.5)
}, 60_000)

test('[S4] keys are compared as SHA-256, all of them, by a function that takes the same time always', () => {
  const read = (path: string) => readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8')
  expect(read('gateway/auth.ts')).toContain('hashes.filter((known) => timingSafeEqual(known, hash))')
  expect(read('store/access.ts')).toContain('timingSafeEqual(known?.hash ?? pepper, hash)')
})
