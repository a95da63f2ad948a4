/** Who wants what, counted: the first to want a thing starts it, and a grace time after the last has left it ends. */
export type Demand<T> = {
  /** True when nobody held it before, not even within the grace time. */
  hold: (key: string, thing: T) => boolean
  release: (key: string, now: number) => void
  /** What nobody has held for the grace time; it is forgotten here. */
  expired: (now: number) => T[]
  all: () => Iterable<T>
}

export function createDemand<T>(grace: number): Demand<T> {
  const held = new Map<string, { thing: T; count: number }>()
  /** Released by the last holder → when. */
  const idle = new Map<string, number>()
  return {
    hold(key, thing) {
      const known = held.get(key)
      if (known) known.count++
      else held.set(key, { thing, count: 1 })
      idle.delete(key)
      return known === undefined
    },
    release(key, now) {
      const known = held.get(key)
      if (known && --known.count === 0) idle.set(key, now)
    },
    expired(now) {
      const gone: T[] = []
      for (const [key, since] of idle) {
        if (now - since < grace) continue
        gone.push(held.get(key)!.thing)
        held.delete(key)
        idle.delete(key)
      }
      return gone
    },
    *all() {
      for (const { thing } of held.values()) yield thing
    }
  }
}
