import { expect, test } from 'vitest'
import { createUnderstanding } from '../../src/gateway/understand.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { deskOf } from './rig.ts'

function stage() {
  let now = 0
  let looked = 0
  let listed = true
  const desk = deskOf(createPlant({ epoch: 'e' }))
  const resolve = (text: string) => {
    looked++
    return listed ? desk.resolve(text) : { ok: false as const, nearest: [] }
  }
  return {
    understand: createUnderstanding({ ...desk, resolve }, () => now),
    looked: () => looked,
    pass: (ms: number) => void (now += ms),
    list: (on: boolean) => void (listed = on)
  }
}

test('a topic is looked up once a second, however many ask for it', () => {
  const { understand, looked, pass } = stage()
  for (let n = 0; n < 1_000; n++) expect(understand('trade:btcusdt')).toMatchObject({ name: 'trade:BTC-USDT', data: true })
  expect(looked()).toBe(1)
  pass(1_000)
  understand('trade:btcusdt')
  expect(looked()).toBe(2)
})

test('an instrument that is listed is known at once, one that is no longer within a second', () => {
  const { understand, pass, list } = stage()
  list(false)
  expect(understand('trade:BTC-USDT')).toMatchObject({ ok: false, code: 'BAD_SYMBOL' })
  list(true)
  expect(understand('trade:BTC-USDT').ok).toBe(true)
  list(false)
  pass(1_000)
  expect(understand('trade:BTC-USDT').ok).toBe(false)
})
