/** The news of the street. */
import { expect, test } from 'vitest'
import { stories } from '../src/wire.ts'

const SUBJECTS = [
  { instrument: 'AAPL', name: 'Apple' },
  { instrument: 'SPY', name: 'S&P 500' }
]
const FROM = 1_790_000_000_000
const tell = (seed: number, from: number, to: number) => stories(seed, 'here', SUBJECTS, from, to)

test('every story says that it is simulated, and is about what the venue trades', () => {
  const told = tell(1, FROM, FROM + 3_600_000)
  expect(told.length).toBeGreaterThan(100)
  for (const { headline, source, instruments } of told) {
    expect([headline.startsWith('Simulated: '), source]).toEqual([true, 'Simulated wire'])
    expect(instruments.every((id) => SUBJECTS.some(({ instrument }) => instrument === id))).toBe(true)
  }
})

test('however the time is cut, each story is told once and in order; another seed tells others', () => {
  const whole = tell(1, FROM, FROM + 600_000)
  const parts = Array.from({ length: 600 }, (_, i) => tell(1, FROM + i * 1_000, FROM + (i + 1) * 1_000)).flat()
  expect(parts).toEqual(whole)
  expect(whole.map(({ time }) => time)).toEqual(whole.map(({ time }) => time).sort((a, b) => a - b))
  expect(tell(2, FROM, FROM + 600_000)).not.toEqual(whole)
})
