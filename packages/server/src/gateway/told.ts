/** Change detection for those who poll: what was told of a topic, short enough to travel in a cursor, against what is now. */
import { LITE, type Contract, type Published } from '@tickwire/protocol'
import { decodeSeq, encodeSeq, hashText } from './cursor.ts'

/** The fields that are sent, and of which a difference is news; absent: all, and every event is. */
export type Chosen = Contract['fields']

/** It differs with each event, and tells nothing new. */
const RESTLESS: ReadonlySet<string> = new Set(['time'])

const fieldsOf = ({ type }: Published, chosen: Chosen): readonly string[] | undefined => (chosen === 'lite' ? LITE[type] : chosen)

/** Numbers as they are, so that a threshold can be kept; all else by its hash. A plus would be a space in an address. */
function valueOf(event: Published, field: string): string {
  const value: unknown = Object.hasOwn(event, field) ? (event as unknown as Record<string, unknown>)[field] : undefined
  if (value === undefined) return ''
  return typeof value === 'number' ? String(value).replace('+', '') : `h${hashText(JSON.stringify(value)).toString(36)}`
}

/** The values that count, or nothing where the whole event does. */
function valuesOf(event: Published, chosen: Chosen): readonly string[] {
  const fields = fieldsOf(event, chosen)?.filter((field) => !RESTLESS.has(field)) ?? []
  const values = fields.map((field) => valueOf(event, field))
  return values.some((value) => value !== '') ? values : []
}

/** `seq_value_value…`; without chosen fields the sequence alone. */
export const markOf = (event: Published | undefined, chosen: Chosen): string =>
  event === undefined ? '' : [encodeSeq(event.seq), ...(chosen === undefined ? [] : valuesOf(event, chosen))].join('_')

const isNumber = (text: string): boolean => text !== '' && !text.startsWith('h') && Number.isFinite(Number(text))

/** `threshold`: percent by which a number must have moved. */
function isDifferent(before: string, now: string, threshold: number): boolean {
  if (before === now) return false
  if (!isNumber(before) || !isNumber(now)) return true
  const [from, to] = [Number(before), Number(now)]
  return from !== to && Math.abs(to - from) >= (Math.abs(from) * threshold) / 100
}

/** Whether `event` is news to whoever was told what `mark` holds; undefined where the mark is none. */
export function isNews(mark: string, event: Published | undefined, chosen: Chosen, threshold: number): boolean | undefined {
  const [text = '', ...before] = mark.split('_')
  const seq = decodeSeq(text)
  if (seq === undefined || seq > (event?.seq ?? 0)) return undefined
  if (event === undefined || event.seq === seq) return false
  if (chosen === undefined) return true
  const now = valuesOf(event, chosen)
  if (now.length === 0 || now.length !== before.length) return true
  return now.some((value, i) => isDifferent(before[i] ?? '', value, threshold))
}
