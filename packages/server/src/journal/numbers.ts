/**
 * A column of numbers as bytes. Market numbers are decimals that differ little from one to the next: `(base + sum of steps) / scale`
 * says them in one, two or four bytes each, and only where that comes back exactly; all others are kept as doubles.
 */

/** `width` bytes a step: 0 says that all are `base / scale`; 8 that they are doubles as they are. */
export type NumbersSpec = { width: 0 | 1 | 2 | 4 | 8; base: number; scale: number }
export type PackedNumbers = { spec: NumbersSpec; bytes: Uint8Array }

const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
const NOTHING = new Uint8Array(0)
const RAW = { width: 8, base: 0, scale: 1 } as const

const isOf = (value: number, scale: number): boolean => {
  const whole = Math.round(value * scale)
  return whole / scale === value && Math.abs(whole) <= Number.MAX_SAFE_INTEGER && !(value === 0 && 1 / value < 0)
}
const scaleFrom = (first: number, value: number): number => {
  for (let i = first; i < SCALES.length; i++) if (isOf(value, SCALES[i]!)) return i
  return -1
}

/** The steps between neighbours at this scale: their widest, or why there are none: the index of the value that does not fit. */
function stepsOf(values: Float64Array, scale: number, steps: Int32Array): { widest: number; moved: number } | { misfit: number } {
  let last = Math.round(values[0]! * scale)
  let widest = 0
  let moved = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const whole = Math.round(value * scale)
    if (whole / scale !== value || whole > Number.MAX_SAFE_INTEGER || whole < -Number.MAX_SAFE_INTEGER) return { misfit: i }
    if (whole === 0 && 1 / value < 0) return { misfit: i }
    const step = whole - last
    if (step > 0x7fff_ffff || step < -0x8000_0000) return { misfit: -1 }
    steps[i] = step
    widest |= step ^ (step >> 31)
    moved |= step
    last = whole
  }
  return { widest, moved }
}

/** The same for whole numbers, which most columns are of. */
function wholeSteps(values: Float64Array, steps: Int32Array): { widest: number; moved: number } | { misfit: number } {
  let last = values[0]!
  let widest = 0
  let moved = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const far = value - last
    const step = far | 0
    // What differs from a whole number by a whole number, and not only after rounding, is one, too.
    if (step !== far || last + step !== value || (value === 0 && 1 / value < 0))
      return Number.isSafeInteger(value) && value !== 0 ? { misfit: -1 } : { misfit: i }
    steps[i] = step
    widest |= step ^ (step >> 31)
    moved |= step
    last = value
  }
  return { widest, moved }
}

const rawOf = (values: Float64Array): PackedNumbers => ({
  spec: RAW,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
})
const bytesOf = ({ buffer, byteOffset, byteLength }: Int8Array | Int16Array | Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Those of the column at hand, so that not each of them allocates its own. */
let room = new Int32Array(4_096)

export function packNumbers(values: Float64Array): PackedNumbers {
  if (values.length === 0) return { spec: { width: 0, base: 0, scale: 1 }, bytes: NOTHING }
  if (room.length < values.length) room = new Int32Array(values.length)
  const steps = room.subarray(0, values.length)
  let at = scaleFrom(0, values[0]!)
  while (at >= 0) {
    const scale = SCALES[at]!
    const found = scale === 1 ? wholeSteps(values, steps) : stepsOf(values, scale, steps)
    if ('widest' in found) {
      const { widest, moved } = found
      const base = Math.round(values[0]! * scale)
      if (moved === 0) return { spec: { width: 0, base, scale }, bytes: NOTHING }
      if (widest < 0x80) return { spec: { width: 1, base, scale }, bytes: bytesOf(new Int8Array(steps)) }
      if (widest < 0x8000) return { spec: { width: 2, base, scale }, bytes: bytesOf(new Int16Array(steps)) }
      return { spec: { width: 4, base, scale }, bytes: bytesOf(new Int32Array(steps)) }
    }
    if (found.misfit < 0) break
    at = scaleFrom(at + 1, values[found.misfit]!)
  }
  return rawOf(values)
}

/** Bytes that so many numbers take. */
export const sizeOfNumbers = ({ width }: NumbersSpec, count: number): number => width * count

/** `bytes` begins at a multiple of 8 in its buffer. */
export function unpackNumbers({ width, base, scale }: NumbersSpec, count: number, bytes: Uint8Array): Float64Array {
  const { buffer, byteOffset } = bytes
  if (width === 8) return new Float64Array(buffer.slice(byteOffset, byteOffset + 8 * count) as ArrayBuffer)
  const values = new Float64Array(count)
  if (width === 0) return values.fill(base / scale)
  const steps =
    width === 1
      ? new Int8Array(buffer, byteOffset, count)
      : width === 2
        ? new Int16Array(buffer, byteOffset, count)
        : new Int32Array(buffer, byteOffset, count)
  let whole = base
  for (let i = 0; i < count; i++) {
    whole += steps[i]!
    values[i] = whole / scale
  }
  return values
}
