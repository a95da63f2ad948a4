/** What a broken or hostile provider can send, kind by kind, through the whole road from the socket to the plant. */
import { describe, expect, test } from 'vitest'
import { providers } from '../../src/providers/index.ts'
import type { Tape } from './hostile.tape.ts'
import { tapes } from './hostile.tapes.ts'

const total = (refused: Record<string, number>): number => Object.values(refused).reduce((sum, n) => sum + n, 0)

test('[T15] every provider has a tape here', () => {
  const missing = Object.keys(providers).filter((name) => !tapes.some(({ provider }) => provider === name))
  expect(missing).toEqual([])
})

describe.each(tapes.map((tape) => [`${tape.provider}, ${tape.what}`, tape] as const))('%s', (_name, tape) => {
  const kinds = tape.malformed()

  test(`[T15] each of ${kinds.length} malformed kinds is refused and counted by its reason, and the next good one arrives`, async () => {
    expect(new Set(kinds.map(([name]) => name)).size).toBe(kinds.length)
    expect(kinds.length).toBeGreaterThanOrEqual(tape.least ?? 60)
    const road = await tape.road()
    try {
      const wrong: string[] = []
      for (const kind of kinds) wrong.push(...(await attack(tape, road, kind)))
      if (wrong.length > 0) throw new Error(wrong.join('\n'))
    } finally {
      await road.stop()
    }
  }, 60_000)
})

/** What went wrong, in words. */
async function attack(tape: Tape, road: Awaited<ReturnType<Tape['road']>>, [name, frame]: readonly [string, unknown]) {
  const { say, heard, refused, rejected, stop } = await road.open()
  const wrong: string[] = []
  const counted = () => total(refused()) + (tape.rejects === true ? rejected() : 0)
  try {
    await say(tape.good(0))
    if (heard() !== 1) throw new Error(`${name}: before it a good one did not arrive: ${JSON.stringify(refused())}`)
    const before = counted()
    await say(frame as string)
    if (heard() !== 1 && tape.through?.has(name) !== true) wrong.push(`${name}: came through`)
    const isCounted = counted() > before || tape.silent?.has(name) === true || tape.through?.has(name) === true
    if (!isCounted) wrong.push(`${name}: not counted`)
    const came = heard()
    await say(tape.good(tape.next?.(frame as string) ?? 2))
    if (heard() !== came + 1) wrong.push(`${name}: the next one did not arrive (${JSON.stringify(refused())})`)
  } finally {
    await stop()
  }
  return wrong
}
