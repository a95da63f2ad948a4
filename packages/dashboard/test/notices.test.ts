/** The lines of the log: what was missing, and what came of it, in words. */
import type { Gap, GapFilled, Published } from '@tickwire/client'
import { expect, test } from 'vitest'
import { addNotice, filledNotice, gapNotice, type Notice } from '../src/model/notices.ts'

const stamp = {
  provider: 'kraken',
  instrument: 'BTC-USDT',
  time: 1,
  received: 1,
  topic: 'gap:BTC-USDT',
  seq: 1,
  published: 5_000
}
const gap = (more: Partial<Gap> = {}): Published<Gap> => ({
  ...stamp,
  type: 'gap',
  kind: 'trade',
  from: 1_000,
  to: 3_300,
  cause: 'sequence',
  action: 'open',
  ...more
})
const filled = (more: Partial<GapFilled> = {}): Published<GapFilled> => ({
  ...stamp,
  type: 'gap_filled',
  kind: 'trade',
  gap: 'g1',
  from: 1_000,
  to: 3_300,
  how: 'rest',
  by: 'kraken',
  items: 12,
  ...more
})

test.each<[Partial<GapFilled>, string]>([
  [{}, 'kraken trade: gap (2.3 s) filled: 12 events, asked of kraken'],
  [{ how: 'provider', by: 'binance', items: 1_234 }, 'kraken trade: gap (2.3 s) filled: 1,234 events, taken from binance'],
  [{ kind: 'book', how: 'snapshot', items: 1, to: 1_000 }, 'kraken book: gap filled: 1 event, the newest state, of kraken'],
  [{ items: 0 }, 'kraken trade: gap (2.3 s) filled: nothing was missing, asked of kraken'],
  [{ own: true }, 'kraken trade: gap (2.3 s) filled: 12 events, asked of kraken, on its own topic']
])('what filled a gap is told with how and how many: %j', (more, text) =>
  expect(filledNotice(filled(more))).toMatchObject({ kind: 'filled', tone: 'good', instrument: 'BTC-USDT', at: 5_000, text })
)

test('a gap and its filling are two lines; the same filling of many instruments at once is one with a count', () => {
  const told = [gapNotice(gap()), filledNotice(filled()), filledNotice(filled({ instrument: 'ETH-USDT' }))]
  const notices = told.reduce<Notice[]>((all, one) => addNotice(all, one), [])
  expect(
    notices.map(({ kind, more }) => [kind, more]).toSorted(([a = ''], [b = '']) => String(a).localeCompare(String(b)))
  ).toEqual([
    ['filled', 1],
    ['gap', undefined]
  ])
})

test('a book that somebody had thrown away is not called damaged', () =>
  expect(gapNotice(gap({ kind: 'book', cause: 'asked', action: 'resync' })).text).toBe(
    'kraken book: asked for anew (2.3 s), resynchronised'
  ))
