/** Which rows the grid begins with. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { offer, remember, withChoices } from '../src/model/watch.ts'

const listed = (...ids: string[]) =>
  ids.map((instrument) => {
    const [base, quote] = instrument.split('-') as [string, string]
    return { instrument, base, quote, providers: [] }
  })
const crowd = Array.from({ length: 500 }, (_, i) => `X${i}-USDT`)

const all = () => true

describe('the rows offered', () => {
  test.each([
    [
      'what is collected, in its order, and nothing else',
      ['BTC-USDT', 'NKN-USDT', 'LRC-BTC'],
      ['NKN-USDT', 'LRC-BTC'],
      'NKN-USDT LRC-BTC'
    ],
    [
      'all that is listed, the best known first, where nothing is collected',
      ['NKN-USDT', 'ETH-USDT', 'BTC-USDT'],
      [],
      'BTC-USDT ETH-USDT NKN-USDT'
    ],
    ['the best known of a crowd', [...crowd, 'ETH-USDT', 'BTC-USDT'], [], 'BTC-USDT ETH-USDT'],
    ['the best known when a crowd is collected', [...crowd, 'BTC-USDT', 'ETH-USDT'], [...crowd, 'ETH-USDT'], 'ETH-USDT']
  ])('are %s', (_, instruments, collected, expected) => {
    expect(offer(listed(...instruments), collected).join(' ')).toBe(expected)
  })
  test('are never none because nobody knows them', () => expect(offer(listed(...crowd), []).length).toBe(200))
})

describe('the choices of the last visit', () => {
  const kept = new Map<string, string>()
  beforeEach(() => {
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text)
    }
    vi.stubGlobal('localStorage', storage)
  })
  afterEach(() => {
    kept.clear()
    vi.unstubAllGlobals()
  })
  test('what was added and taken out stays so; what is newly collected comes', () => {
    remember(['A', 'B'], ['B', 'C'])
    expect(withChoices(['A', 'B', 'D'], all)).toEqual(['B', 'D', 'C'])
  })
  test('what nobody lists here is left out, and another server is not judged by the choices of this one', () => {
    remember(['A', 'B'], ['B', 'C'])
    expect(withChoices(['X', 'Y'], (id) => id !== 'C')).toEqual(['X', 'Y'])
    remember(['X', 'Y'], ['X'])
    expect(withChoices(['A', 'B'], all)).toEqual(['B'])
  })
  test('a grid that would be empty is the offered one', () => {
    remember(['A'], [])
    expect(withChoices(['A'], all)).toEqual(['A'])
  })
})
