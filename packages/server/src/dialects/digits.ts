/** How providers write numbers and times: decimal strings of fixed length, and RFC 3339 with as many digits as they use. */

/** All digits of a double, padded to `decimals`; never rounded, unlike toFixed. */
export function padded(value: number, decimals: number): string {
  const text = plain(value)
  const point = text.indexOf('.')
  if (point < 0) return decimals === 0 ? text : `${text}.${'0'.repeat(decimals)}`
  return text + '0'.repeat(Math.max(0, decimals - (text.length - point - 1)))
}

const WRITTEN_OUT = new Intl.NumberFormat('en-US', { useGrouping: false, maximumFractionDigits: 100 })
/** The shortest decimal that reads back as this double, without an exponent. */
export function plain(value: number): string {
  const text = String(value)
  return text.includes('e') ? WRITTEN_OUT.format(value) : text
}

/** Many events are of one second, and a date is dear to write. */
const written = { second: Number.NaN, text: '' }
function seconds(time: number): string {
  const second = Math.floor(time / 1_000)
  if (second !== written.second) {
    written.text = new Date(second * 1_000).toISOString().slice(0, 19)
    written.second = second
  }
  return written.text
}

/** `2026-08-09T21:05:48.167634Z`: `digits` of the second's fraction; trailing zeros dropped when `trim`. Doubles hold microseconds. */
export function rfc3339(time: number, digits: number, trim = false): string {
  const micros = String(Math.round((time - Math.floor(time / 1_000) * 1_000) * 1_000)).padStart(6, '0')
  const fraction = micros.slice(0, digits).padEnd(digits, '0')
  const short = trim ? fraction.replace(/0+$/, '') : fraction
  return `${seconds(time)}${short === '' ? '' : `.${short}`}Z`
}
