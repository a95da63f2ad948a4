/** A seeded market with providers whose faults are known, to hold confidence against the truth. */
import type { Trade } from '@tickwire/protocol'
import { admit, createArbiter, type ArbiterSettings, type ArbiterState } from '../../src/arbiter/arbiter.ts'

export type Speaker = {
  provider: string
  /** Share of its prices that are off by 0.5 to 5 %, from a time in ms. */
  errors: number | ((at: number) => number)
  /** Always off by so many basis points. */
  bias?: number
  /** Tells the price of so many ms ago. */
  lag?: number
  from?: number
  only?: readonly string[]
}

/** `hit`: the true price `horizon` ms later was within the tolerance of what it said. */
export type Said = { provider: string; instrument: string; at: number; sure: number; hit: boolean }

export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const STEP = 100
export const START = 1_700_000_000_000

/** A random walk with steps every 100 ms; `bps` is its deviation over a second. */
function walk(random: () => number, until: number, bps: number): Float64Array {
  const prices = new Float64Array(until / STEP + 1_000)
  let price = 100
  for (let k = 0; k < prices.length; k++) {
    prices[k] = price
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    price *= 1 + (normal * bps * Math.sqrt(STEP / 1_000)) / 10_000
  }
  return prices
}

export type Market = {
  seed: number
  until: number
  speakers: readonly Speaker[]
  instruments: readonly string[]
  /** Mean ms between two trades of one provider in one instrument. */
  every?: number
  /** How much the market moves in a second. */
  bps?: number
  settings?: Partial<ArbiterSettings>
  /** How old an event is on arrival. */
  age?: (at: number) => number
}

/** An arbiter for trades that all of these send. */
export function openMarket(order: readonly string[], instruments: readonly string[], settings: Partial<ArbiterSettings> = {}) {
  const state = createArbiter({ order, ...settings })
  for (const provider of order)
    for (const instrument of instruments) admit(state, { type: 'subscribed', now: START, kind: 'trade', instrument, provider })
  return state
}

/** Plays it through the arbiter; what was said of each trade, with what came of it. */
export function play(market: Market): { said: Said[]; state: ArbiterState } {
  const { seed, until, speakers, instruments, every = 400, bps = 1.5, settings, age = () => 40 } = market
  const random = randomOf(seed)
  const order = speakers.map(({ provider }) => provider)
  const state = openMarket(order, instruments, settings)
  const { bps: wide, horizon } = state.forecasts.targets.trade
  const walks = new Map(instruments.map((instrument) => [instrument, walk(random, until, bps)]))
  const priceAt = (instrument: string, at: number) => walks.get(instrument)![Math.max(0, Math.floor(at / STEP))]!
  const events: { at: number; instrument: string; speaker: Speaker }[] = []
  for (const speaker of speakers)
    for (const instrument of speaker.only ?? instruments)
      for (let at = (speaker.from ?? 0) + random() * every; at < until; at += 2 * random() * every)
        events.push({ at: Math.floor(at), instrument, speaker })
  events.sort((a, b) => a.at - b.at)
  const said: Said[] = []
  let ticked = 0
  for (const { at, instrument, speaker } of events) {
    for (; ticked <= at; ticked += STEP) admit(state, { type: 'tick', now: START + ticked })
    const { provider, errors, bias = 0, lag = 0 } = speaker
    const wrong = random() < (typeof errors === 'number' ? errors : errors(at))
    const off = wrong ? (random() < 0.5 ? -1 : 1) * (0.005 + 0.045 * random()) : 0
    const price = priceAt(instrument, at - lag) * (1 + bias / 10_000) * (1 + off)
    const stamp = { provider, instrument, time: START + at - age(at), received: START + at }
    const event: Trade = { type: 'trade', ...stamp, price, size: 1, side: 'buy' }
    const tolerance = state.forecasts.ledgers.trade.get(instrument)?.tolerance ?? wide / 10_000
    admit(state, { type: 'event', event })
    const hit = Math.abs(price / priceAt(instrument, at + horizon) - 1) <= tolerance
    said.push({ provider, instrument, at, sure: event.confidence!, hit })
  }
  return { said, state }
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Expected calibration error over ten bins, against the truth and not against our own count. */
export function eceOf(said: readonly Said[]): number {
  const bins = Array.from({ length: 10 }, () => ({ sure: 0, hits: 0 }))
  for (const { sure, hit } of said) {
    const bin = bins[Math.min(9, Math.floor(sure * 10))]!
    bin.sure += sure
    bin.hits += Number(hit)
  }
  return bins.reduce((sum, { sure, hits }) => sum + Math.abs(sure - hits), 0) / said.length
}
