import type { News } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { news } from '../../src/services/news.ts'

const story = (more: Partial<News>): News => ({
  type: 'news',
  provider: 'a',
  instrument: 'all',
  time: 1_000,
  received: 1_000,
  id: '1',
  headline: 'Profit up 5 %',
  instruments: [],
  ...more
})
function tell(...stories: News[]) {
  const state = news.open()
  return stories.map((one) => news.fold(state, one).map(({ topic, event }) => [topic, event as News] as const))
}

test('a story goes to all and to each instrument that it is about', () => {
  const [outputs] = tell(story({ instruments: ['AAPL', 'MSFT'] }))
  expect(outputs!.map(([topic]) => topic)).toEqual(['news:all', 'news:AAPL', 'news:MSFT'])
  expect(outputs!.map(([, { instrument }]) => instrument)).toEqual(['all', 'AAPL', 'MSFT'])
})
test.each([
  ['the same id of one provider', {}, {}],
  [
    'the same address, whatever the tracking',
    { url: 'https://X.example/a/?utm_source=1' },
    { provider: 'b', id: '2', headline: 'Other', url: 'https://x.example/a' }
  ],
  ['the same headline within a day', {}, { provider: 'b', id: '2', headline: 'PROFIT up “5 %”' }]
])('%s is told once', (_, first, second) => {
  const [one, two] = tell(story(first), story(second))
  expect([one!.length, two!.length]).toEqual([1, 0])
})
test('the same headline a day later is another story', () => {
  const [, two] = tell(story({}), story({ id: '2', time: 90_000_000 }))
  expect(two!.length).toBe(1)
})
test('a later teller adds its instruments, under the first id', () => {
  const [, two] = tell(story({ instruments: ['AAPL'] }), story({ provider: 'b', id: '9', instruments: ['MSFT'] }))
  expect(two![0]![1]).toMatchObject({ id: '1', provider: 'a', instruments: ['AAPL', 'MSFT'] })
})
test('an edited story is an update of it', () => {
  const [, two] = tell(story({}), story({ headline: 'Profit up 6 %', received: 5_000 }))
  expect(two![0]![1]).toMatchObject({ id: '1', headline: 'Profit up 6 %', updated: 5_000 })
})
test('it remembers 15,000 names at most, the newest 5,000 stories', () => {
  const state = news.open()
  for (let i = 0; i < 20_000; i++) news.fold(state, story({ id: String(i), headline: `Story ${i}` }))
  expect(state.keys.size).toBeLessThanOrEqual(15_002)
})
