/** Room for frames that a socket takes at once: used again for the next, so that writing makes no garbage. */
const SLAB = 256 * 1024

export function createScratch() {
  let slab = Buffer.allocUnsafeSlow(SLAB)
  let used = 0
  let last = 0
  return {
    take(bytes: number): Buffer {
      if (bytes > SLAB) return Buffer.allocUnsafeSlow(bytes)
      if (used + bytes > SLAB) {
        slab = Buffer.allocUnsafeSlow(SLAB)
        used = 0
      }
      last = bytes
      used += bytes
      return slab.subarray(used - bytes, used)
    },
    /** All that was taken last has left: its room is free again. */
    free(): void {
      used -= last
      last = 0
    },
    /** A socket still holds it. */
    leave(): void {
      last = 0
    }
  }
}
