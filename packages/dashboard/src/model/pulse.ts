/**
 * Who wants to know that something changed: each key's listeners are told in an animation frame, twenty times a second at
 * most, however often it changed. Nobody reads faster, and the frames between stay free for scrolling.
 */
import { useEffect, useReducer } from 'react'

type Listener = () => void

const listeners = new Map<string, Set<Listener>>()
const dirty = new Set<string>()
const EVERY_MS = 45
let due = false
let flushed = 0

function flush(now: number): void {
  due = false
  flushed = now
  const keys = [...dirty]
  dirty.clear()
  for (const key of keys) for (const listener of listeners.get(key) ?? []) listener()
}

/** Says that what stands behind `key` changed. */
export function touch(key: string): void {
  dirty.add(key)
  if (due) return
  due = true
  const wait = flushed + EVERY_MS - performance.now()
  // A frame is asked for only when it is used: each one that is costs a pass of the browser, even where nothing is drawn.
  if (wait > 0) setTimeout(() => requestAnimationFrame(flush), wait)
  else requestAnimationFrame(flush)
}

export function listen(key: string, listener: Listener): () => void {
  let set = listeners.get(key)
  if (!set) listeners.set(key, (set = new Set()))
  set.add(listener)
  return () => {
    set.delete(listener)
    if (set.size === 0) listeners.delete(key)
  }
}

/** Renders the component again when `key` changed, but not more often than every `every` milliseconds. */
export function useBeat(key: string, every = 100): void {
  const [, render] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    let last = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const now = (): void => {
      timer = undefined
      last = performance.now()
      render()
    }
    const stop = listen(key, () => {
      const wait = last + every - performance.now()
      if (wait <= 0) now()
      else timer ??= setTimeout(now, wait)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [key, every])
}

/** Ages grow without any event: this key beats four times a second. */
export const CLOCK = 'clock'
setInterval(() => touch(CLOCK), 250)
