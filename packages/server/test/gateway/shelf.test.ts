import { describe, expect, test } from 'vitest'
import { createShelf } from '../../src/gateway/shelf.ts'
import { understand } from '../../src/gateway/understand.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { deskOf } from './rig.ts'

function rig() {
  const log: string[] = []
  const desk = deskOf(createPlant({ epoch: 'e' }))
  const shelf = createShelf(
    (asked) => understand(desk, asked),
    ({ kind, instrument }) => {
      log.push(`+${kind}:${instrument}`)
      return { upstream: 'live', release: () => void log.push(`-${kind}:${instrument}`) }
    }
  )
  return { shelf, log }
}

describe('the shelf holds topics for REST, on no connection', () => {
  test('under a key, once, until it is let go', () => {
    const { shelf, log } = rig()
    expect(shelf.hold('a', ['trade:BTC-USDT', 'quote:BTC-USDT'])).toEqual({ held: true, refusals: [] })
    expect(shelf.keys()).toEqual(['a'])
    expect(shelf.letGo('a')).toBe(true)
    expect(shelf.letGo('a')).toBe(false)
    expect(log).toEqual(['+trade:BTC-USDT', '+quote:BTC-USDT', '-trade:BTC-USDT', '-quote:BTC-USDT'])
  })
  test('asked for again, the new demand is made before the old one is released', () => {
    const { shelf, log } = rig()
    shelf.hold('a', ['trade:BTC-USDT'])
    shelf.hold('a', ['trade:BTC-USDT'])
    expect(log).toEqual(['+trade:BTC-USDT', '+trade:BTC-USDT', '-trade:BTC-USDT'])
  })
  test('what can be had of several; nothing where none can', () => {
    const { shelf, log } = rig()
    expect(shelf.hold('a', ['trade:BTC-USDT', 'trade:NOBODY'])).toMatchObject({ held: true, refusals: [{ code: 'BAD_SYMBOL' }] })
    expect(shelf.hold('b', ['trade:NOBODY'])).toMatchObject({ held: false, refusals: [{ asked: 'trade:NOBODY' }] })
    expect(shelf.keys()).toEqual(['a'])
    expect(log).toEqual(['+trade:BTC-USDT'])
  })
  test('no more than 200 keys: the earlier ones stay, and can still be asked for again', () => {
    const { shelf } = rig()
    for (let i = 0; i < 200; i++) shelf.hold(`k${i}`, [`trade:I${i}`])
    expect(shelf.hold('one more', ['trade:BTC-USDT'])).toMatchObject({ held: false, refusals: [{ code: 'TOO_MANY_SYMBOLS' }] })
    expect(shelf.hold('k7', ['trade:I7']).held).toBe(true)
    expect(shelf.keys()).toHaveLength(200)
  })
  test('when the gateway stops, all is released', () => {
    const { shelf, log } = rig()
    shelf.hold('a', ['trade:BTC-USDT'])
    shelf.stop()
    expect(log).toEqual(['+trade:BTC-USDT', '-trade:BTC-USDT'])
  })
})
