/**
 * The one price behind all venues of an asset, as a function of time: octaves of noise whose amplitude grows with the square
 * root of their period make it walk like a price, and a restart of the demo continues the world where it stood.
 */
import { noise, seedOf } from './random.ts'

const SHORTEST = 250
/** 250 ms doubled 22 times is 12 days: longer swings would leave the believable range. */
const OCTAVES = 23
/** Calibrates the sum of octaves so that its variance per day is `daily` squared. */
const SCALE = 0.8
const DAY_SECONDS = 86_400
/** Swings up to about four minutes carry the bursts of volatility. */
const BURSTY = 10

export type Latent = {
  price: (t: number) => number
  /** How wild the market is now; about 1 on average, up to 6 in a burst. */
  volatility: (t: number) => number
}

/** `daily` is the standard deviation of a day's return: 0.026 for 2.6 %. */
export function createLatent(seed: number, asset: string, price: number, daily: number): Latent {
  const own = seedOf(seed, `latent:${asset}`)
  const seeds = Array.from({ length: OCTAVES }, (_, k) => seedOf(own, `octave${k}`))
  const amplitudes = seeds.map((_, k) => SCALE * daily * Math.sqrt((SHORTEST * 2 ** k) / 1_000 / DAY_SECONDS))
  const [calm, swing, burst] = [seedOf(own, 'calm'), seedOf(own, 'swing'), seedOf(own, 'burst')]

  const volatility = (t: number): number => {
    const regime = Math.exp(0.8 * noise(calm, t, 20 * 60_000) + 0.6 * noise(swing, t, 3 * 60_000)) * 0.85
    const spike = noise(burst, t, 45_000)
    return Math.min(6, spike > 0.7 ? regime * (1 + 8 * (spike - 0.7)) : regime)
  }
  return {
    volatility,
    price: (t) => {
      const wild = volatility(t)
      let sum = 0
      for (let k = 0; k < OCTAVES; k++) sum += amplitudes[k]! * (k <= BURSTY ? wild : 1) * noise(seeds[k]!, t, SHORTEST * 2 ** k)
      return price * Math.exp(sum)
    }
  }
}
