/** Wrong tokens of the last minute, by whom: so many, and no more are looked at until the oldest is a minute old. */
const WINDOW = 60_000
/** Whoever was right is known for so long. */
const TRUST = 3_600_000
/** Those remembered; the one that was wrong longest ago is forgotten first. */
const MAX_KNOWN = 50_000

export function createGuesses(limit: number) {
  const known = new Map<string, number[]>()
  const trusted = new Map<string, number>()

  const recent = (name: string, now: number): number[] => (known.get(name) ?? []).filter((at) => now - at < WINDOW && at <= now)

  return {
    /** Seconds until another is looked at; 0: now. */
    wait(name: string, now: number): number {
      const wrong = recent(name, now)
      if (wrong.length < limit) return 0
      return Math.max(1, Math.ceil(((wrong.at(-limit) ?? now) + WINDOW - now) / 1_000))
    },

    wrong(name: string, now: number): void {
      const wrong = [...recent(name, now), now].slice(-limit)
      known.delete(name)
      known.set(name, wrong)
      const oldest = known.size > MAX_KNOWN ? known.keys().next().value : undefined
      if (oldest !== undefined) known.delete(oldest)
    },

    /** Who was right once is not shut out by others of his address who are wrong. */
    right(name: string, now: number): void {
      trusted.delete(name)
      trusted.set(name, now)
      const oldest = trusted.size > MAX_KNOWN ? trusted.keys().next().value : undefined
      if (oldest !== undefined) trusted.delete(oldest)
    },
    wasRight: (name: string, now: number): boolean => now - (trusted.get(name) ?? -Infinity) < TRUST,

    beat(now: number): void {
      for (const [name, at] of trusted) {
        // In the order of their last right token, as below.
        if (now - at < TRUST) break
        trusted.delete(name)
      }
      for (const [name, wrong] of known) {
        // They are in the order of their last wrong token.
        if (now - (wrong.at(-1) ?? 0) < WINDOW) return
        known.delete(name)
      }
    }
  }
}
