/** The player by table: where it should be by now, and what follows from an order. */
import { describe, expect, test } from 'vitest'
import { journalOf, play, tradesEvery, wiringOf } from './kit.ts'
import { arrived, changed, dueBy, finished, openPlayer, rested, type Place, type Player } from '../../src/replay/player.ts'

const place: Place = { at: 1_000, events: 50, from: 0 }
const playing = (more: Partial<Player> = {}): Player => ({
  ...arrived(openPlayer({ run: 'r' }, 0, 0), { at: 0, events: 0, from: 0 }, [], 0),
  ...more
})

describe('[S2-39] where it should be', () => {
  test.each([
    [1, 400, 400],
    [0.1, 400, 40],
    [100, 400, 40_000],
    [0, 400, Infinity]
  ])('at %s times its pace, after %s ms: %s', (speed, now, at) => {
    expect(dueBy(playing({ speed }), now)).toBe(at)
  })

  test('nowhere while it stands, has ended, or is live', () => {
    for (const phase of ['paused', 'ended', 'live', 'failed'] as const) expect(dueBy(playing({ phase }), 400)).toBeUndefined()
  })

  test('a change of pace counts from where it is', () => {
    const faster = changed(playing(), { speed: 10 }, place, [], 1_000)
    expect(dueBy(faster, 1_100)).toBe(2_000)
  })

  test('a pause costs nothing of the recording', () => {
    const paused = changed(playing(), { paused: true }, place, [], 1_000)
    expect(dueBy(paused, 5_000)).toBeUndefined()
    expect(dueBy(changed(paused, { paused: false }, place, [], 9_000), 9_010)).toBe(1_010)
  })
})

describe('[S2-39] what follows from an order', () => {
  const marks = [10, 30, 44, 50].map((events, moves) => ({ moves, events, at: 200 + 100 * moves }))

  test('a step pauses it once so much is published', () => {
    const stepping = changed(playing(), { step: 3 }, place, [], 1_000)
    expect(stepping).toMatchObject({ phase: 'playing', paused: true, stepTo: 53 })
    expect(rested(stepping, 1_001, 1_001)).toMatchObject({ phase: 'paused', stepTo: undefined })
  })

  test('a step back is a seek to the last place before so many events', () => {
    expect(changed(playing(), { step: -1 }, place, marks, 0).goal).toEqual({ moves: 2 })
    expect(changed(playing(), { step: -15 }, place, marks, 0).goal).toEqual({ moves: 1 })
    expect(changed(playing(), { step: -49 }, place, marks, 0).goal).toEqual({ time: 0 })
  })

  test('a step back goes no further than to the beginning of the span, though what is before it was played', () => {
    const later = { ...place, from: 350 }
    expect(changed(playing(), { step: -1 }, later, marks, 0).goal).toEqual({ moves: 2 })
    expect(changed(playing(), { step: -15 }, later, marks, 0).goal).toEqual({ time: 350 })
  })

  test('steps that are ordered while it hurries are taken from where that ends', () => {
    const hurrying = changed(playing(), { seek: 700, step: 2 }, place, [], 0)
    expect(hurrying).toMatchObject({ phase: 'seeking', goal: { time: 700 }, stepTo: undefined })
    const there = { at: 700, events: 40, from: 0 }
    const on = changed(hurrying, { step: 3 }, place, [], 0)
    expect(arrived(on, there, [], 10)).toMatchObject({ phase: 'playing', paused: true, stepTo: 45, steps: 0 })
    const back = changed(on, { step: -10 }, place, [], 0)
    expect(arrived(back, there, marks, 10)).toMatchObject({ phase: 'seeking', paused: true, goal: { moves: 1 }, turn: 2 })
    // Whoever sends it elsewhere, or lets it play, does not want them any more.
    for (const change of [{ seek: 800 }, { paused: false }])
      expect(arrived(changed(on, change, place, [], 0), there, [], 10)).toMatchObject({ stepTo: undefined })
  })

  test('each seek is another playing, and it is paused after it if it was before', () => {
    const paused = playing({ phase: 'paused', paused: true })
    const seeking = changed(paused, { seek: 700 }, place, [], 0)
    expect(seeking).toMatchObject({ phase: 'seeking', turn: 1, goal: { time: 700 } })
    expect(arrived(seeking, { ...place, at: 700 }, [], 10)).toMatchObject({ phase: 'paused', goal: undefined })
    expect(changed(seeking, { seek: 800 }, place, [], 0).turn).toBe(2)
  })

  test('at its end it loops, stands, or goes on with what is live', () => {
    expect(finished(playing({ loop: true }), 0, 9, 9)).toMatchObject({ phase: 'seeking', turn: 1 })
    expect(finished(playing(), 0, 9, 9).phase).toBe('ended')
    expect(finished(playing({ ending: 'live' }), 0, 9, 9).phase).toBe('live')
  })

  test('once it has ended nothing but a seek moves it', () => {
    const over = finished(playing(), 0, 9, 9)
    for (const change of [{ paused: false }, { speed: 5 }, { step: 4 }])
      expect(changed(over, change, place, [], 0).phase).toBe('ended')
    expect(changed(over, { seek: 3 }, place, [], 0).phase).toBe('seeking')
  })
})

test('as fast as it goes it works in short turns, and whatever else there is to do is done in between', async () => {
  let time = 0
  let others = 0
  let over = false
  const other = (): void => {
    others++
    if (!over) setImmediate(other)
  }
  // Each look at the time costs a millisecond: a turn ends after four of them.
  const { replay, ended } = play(wiringOf(journalOf(tradesEvery(1, 4_000))), { speed: 0 }, { elapsed: () => ++time })
  other()
  await ended()
  over = true
  replay.stop()
  expect(others).toBeGreaterThan(4_000 / 16 / 4 / 2)
})

test('readers are waited for as often as there is much for them: what services publish and nobody listens to costs them nothing', async () => {
  const looksWith = async (topics: readonly string[]): Promise<number> => {
    let looks = 0
    const order = { speed: 0, paused: true }
    const { replay, until, ended } = play(wiringOf(journalOf(tradesEvery(50, 2_000))), order, { elapsed: () => 0 })
    await until(() => replay.state().phase === 'paused')
    replay.join({ onShown: () => {}, isBehind: () => ++looks < 0 })
    for (const topic of topics) replay.shown().plant.subscribe(topic, () => {})
    replay.change({ paused: false })
    await ended()
    expect(replay.state().events).toBeGreaterThan(5_000)
    replay.stop()
    return looks
  }
  expect(await looksWith(['change:BTC-USDT'])).toBeLessThan(6)
  expect(await looksWith(['trade:BTC-USDT', 'trade:ETH-USDT'])).toBeGreaterThanOrEqual(2_000 / 500)
})
