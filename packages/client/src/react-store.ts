/**
 * What components read of a client: each source opened once however many read it, its news shown a frame at a time. Between two
 * frames nothing that is read changes, so one rendering never shows two moments.
 */

/** Something that goes on for as long as somebody reads it. `key` names it: of two with one key the first is opened. */
export type Source<T> = {
  key: string
  /** What it is while it is not open: the same object each time. */
  start: () => T
  open: (change: (next: (now: T) => T) => void) => () => void
}

export type Store = {
  read: <T>(source: Source<T>) => T
  /** Returns the function that stops watching. */
  watch: <T>(source: Source<T>, listener: () => void) => () => void
}

type Held = { shown: unknown; next: unknown; listeners: Set<() => void>; close: () => void }

/** Where there are no frames (a server, a test without a page), as often as most screens have them. */
const FRAME_MS = 16

function onFrame(act: () => void): void {
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(act)
  else setTimeout(act, FRAME_MS)
}

export function createStore(): Store {
  const held = new Map<string, Held>()
  const changed = new Set<Held>()
  let due = false

  function show(): void {
    due = false
    const now = [...changed].filter(({ shown, next }) => shown !== next)
    changed.clear()
    for (const one of now) one.shown = one.next
    for (const listener of now.flatMap(({ listeners }) => [...listeners])) listener()
  }

  function open<T>(source: Source<T>): Held {
    const start = source.start()
    const one: Held = { shown: start, next: start, listeners: new Set(), close: () => {} }
    held.set(source.key, one)
    one.close = source.open((next) => {
      one.next = next(one.next as T)
      changed.add(one)
      if (due) return
      due = true
      onFrame(show)
    })
    return one
  }

  /** Not at once: a component that leaves is often one that comes again in the same turn, elsewhere or under StrictMode. */
  function leave(key: string, one: Held): void {
    queueMicrotask(() => {
      if (one.listeners.size > 0 || held.get(key) !== one) return
      held.delete(key)
      changed.delete(one)
      one.close()
    })
  }

  return {
    read: <T>(source: Source<T>): T => (held.get(source.key)?.shown ?? source.start()) as T,
    watch(source, listener) {
      const one = held.get(source.key) ?? open(source)
      // A listener of its own for each watcher, so that one function given twice counts twice.
      const mine = (): void => listener()
      one.listeners.add(mine)
      return () => {
        one.listeners.delete(mine)
        leave(source.key, one)
      }
    }
  }
}
