import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { BookPicture } from '../../src/connection/connection.ts'
import { start, step } from '../../src/connection/machine.ts'
import { kraken } from '../../src/providers/kraken.ts'
import type { Adapter } from '../../src/providers/adapter.ts'

const folder = new URL('../../../../captures/kraken/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
const CAPTURE = 'derived-v2-v1-2021-04-17-book1000'

test('a recorded session of real books goes through the machine with every checksum verified and no resync', () => {
  const adapter = kraken as Adapter
  const decimals = Object.entries(JSON.parse(read(`${CAPTURE}.precision.json`)) as Record<string, object>)
  const pairs = decimals.map(([symbol, precision]) => ({ symbol, ...precision }))
  const state = start(
    adapter,
    pairs.map(({ symbol }) => ({ kind: 'book', symbol })),
    0
  )
  step(adapter, state, { type: 'tick', now: 0 }, () => 0)
  step(adapter, state, { type: 'opened', now: 0 }, () => 0)
  const hear = (frame: string) => step(adapter, state, { type: 'frame', now: 0, frame }, () => 0)
  hear(JSON.stringify({ channel: 'instrument', type: 'snapshot', data: { pairs } }))
  const expected = read(`expected-book-${CAPTURE}.jsonl`).trim().split('\n').map((line) => JSON.parse(line) as BookPicture & { afterLine: number }) // prettier-ignore
  const books = new Map<string, BookPicture>()
  let verified = 0
  let compared = 0
  let line = 0
  for (const frame of read(`${CAPTURE}.jsonl`).trim().split('\n')) {
    for (const effect of hear(frame)) {
      expect(['event', 'confirmed']).toContain(effect.type)
      if (effect.type !== 'event' || effect.event.type !== 'book') continue
      books.set(effect.event.symbol, effect.event)
      if (effect.event.verified) verified++
    }
    // Lines are counted from 0 there.
    for (const row of expected.filter((e) => e.afterLine === line)) {
      const book = books.get(row.symbol)!
      expect([book.bids.slice(0, 5), book.asks.slice(0, 5)]).toEqual([row.bids, row.asks])
      compared++
    }
    line++
  }
  expect([line, verified, compared]).toEqual([4_279, 4_279, expected.length])
})
