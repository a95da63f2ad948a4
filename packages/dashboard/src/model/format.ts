/** Numbers and times as people read them: fixed widths where they change, never a false zero. */

const NONE = '–'
const formats = new Map<number, Intl.NumberFormat>()
const fixed = (decimals: number): Intl.NumberFormat => {
  let format = formats.get(decimals)
  if (!format)
    formats.set(
      decimals,
      (format = new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }))
    )
  return format
}

/** Digits after the point when the instrument's listing does not say: about six significant ones. */
const decimalsOf = (price: number): number =>
  price <= 0 || price >= 1_000 ? 2 : Math.min(8, Math.max(2, 4 - Math.floor(Math.log10(price))))

/** Digits after the point that a number itself has: 0.3588 has 4, 1e-8 has 8. */
export const digitsIn = (value: number): number => {
  const [digits = '', exponent] = String(value).split('e-')
  const point = digits.indexOf('.')
  return (point < 0 ? 0 : digits.length - point - 1) + Number(exponent ?? 0)
}

export const price = (value: number | undefined, decimals?: number): string =>
  value === undefined ? NONE : fixed(decimals ?? decimalsOf(value)).format(value)

export const percent = (value: number | undefined): string => {
  if (value === undefined) return NONE
  const text = fixed(2).format(Math.abs(value))
  return text === '0.00' ? '0.00%' : `${value > 0 ? '+' : '−'}${text}%`
}

export const bps = (value: number | undefined): string =>
  value === undefined ? NONE : `${value > 0 ? '+' : value < 0 ? '−' : ''}${fixed(1).format(Math.abs(value))} bp`

const UNITS = ['', 'K', 'M', 'B', 'T']
/** A quantity in four or so significant digits: 0.0123, 12.40, 1.234K, 5.6M. */
export const size = (value: number | undefined): string => {
  if (value === undefined) return NONE
  if (value === 0) return '0'
  let scaled = Math.abs(value)
  let unit = 0
  while (scaled >= 1_000 && unit < UNITS.length - 1) {
    scaled /= 1_000
    unit++
  }
  const decimals = scaled >= 100 ? 1 : scaled >= 1 ? 2 : scaled >= 0.01 ? 4 : 6
  return `${value < 0 ? '−' : ''}${fixed(decimals).format(scaled)}${UNITS[unit]}`
}

export const count = (value: number | undefined): string => (value === undefined ? NONE : fixed(0).format(value))

/** How old something is: 0.3 s, 12 s, 4 m, 2 h, 3 d. */
export const age = (ms: number | undefined): string => {
  if (ms === undefined || !Number.isFinite(ms)) return NONE
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} m`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}

export const latency = (ms: number | undefined): string =>
  ms === undefined ? NONE : Math.abs(ms) < 10 ? `${ms.toFixed(1)} ms` : Math.abs(ms) < 10_000 ? `${Math.round(ms)} ms` : age(ms)

export type Freshness = 'fresh' | 'ageing' | 'stale'
/** Past 5 s a price deserves doubt, past 20 s it is history: silence is normal for a quiet symbol, but the reader must see it. */
export const freshness = (ms: number): Freshness => (ms < 5_000 ? 'fresh' : ms < 20_000 ? 'ageing' : 'stale')

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
export const clockTime = (at: number): string => clock.format(at)

const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min']
]

/** How long ago, roughly, as one says it of news: `just now`, `4 min ago`, `2 d ago`. */
export function since(ms: number): string {
  const step = STEPS.find(([length]) => ms >= length)
  return step ? `${Math.floor(ms / step[0])} ${step[1]} ago` : 'just now'
}

const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
export const fullTime = (at: number): string => moment.format(at)

/** The part of an instrument id that a person says: SBIN for NSE:SBIN-EQ, BTC and USDT for BTC-USDT. */
export const shortName = (instrument: string): { name: string; suffix: string } => {
  const colon = instrument.indexOf(':')
  const bare = instrument.slice(colon + 1)
  const dash = bare.lastIndexOf('-')
  const name = dash < 0 ? bare : bare.slice(0, dash)
  return { name, suffix: colon >= 0 ? instrument.slice(0, colon) : dash < 0 ? '' : bare.slice(dash + 1) }
}

/** A share in whole percent. What is less than all is never rounded up to 100, and what is more than nothing never down to 0. */
export const hundredths = (share: number): string => {
  const whole = Math.round(share * 100)
  if (whole >= 100 && share < 1) return Math.min(99.9, Math.floor(share * 1_000) / 10).toFixed(1)
  if (whole <= 0 && share > 0) return Math.max(0.1, Math.round(share * 1_000) / 10).toFixed(1)
  return String(Math.min(100, whole))
}

export const percentShare = (share: number): string => `${hundredths(share)} %`
