/**
 * Whether one of some texts may stand in another, at a cost that hardly grows with their number: a window of it at every few
 * characters is looked up among all windows of what is looked for. Whoever hears yes looks closely.
 */

/** Characters of a window. Its first four are looked up in a table, which is quicker than to cut it out. */
const LEAST = 4
const MOST = 8
const SLOTS = 16

/** Upper and lower case are one; so are some other characters. */
function slotOf(text: string, at: number): number {
  const four =
    text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8) ^ (text.charCodeAt(at + 2) << 16) ^ (text.charCodeAt(at + 3) << 24)
  return Math.imul(four | 0x20_20_20_20, 0x9e_37_79_b1) >>> (32 - SLOTS)
}

/** Regardless of case. Where a needle is very short the answer is always yes. */
export function seekerOf(needles: readonly string[]): (text: string) => boolean {
  const least = Math.min(...needles.map(({ length }) => length))
  if (least < LEAST) return () => true
  const length = Math.max(LEAST, Math.min(MOST, least >> 1))
  // Wherever a needle stands, a window at one of these steps lies within it.
  const step = least - length + 1
  const slots = new Uint8Array(1 << SLOTS)
  const windows = new Set<string>()
  for (const needle of needles)
    for (let at = 0; at + length <= needle.length; at++) {
      slots[slotOf(needle, at)] = 1
      windows.add(needle.slice(at, at + length).toLowerCase())
    }
  return (text) => {
    for (let at = 0; at + length <= text.length; at += step)
      if (slots[slotOf(text, at)] === 1 && windows.has(text.slice(at, at + length).toLowerCase())) return true
    return false
  }
}
