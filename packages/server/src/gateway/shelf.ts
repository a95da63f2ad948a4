/** Topics held for what a dialect's REST was asked: on no connection, under keys of its own, until they are let go. */
import type { Hands } from '../dialects/dialect.ts'
import type { Demand } from './holding.ts'
import { refusal, type Understand, type Understood } from './understand.ts'

/** As many keys as one dialect's REST may hold: it is shared by all who ask. */
const MOST = 200

export type Shelf = Omit<Hands, 'read'>

export function createShelf(understand: Understand, demand: Demand): Shelf & { stop: () => void } {
  const held = new Map<string, readonly (() => void)[]>()
  const letGo = (key: string): boolean => {
    for (const release of held.get(key) ?? []) release()
    return held.delete(key)
  }
  return {
    keys: () => [...held.keys()],
    letGo,
    hold(key, topics) {
      if (!held.has(key) && held.size >= MOST) {
        const message = `${MOST} subscriptions are held, the most that there may be; those stay`
        return { held: false, refusals: topics.map((topic) => refusal(topic, 'TOO_MANY_SYMBOLS', message)) }
      }
      const results = topics.map(understand)
      const found = results.filter((result): result is Understood => result.ok)
      const refusals = results.filter((result) => !result.ok)
      if (found.length === 0 && topics.length > 0) return { held: false, refusals }
      // Asked for anew before the old ones are released, so that nothing upstream is dropped meanwhile.
      const releases = found.map(({ topic }) => demand(topic).release)
      letGo(key)
      held.set(key, releases)
      return { held: true, refusals }
    },
    stop: () => [...held.keys()].forEach(letGo)
  }
}

/** A shelf for each dialect that asks for one. */
export function createShelves(understand: Understand, demand: Demand) {
  const shelves = new Map<string, ReturnType<typeof createShelf>>()
  return {
    of(dialect: string): Shelf {
      const shelf = shelves.get(dialect) ?? createShelf(understand, demand)
      shelves.set(dialect, shelf)
      return shelf
    },
    stop(): void {
      for (const shelf of shelves.values()) shelf.stop()
    }
  }
}
