/** Room for frames that a socket takes at once: used again for the next, so that writing makes no garbage. */
const SLAB = 1024 * 1024

export function createScratch() {
  let slab = Buffer.allocUnsafeSlow(SLAB)
  let used = 0
  let last = 0
  return {
    take: (bytes: number): Buffer => {
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

const LEAST = 256 * 1024
const MOST = 32 * 1024 * 1024

/** Room for what lives no longer than one flush: it grows to what a flush needs. */
export function createArena() {
  let slab = Buffer.allocUnsafeSlow(LEAST)
  let used = 0
  let wanted = 0
  return {
    take: (bytes: number): Buffer => {
      wanted += bytes
      if (used + bytes > slab.length) return Buffer.allocUnsafe(bytes)
      used += bytes
      return slab.subarray(used - bytes, used)
    },
    /** Nothing of it is in use any more. */
    clear(): void {
      if (wanted > slab.length) slab = Buffer.allocUnsafeSlow(Math.min(MOST, 2 * wanted))
      used = 0
      wanted = 0
    }
  }
}
