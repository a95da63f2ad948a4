/**
 * Confidence as a forecast: "within so many basis points of the consensus a little later". Forecasts are sampled, at most four
 * under way per provider, class and instrument, and resolved when time passes against the consensus of the other providers.
 *
 * The tolerance is the class's, or five times the usual (median) move of this instrument within the horizon, whichever is more,
 * up to ten times the class's: so that a provider is not blamed for the market's moves.
 */
import type { Calibration, Quote, Ticker, Trade } from '@tickwire/protocol'
import { heldBy, learn, openClass, pictures, score, type Class } from './calibration.ts'
import { consensusOfOthers, priceBefore } from './prices.ts'
import type { View } from './voice.ts'

export type Kind = (Trade | Quote | Ticker)['type']
/** Within `bps` of the consensus `horizon` ms later. */
export type Target = { bps: number; horizon: number }
export type Targets = Record<Kind, Target>

/** Trades alternate between bid and ask; tickers are told once a second or so, and some of them by HTTP. */
export const TARGETS: Targets = {
  trade: { bps: 10, horizon: 2_000 },
  quote: { bps: 5, horizon: 1_000 },
  ticker: { bps: 20, horizon: 5_000 }
}

type Forecast = {
  instrument: string
  provider: string
  at: number
  due: number
  price: number
  /** Of the price, as a factor: 0.001 is 10 basis points. */
  tolerance: number
  compared: number | undefined
  alone: number
  sure: number
  unseen: number
  /** Where the others stood then. */
  median: number | undefined
}

type Sampling = { pending: Forecast[]; next: number }
/** One instrument in one class; before `due` nothing is to be done. */
export type Ledger = { move: number; tolerance: number; samplings: Map<string, Sampling>; due: number }

export type Forecasts = {
  targets: Targets
  classes: Record<Kind, Class>
  ledgers: Record<Kind, Map<string, Ledger>>
  learntAt: number
  /** By provider, as it was learnt last: for the scores. */
  reliabilities: Map<string, number>
}

export const KINDS = ['trade', 'quote', 'ticker'] as const satisfies readonly Kind[]
const UNDER_WAY = 4
const MOVES = 5
const WIDEST = 10
const IDLE = 600_000
const LEARN_EVERY = 1_000

export const openForecasts = (targets: Partial<Targets> = {}): Forecasts => ({
  targets: { ...TARGETS, ...targets },
  classes: { trade: openClass(), quote: openClass(), ticker: openClass() },
  ledgers: { trade: new Map(), quote: new Map(), ticker: new Map() },
  learntAt: -Infinity,
  reliabilities: new Map()
})

export function ledgerOf({ targets, ledgers }: Forecasts, kind: Kind, instrument: string): Ledger {
  let ledger = ledgers[kind].get(instrument)
  if (!ledger) {
    const tolerance = targets[kind].bps / 10_000
    ledger = { move: tolerance / MOVES, tolerance, samplings: new Map(), due: Infinity }
    ledgers[kind].set(instrument, ledger)
  }
  return ledger
}

/** True if an event of this provider is to be scored; it then must be given to `foresee`. */
export function isDue(ledger: Ledger, provider: string, at: number): boolean {
  const sampling = ledger.samplings.get(provider)
  return !sampling || (at >= sampling.next && sampling.pending.length < UNDER_WAY)
}

export function foresee({ targets }: Forecasts, kind: Kind, ledger: Ledger, made: Omit<Forecast, 'due' | 'tolerance'>): void {
  const { horizon } = targets[kind]
  let sampling = ledger.samplings.get(made.provider)
  if (!sampling) ledger.samplings.set(made.provider, (sampling = { pending: [], next: 0 }))
  sampling.pending.push({ ...made, due: made.at + horizon, tolerance: ledger.tolerance })
  sampling.next = made.at + horizon / UNDER_WAY
  ledger.due = Math.min(ledger.due, made.at + horizon)
}

