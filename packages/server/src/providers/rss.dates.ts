/** Dates as feeds write them: RFC 822 with its variants in several languages, RFC 3339, a bare day, a clock's own way. */
import { isTime, parseTime } from './time.ts'

/** Beginnings of their names, without accents. */
const MONTHS = [
  'jan ene gen',
  'feb fev',
  'mar mrz maa mrt',
  'apr avr abr',
  'may mai mag mei maj',
  'jun juin giu',
  'jul juil lug',
  'aug aou ago',
  'sep set',
  'oct okt ott out',
  'nov',
  'dec dez dic des'
].map((names) => names.split(' '))
const ZONES: Readonly<Record<string, number>> = {
  UT: 0,
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  AKST: -9,
  AKDT: -8,
  HST: -10,
  BRT: -3,
  BST: 1,
  WEST: 1,
  CET: 1,
  MEZ: 1,
  CEST: 2,
  MESZ: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  IST: 5.5,
  HKT: 8,
  SGT: 8,
  JST: 9,
  KST: 9,
  AEST: 10,
  AEDT: 11,
  NZST: 12,
  NZDT: 13
}

/** `Mon, 06 Sep 10 00:01 EST`, `6 September 2010 00:01:00 GMT+1`, `Mon Sep  6 00:01:00 2010`, `20100906`; NaN for what is none. */
export function dateOf(text: unknown): number {
  if (typeof text !== 'string') return NaN
  const said = text.trim().slice(0, 100)
  const iso = parseTime(said)
  if (isTime(iso)) return iso
  if (/^\d{10}$|^\d{13}$/.test(said)) return Number(said) * (said.length === 10 ? 1_000 : 1)
  const plain = said.normalize('NFD').replaceAll(/\p{M}/gu, '')
  const clock =
    /(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\b\.?)?\s*([A-Za-z]{1,5}\b)?\s*([+-]\d{1,2}:?\d{0,2})?/i.exec(
      plain
    )
  const day = dayOf(
    clock ? `${plain.slice(0, clock.index)} ${plain.slice(clock.index + clock[0].length)}` : plain,
    clock?.[5] !== undefined
  )
  if (!day) return NaN
  const [, hour = '0', minute = '0', second = '0', fraction = '0', half, zone = 'GMT', offset] = clock ?? []
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (/^p/i.test(half) ? 12 : 0)
  if (hours > 24 || Number(minute) > 59 || Number(second) > 60) return NaN
  const away = offset === undefined ? (ZONES[zone.toUpperCase()] ?? 0) : hoursOf(offset)
  const seconds = hours * 3_600 + Number(minute) * 60 + Number(second) + Number(`0.${fraction}`)
  const ms = day + Math.round(seconds * 1_000) - away * 3_600_000
  return isTime(ms) ? ms : NaN
}

/** Its midnight in UTC. */
function dayOf(text: string, isAmerican: boolean): number | undefined {
  const [, year, month, date] =
    /^\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ]|$)/i.exec(text) ?? /^\s*(\d{4})(\d\d)(\d\d)(?:T|\s|$)/i.exec(text) ?? []
  if (year !== undefined) return midnight(Number(year), Number(month) - 1, Number(date ?? 1))
  const [, d, m, y] = /(?<!\d)(\d{1,2})[.\s-]+(?:de\s+)?([a-z]{3,12})\.?,?[\s-]+(?:del?\s+)?(\d{4}|\d\d)(?!\d)/i.exec(text) ?? []
  if (d !== undefined) return midnight(fullYear(y!), monthOf(m!), Number(d))
  const [, name, of, its] = /([a-z]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(?:at\s+)?(\d{4})(?!\d)/i.exec(text) ?? []
  if (name !== undefined) return midnight(Number(its), monthOf(name), Number(of))
  // Whoever says AM and PM writes the month first.
  const [, first, second, third] = (isAmerican && /(\d{1,2})\/(\d{1,2})\/(\d{4})/.exec(text)) || []
  return first === undefined ? undefined : midnight(Number(third), Number(first) - 1, Number(second))
}

const monthOf = (name: string): number => {
  const lower = name.toLowerCase()
  // `juil` before `ju...`: the longest beginning wins.
  const [best] = MONTHS.flatMap((names, month) =>
    names.filter((one) => lower.startsWith(one)).map((one) => ({ month, length: one.length }))
  ).toSorted((a, b) => b.length - a.length)
  return best?.month ?? NaN
}
const fullYear = (year: string): number => (year.length > 2 ? Number(year) : Number(year) + (Number(year) < 70 ? 2_000 : 1_900))

/** Nothing for a day that there was not. */
function midnight(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month, day)
  const is = new Date(ms)
  return is.getUTCMonth() === month && is.getUTCDate() === day ? ms : undefined
}

/** `+0200`, `-04:30`, `+1` */
function hoursOf(offset: string): number {
  const digits = offset.slice(1).replace(':', '')
  const hours = digits.length <= 2 ? Number(digits) : Number(digits.slice(0, -2)) + Number(digits.slice(-2)) / 60
  return offset.startsWith('-') ? -hours : hours
}
