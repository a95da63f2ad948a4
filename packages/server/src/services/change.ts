/**
 * How the price has moved, and what is traded, against other times: told when it differs, at most once a second.
 *
 * A window of length w is divided into sixty slots. The price now is compared with the last one of the slot that lies a whole
 * window back, or of the newest before it: so with what stood between w and w + w/60 ago. A trade counts in the slot of its own
 * time, however late it comes. Where trades of as long as a slot are missing between a price and what it is to stand for, the
 * window is absent: nobody knows what the price was.
 */
import { isOfItsTime, topicName, type Change, type Ticker, type Trade } from '@tickwire/protocol'
import { coverageOf, fill, open as lose, openCoverage, type Coverage } from './coverage.ts'
import { service, type Output, type Watermark } from './service.ts'
import { add, total, type Sum } from './sum.ts'

export const WINDOWS = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const
type Window = keyof typeof WINDOWS
const NAMES = Object.keys(WINDOWS) as Window[]

export const SLOTS = 60
/** Slots kept: the window, and room for what is ahead of the watermark. */
const KEPT = 128
const MINUTE = 60_000
/** What is dated further ahead of our hearing of it is not counted. */
const AHEAD = 60_000
/** The usual volume is the mean of up to this many minutes, and of this many at least. */
export const MINUTES = { most: 60, least: 5 }

/** Last price per slot; `before` is the newest that had to make room. */
type Lane = {
  length: number
  slots: Float64Array
  times: Float64Array
  prices: Float64Array
  before: { slot: number; time: number; price: number }
}

type Series = {
  lanes: Lane[]
  /** Trade that is the newest by its own time. */
  last?: Trade
  /** Minute → base units traded in it; from `since` on every minute is known whole. */
  volumes: Map<number, Sum>
  since: number
  watermark: number
  /** What is missing. */
  known: Coverage
  gap?: number
  /** What was told last, to see whether it differs. */
  told: string
}
export type ChangeState = Map<string, Series>

const openLane = (length: number): Lane => ({
  length,
  slots: new Float64Array(KEPT).fill(-Infinity),
  times: new Float64Array(KEPT).fill(-Infinity),
  prices: new Float64Array(KEPT),
  before: { slot: -Infinity, time: -Infinity, price: 0 }
})

function seriesOf(state: ChangeState, instrument: string): Series {
  let series = state.get(instrument)
  if (!series) {
    const lanes = NAMES.map((name) => openLane(WINDOWS[name] / SLOTS))
    const known = { ...openCoverage(), begin: -Infinity }
    state.set(instrument, (series = { lanes, volumes: new Map(), since: Infinity, watermark: -Infinity, known, told: '' }))
  }
  return series
}

/** Among equal times the last to arrive stands. */
function place(lane: Lane, time: number, price: number): void {
  const slot = Math.floor(time / lane.length)
  const i = ((slot % KEPT) + KEPT) % KEPT
  const there = lane.slots[i]!
  if (slot < there) {
    if (time >= lane.before.time) lane.before = { slot, time, price }
    return
  }
  if (slot === there && time < lane.times[i]!) return
  if (slot > there && lane.times[i]! > lane.before.time)
    lane.before = { slot: there, time: lane.times[i]!, price: lane.prices[i]! }
  lane.slots[i] = slot
  lane.times[i] = time
  lane.prices[i] = price
}

/** The last price of this slot, or of the newest one before it. */
function priceAt({ slots, times, prices, before }: Lane, slot: number): { price: number; time: number } | undefined {
  let [best, price, time] = before.slot <= slot ? [before.slot, before.price, before.time] : [-Infinity, 0, 0]
  for (let i = 0; i < KEPT; i++) {
    const each = slots[i]!
    if (each > slot || each < best) continue
    best = each
    price = prices[i]!
    time = times[i]!
  }
  return best > -Infinity ? { price, time } : undefined
}

/** Whether from a trade up to a time as much as a slot is missing. */
const isBroken = (known: Coverage, from: number, to: number, length: number): boolean =>
  to > from && (1 - coverageOf(known, from, to)) * (to - from) >= length