/** Resolves what is due. Whatever the order in which events of one time came, it is done in one order. */
export function settle(forecasts: Forecasts, views: ReadonlyMap<string, View>, now: number): void {
  for (const kind of KINDS) {
    const { bps, horizon } = forecasts.targets[kind]
    for (const forecast of takeDue(forecasts.ledgers[kind], now)) {
      const view = views.get(forecast.instrument)
      // Where we were blocked ourselves for so long it is another forecast.
      if (!view || now - forecast.due > horizon) continue
      const moved = resolve(forecasts.classes[kind], forecast, view, now)
      const ledger = forecasts.ledgers[kind].get(forecast.instrument)
      if (ledger && moved !== undefined) learnMove(ledger, moved, bps / 10_000)
    }
  }
  if (now - forecasts.learntAt < LEARN_EVERY) return
  forecasts.learntAt = now
  for (const kind of KINDS) learn(forecasts.classes[kind])
  for (const provider of checked(forecasts)) forecasts.reliabilities.set(provider, reliabilityOf(forecasts, provider))
}

/** Scores a forecast, if there is anybody to compare with; by how much the market moved meanwhile, if that is known. */
function resolve(all: Class, forecast: Forecast, view: View, now: number): number | undefined {
  const { provider, price, tolerance, median } = forecast
  const others = consensusOfOthers(view, provider, now)
  if (!others) {
    const own = priceBefore(view.voices, provider, now)
    return own === undefined ? undefined : Math.abs(own / price - 1)
  }
  const [low, high] = others
  const moved = median === undefined ? undefined : Math.abs((low + high) / 2 / median - 1)
  const hit = price >= low * (1 - tolerance) && price <= high * (1 + tolerance)
  score(all, provider, { ...forecast, hit, calm: moved !== undefined && moved <= tolerance })
  return moved
}

function takeDue(ledgers: Map<string, Ledger>, now: number): Forecast[] {
  const due: Forecast[] = []
  for (const [instrument, ledger] of ledgers) {
    if (now < ledger.due) continue
    const { samplings } = ledger
    ledger.due = Infinity
    for (const [provider, { pending, next }] of samplings) {
      while (pending[0] && pending[0].due <= now) due.push(pending.shift()!)
      if (pending.length === 0 && now - next > IDLE) samplings.delete(provider)
      else ledger.due = Math.min(ledger.due, pending[0]?.due ?? next + IDLE)
    }
    if (samplings.size === 0) ledgers.delete(instrument)
  }
  const order = (a: Forecast, b: Forecast) =>
    a.due - b.due || compare(a.instrument, b.instrument) || compare(a.provider, b.provider)
  return due.length < 2 ? due : due.sort(order)
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** The median, found by steps of 5 % up and down: no list is kept, and one wild move counts as one. */
function learnMove(ledger: Ledger, moved: number, least: number): void {
  const next = ledger.move * (moved > ledger.move ? 1.05 : 1 / 1.05)
  ledger.move = Math.min((WIDEST * least) / MOVES, Math.max(least / 100, next))
  ledger.tolerance = Math.max(least, MOVES * ledger.move)
}

/** From 0 to 1: how often this provider's prices held against the consensus a little later, in all classes. */
export const reliabilityOf = ({ classes }: Forecasts, provider: string): number =>
  heldBy([classes.trade, classes.quote, classes.ticker], provider)

/** What is published of it at /v1/confidence. */
export const calibrationsOf = ({ classes, targets }: Forecasts): Calibration[] =>
  KINDS.flatMap((kind) => pictures(classes[kind], { class: kind, ...targets[kind] }))

/** The providers of which anything came true or not, by name. */
const checked = ({ classes }: Forecasts): string[] =>
  [...new Set(KINDS.flatMap((kind) => [...classes[kind].tracks.keys()]))].sort()

/** All of it, and each provider's reliability. */
export const reportOf = (forecasts: Forecasts) => {
  const held = (provider: string) => Math.round(10_000 * reliabilityOf(forecasts, provider)) / 10_000
  const reliability = Object.fromEntries(checked(forecasts).map((provider) => [provider, held(provider)]))
  return { reliability, calibrations: calibrationsOf(forecasts) }
}
