import { describe, test } from 'vitest'
import type { Meaning } from '../../src/providers/adapter.ts'
import { fyers } from '../../src/providers/fyers.ts'
import { rows } from './captures.ts'

const NOW = 1_735_814_830_000
const frames = rows<{ hex: string }>('fyers/derived-hsm-frames.jsonl').map(({ hex }) => Uint8Array.from(Buffer.from(hex, 'hex')))
const expected = rows<Record<string, unknown>>('fyers/derived-hsm-frames.expected.jsonl')
const open = () => fyers.open({})
const hear = (frame: Uint8Array | string) => fyers.decode(frame, NOW, open())
const text = (message: unknown) => hear(JSON.stringify(message))

describe('hostile frames', () => {
  const POISON = [null, true, -1, 1e308, 5e-324, '', 'NaN', '-Infinity', [], {}, [[]], 'x'.repeat(300), '9'.repeat(400)]
  const numbers = (value: unknown): number[] =>
    typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : []
  const check = (all: readonly Meaning[]) => {
    for (const m of all) {
      if (!numbers(m).every(Number.isFinite)) throw new Error(`${m.type} holds a number that is none`)
      const prices = [m].flatMap((one) => {
        if (one.type === 'trade') return [one.price]
        if (one.type === 'quote') return [one.bid, one.ask]
        if (one.type === 'ticker') return [one.last, one.open ?? 1, one.high ?? 1, one.low ?? 1]
        return one.type === 'delta' ? [...one.bids, ...one.asks].map(([price]) => price) : []
      })
      if (!prices.every((price) => price > 0)) throw new Error(`${m.type} holds an impossible price`)
    }
  }

  test(
    '[T15] 100,000 damaged binary frames: none throws, none makes a number or a price that cannot be',
    { timeout: 120_000 },
    () => {
      let seed = 1
      const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
      let session = open()
      for (let n = 0; n < 100_000; n++) {
        if (n % 50 === 0) {
          session = open()
          for (const i of [0, 9, 39]) fyers.decode(frames[i]!, NOW, session)
        }
        const frame = frames[random(frames.length)]!.slice()
        for (let hits = 1 + random(4); hits > 0; hits--) frame[random(frame.length)] = random(256)
        check(fyers.decode(random(5) === 0 ? frame.slice(0, random(frame.length)) : frame, NOW, session))
      }
    }
  )

  test('[T15] any field of any message may hold anything', () => {
    const messages = [
      ...expected,
      { orders: { id: '1', symbol: 'A', qty: 1 }, s: 'ok' },
      { positions: { symbol: 'A', net_qty: 1 }, s: 'ok' }
    ]
    for (const message of messages)
      for (const key of Object.keys(message))
        for (const poison of POISON) {
          check(text({ ...message, [key]: poison }))
          const inner = message[key]
          if (typeof inner === 'object')
            for (const k of Object.keys(inner!)) check(text({ ...message, [key]: { ...inner, [k]: poison } }))
        }
    for (const poison of POISON) check(text(poison))
    for (const frame of ['', 'x', '{', '[1]', 'null', '{"s":"ok","type":7}']) check(hear(frame))
  })
})
