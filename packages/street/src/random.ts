/** Randomness as a function of a seed and a place: no state, so that any moment of the market can be asked for in any order. */

/** A 32-bit hash of a seed and an integer; integers beyond 32 bits wrap. */
export function hash(seed: number, at: number): number {
  let h = (seed ^ Math.imul(at | 0, 0x9e3779b1)) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Uniform in [0, 1). */
export const uniform = (seed: number, at: number): number => hash(seed, at) / 4_294_967_296

/** Roughly normal with mean 0 and variance 1: the sum of three uniforms has the tails that a price needs. */
export const normal = (seed: number, at: number): number =>
  2 * (uniform(seed, at) + uniform(seed ^ 0x51ed270b, at) + uniform(seed ^ 0x2545f491, at) - 1.5)

/** The seed of a named part of a whole, so that venues and assets are independent of each other. */
export function seedOf(seed: number, name: string): number {
  let h = seed >>> 0
  for (let i = 0; i < name.length; i++) h = hash(h, name.charCodeAt(i))
  return h
}

/** Value noise in [-1, 1]: random values at multiples of `period`, straight lines between them. */
export function noise(seed: number, t: number, period: number): number {
  const x = t / period
  const i = Math.floor(x)
  const a = uniform(seed, i)
  return 2 * (a + (uniform(seed, i + 1) - a) * (x - i)) - 1
}

/** A generator with state, where only the order of draws counts. */
export function stream(seed: number): () => number {
  let at = 0
  return () => uniform(seed, at++)
}
