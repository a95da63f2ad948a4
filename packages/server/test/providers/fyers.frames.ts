/** Writes the frames that the data socket sends, for tests. */
export const NOTHING = -2_147_483_648

const u16 = (n: number) => [(n >> 8) & 255, n & 255]
const i32 = (n: number) => [...u16((n >>> 16) & 65_535), ...u16(n & 65_535)]
const text = (s: string) => [s.length, ...new TextEncoder().encode(s)]
const framed = (body: number[]) => Uint8Array.from([...u16(body.length), ...body])

type Tail = { multiplier?: number; precision?: number; exchange?: string; token?: string; name?: string }
export const snapshot = (id: number, topic: string, fields: number[], tail: Tail = {}) => {
  const { multiplier = 1, precision = 2, exchange = 'nse_cm', token = '1', name = '' } = tail
  const values = [fields.length, ...fields.flatMap(i32)]
  return [
    83,
    ...u16(id),
    ...text(topic),
    ...values,
    0,
    0,
    ...u16(multiplier),
    precision,
    ...text(exchange),
    ...text(token),
    ...text(name)
  ]
}
export const update = (id: number, fields: number[]) => [85, ...u16(id), fields.length, ...fields.flatMap(i32)]
export const lite = (id: number, last: number) => [76, ...u16(id), ...i32(last)]
export const data = (number: number | undefined, ...entries: number[][]) =>
  framed([6, ...(number === undefined ? [] : i32(number)), ...u16(entries.length), ...entries.flat()])
export const control = (type: number, status: string, ackEvery?: number) => {
  const ack = ackEvery === undefined ? [] : [2, 0, 4, ...i32(ackEvery)]
  return framed([type, ackEvery === undefined ? 1 : 2, 1, 0, status.length, ...new TextEncoder().encode(status), ...ack])
}

/** ltp, volume, traded, fed, bid and ask sizes, bid, ask, ltq, total sizes, average, OI, low, high, year's, limits, open, close. */
export const scrip = (part: Partial<Record<'ltp' | 'volume' | 'traded' | 'fed' | 'bid' | 'ask' | 'close', number>>) => {
  const {
    ltp = 60_640,
    volume = 1_000,
    traded = 1_690_953_600,
    fed = 1_690_953_622,
    bid = 60_640,
    ask = 60_645,
    close = 62_020
  } = part
  const none = NOTHING
  return [
    ltp,
    volume,
    traded,
    fed,
    2081,
    903,
    bid,
    ask,
    5,
    none,
    none,
    none,
    none,
    60_585,
    61_050,
    none,
    none,
    0,
    0,
    60_985,
    close
  ]
}