const usable = (trade: Trade): boolean =>
  trade.time <= trade.received + AHEAD &&
  trade.price > 0 &&
  trade.size >= 0 &&
  trade.quarantined === undefined &&
  isOfItsTime(trade)

function count(series: Series, trade: Trade): void {
  const { time, price, size, ineligible } = trade
  const minute = Math.floor(time / MINUTE)
  // The minute in which we began to listen is not whole.
  if (series.since === Infinity) series.since = minute + 1
  let volume = series.volumes.get(minute)
  if (!volume) series.volumes.set(minute, (volume = []))
  add(volume, size)
  if (ineligible) return
  for (const lane of series.lanes) place(lane, time, price)
  if (!series.last || time >= series.last.time) series.last = trade
}

/** Hundredths of a basis point: less is noise, and would be told again and again. */
const percent = (now: number, then: number): number => Math.round((now / then - 1) * 1e6) / 1e4

function volumeOf({ volumes, since, watermark }: Series): Change['volume'] {
  const last = Math.floor(watermark / MINUTE) - 1
  const first = Math.max(since, last - MINUTES.most)
  if (last - first < MINUTES.least) return undefined
  const all: Sum = []
  for (let minute = first; minute < last; minute++) for (const part of volumes.get(minute) ?? []) add(all, part)
  const usual = total(all) / (last - first)
  if (!(usual > 0)) return undefined
  const traded = total(volumes.get(last) ?? [])
  return { last: traded, usual: Number(usual.toPrecision(12)), ratio: Math.round((traded / usual) * 1e4) / 1e4 }
}

function forget({ volumes, watermark }: Series): void {
  const oldest = Math.floor(watermark / MINUTE) - MINUTES.most - 2
  for (const minute of volumes.keys()) if (minute < oldest) volumes.delete(minute)
}

export function changeOf(series: Series): Change | undefined {
  const { last, lanes, watermark, known, gap } = series
  if (!last) return undefined
  const windows: Record<string, number> = {}
  NAMES.forEach((name, i) => {
    const lane = lanes[i]!
    const { length } = lane
    const slot = Math.floor(watermark / length) - SLOTS
    const then = priceAt(lane, slot)
    if (!then || isBroken(known, then.time, (slot + 1) * length, length) || isBroken(known, last.time, watermark, length)) return
    windows[name] = percent(last.price, then.price)
  })
  const { provider, instrument, time, received, price } = last
  const change: Change = { type: 'change', provider, instrument, time, received, price, windows }
  const volume = volumeOf(series)
  if (volume) change.volume = volume
  if (gap !== undefined) change.gap = gap
  return change
}

function advance(state: ChangeState, { instrument, time }: Watermark): readonly Output[] {
  const series = state.get(instrument)
  if (!series) return []
  const before = series.watermark
  if (time > before) series.watermark = time
  if (Math.floor(series.watermark / 1_000) === Math.floor(before / 1_000)) return []
  forget(series)
  const event = changeOf(series)
  if (!event) return []
  const told = JSON.stringify([event.price, event.windows, event.volume, event.gap])
  if (told === series.told) return []
  series.told = told
  return [{ topic: topicName('change', instrument), event }]
}

function open(series: Series, { open: first, prevClose }: Ticker): void {
  if (first !== undefined && prevClose !== undefined && prevClose > 0) series.gap = percent(first, prevClose)
}

export const change = service<ChangeState>({
  name: 'change',
  reads: ['trade', 'ticker', 'gap'],
  open: () => new Map(),
  fold(state, input) {
    if (input.type === 'watermark') return advance(state, input)
    if (input.type === 'trade' && usable(input)) count(seriesOf(state, input.instrument), input)
    else if (input.type === 'ticker') open(seriesOf(state, input.instrument), input)
    else if (input.type === 'gap') lose(seriesOf(state, input.instrument).known, input)
    else if (input.type === 'gap_filled') fill(seriesOf(state, input.instrument).known, input)
    return []
  },
  forget: (state, instrument) => void state.delete(instrument)
})

/** As it stands now, whether or not it was told. */
export function currentChange(state: ChangeState, instrument: string): Change | undefined {
  const series = state.get(instrument)
  return series && changeOf(series)
}
export const knownChanges = (state: ChangeState): string[] => [...state.keys()]
