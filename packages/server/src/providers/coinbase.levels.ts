/**
 * Coinbase's book frames read straight from their text, in half the time of JSON.parse: a snapshot is megabytes of rows of
 * one shape. Every character is matched; a frame that differs in anything is left to the general way.
 */
import type { Level } from '@tickwire/protocol'
import type { BookDelta } from './adapter.ts'
import { isTime, parseTime } from './time.ts'
import { isPrice, isSize } from './values.ts'

// {"channel":"l2_data","timestamp":"2026-08-09T21:05:48.542Z","sequence_num":18,"events":[{"type":"update","product_id":"BTC-USD","updates":[
const HEAD =
  /\{"channel":"l2_data",(?:"client_id":"[\w-]*",)?"timestamp":"([\w:.+-]*)","sequence_num":(0|[1-9]\d{0,14}),"events":\[\{"type":"(snapshot|update)","product_id":"([\w-]+)","updates":\[/y
// {"side":"bid","event_time":"2026-08-09T21:05:48.520907Z","price_level":"65053.45","new_quantity":"0.02496497"}, and the end
const ROW =
  /\{"side":"(bid|offer)","event_time":"([\w:.+-]*)","price_level":"(\d+(?:\.\d+)?)","new_quantity":"(\d+(?:\.\d+)?)"\}(?:,|(\]\}\]\}$))/y

export type BookFrame = { channel: 'l2_data'; sequence_num: number; delta: BookDelta }

/** Undefined: not such a frame, or not one to be read this way. */
export function readLevels(frame: string, received: number): BookFrame | undefined {
  HEAD.lastIndex = 0
  const head = HEAD.exec(frame)
  if (!head) return undefined
  const bids: Level[] = []
  const asks: Level[] = []
  ROW.lastIndex = HEAD.lastIndex
  for (;;) {
    const row = ROW.exec(frame)
    if (!row) return undefined
    const price = +row[3]!
    const size = +row[4]!
    if (!isPrice(price) || !isSize(size)) return undefined
    if (row[1] === 'bid') bids.push([price, size])
    else asks.push([price, size])
    if (row[5] === undefined) continue
    const sequence = +head[2]!
    const symbol = head[4]!
    const delta = { type: 'delta', symbol, time: 0, snapshot: head[3] === 'snapshot', bids, asks, sequence } as const
    return { channel: 'l2_data', sequence_num: sequence, delta: { ...delta, time: bookTime(row[2], head[1], received) } }
  }
}

/** The time of the last change, else of the frame, else of its receipt. */
export function bookTime(changed: unknown, sent: unknown, received: number): number {
  const time = parseTime(changed)
  if (isTime(time)) return time
  const frameTime = parseTime(sent)
  return isTime(frameTime) ? frameTime : received
}
