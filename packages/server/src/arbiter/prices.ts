/** Prices of one instrument side by side: what the other providers say, each by itself and all together. */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'
import { consensusOf, weightedMedian } from './consensus.ts'
import { saidAt, settled, type View, type Voice } from './voice.ts'

export type Voices = ReadonlyMap<string, Voice>

export const priceOf = (event: Trade | Quote | Ticker): number =>
  event.type === 'trade' ? event.price : event.type === 'quote' ? (event.bid + event.ask) / 2 : event.last

const OLDEST_PRICE = 30_000

/** What a provider said last before an instant, if that is not too old, and it has neither gone down nor fallen silent since. */
function before(voice: Voice, now: number): number | undefined {
  const { price, at } = settled(voice, now)
  const isAlive = at > voice.downAt && at > (voice.mute?.at ?? -Infinity)
  return isAlive && now - at <= OLDEST_PRICE ? price : undefined
}

export function priceBefore(voices: Voices, provider: string, now: number): number | undefined {
  const voice = voices.get(provider)
  return voice && before(voice, now)
}

/** With an even number of others every price between the two in the middle is a median: so two who disagree blame nobody between. */
export function medianOfOthers(voices: Voices, provider: string, now: number): [low: number, high: number] | undefined {
  const others: number[] = []
  for (const voice of voices.values()) {
    const price = voice.provider === provider ? undefined : before(voice, now)
    if (price === undefined) continue
    // Put in its place at once: a few numbers are sorted sooner than sort() is called, and this is on the road of every event.
    let place = others.length
    for (; place > 0 && others[place - 1]! > price; place--) others[place] = others[place - 1]!
    others[place] = price
  }
  if (others.length === 0) return undefined
  return [others[(others.length - 1) >> 1]!, others[others.length >> 1]!]
}

/**
 * What the others say together, as decision 0011 has it: whoever is dead, stale or refused takes no part. What is lasting between
 * them is allowed for; but not between them and this one, or it would be its own witness. Where no majority of them agrees, all
 * between the outermost.
 */
export function consensusOfOthers(view: View, provider: string, now: number): [low: number, high: number] | undefined {
  const others = saidAt(view, now).filter((said) => said.provider !== provider)
  const live = others.filter(({ out, age, oldest }) => out === undefined && age <= oldest)
  const common = live.length === 0 ? 0 : weightedMedian(live.map(({ basis }) => ({ value: basis, weight: 1 })))
  const opinion = consensusOf(others.map((said) => ({ ...said, basis: said.basis - common })))
  if (!opinion) return undefined
  if (!opinion.disputed) return [opinion.price, opinion.price]
  const all = live.map(({ price, basis }) => price * Math.exp(common - basis))
  return [Math.min(...all), Math.max(...all)]
}
