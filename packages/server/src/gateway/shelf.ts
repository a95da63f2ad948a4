/** Topics held for what a dialect's REST was asked: on no connection, under keys of its own, until they are let go. */
import type { Hands } from '../dialects/dialect.ts'
import type { Demand } from './holding.ts'
import { refusal, type Understand, type Understood } from './understand.ts'

/** As many keys as one user of a dialect's REST may hold; without users it is shared by all who ask. */
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

/** A shelf for each dialect that asks for one, and in it for each user: what one holds is nothing to another. */
export function createShelves(understand: Understand, demand: Demand) {
  const shelves = new Map<string, ReturnType<typeof createShelf>>()
  return {
    of(dialect: string, user = ''): Shelf {
      const name = JSON.stringify([dialect, user])
      const shelf = () => shelves.get(name) ?? createShelf(understand, demand)
      /** An empty one is not kept: there may be many users. */
      const keep = (used: ReturnType<typeof createShelf>): void => {
        if (used.keys().length > 0) shelves.set(name, used)
        else shelves.delete(name)
      }
      const using = <T>(act: (used: Shelf) => T): T => {
        const used = shelf()
        const outcome = act(used)
        keep(used)
        return outcome
      }
      return {
        keys: () => shelf().keys(),
        letGo: (key) => using((used) => used.letGo(key)),
        hold: (key, topics) => using((used) => used.hold(key, topics))
      }
    },
    stop(): void {
      for (const shelf of shelves.values()) shelf.stop()
    }
  }
}
