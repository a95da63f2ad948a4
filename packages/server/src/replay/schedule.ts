/** Simulated time: what is due is done in order of time, and of asking where times are equal. No real timer, no real clock. */
import type { Cancel, Timers } from '../timers.ts'

type Due = { at: number; nth: number; act: (() => void) | undefined; depth: number }

export type Schedule = Timers & {
  now: () => number
  /** When the next is due; Infinity: nothing is. */
  next: () => number
  /** Does what is due next. */
  step: () => Promise<void>
  /** It is that time now: nothing may be due before it. */
  skip: (to: number) => void
  /** As `after`, for an answer that others await, who are themselves awaited. */
  answer: (ms: number, act: () => void) => void
  /** Does what is due up to `until`; `look` is called after each step and says whether to go on. */
  run: (until: number, look: () => boolean) => Promise<void>
  steps: () => number
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.nth < b.nth)

/** A binary heap: the earliest on top. */
function createQueue() {
  const heap: Due[] = []
  const swap = (a: number, b: number): void => {
    const held = heap[a]!
    heap[a] = heap[b]!
    heap[b] = held
  }
  return {
    top: () => heap[0],
    push(due: Due): void {
      let at = heap.push(due) - 1
      for (let up = (at - 1) >> 1; at > 0 && isBefore(heap[at]!, heap[up]!); up = (at - 1) >> 1) {
        swap(at, up)
        at = up
      }
    },
    pop(): void {
      const last = heap.pop()
      if (!last || heap.length === 0) return
      heap[0] = last
      for (let at = 0; ;) {
        const left = 2 * at + 1
        if (left >= heap.length) return
        const least = left + 1 < heap.length && isBefore(heap[left + 1]!, heap[left]!) ? left + 1 : left
        if (!isBefore(heap[least]!, heap[at]!)) return
        swap(least, at)
        at = least
      }
    }
  }
}

/** Promises that a step settled go on before the next step, as deep as this; each turn costs, and most steps settle none. */
const DEPTH = { usual: 4, answer: 16 }

export async function settle(depth: number): Promise<void> {
  for (let turn = 0; turn < depth; turn++) await Promise.resolve()
}

export function createSchedule(start: number, depths = DEPTH): Schedule {
  const queue = createQueue()
  let now = start
  let asked = 0
  let steps = 0

  const after = (ms: number, act: () => void, depth = depths.usual): Cancel => {
    const due: Due = { at: now + Math.max(0, ms), nth: asked++, act, depth }
    queue.push(due)
    return () => void (due.act = undefined)
  }

  /** What was cancelled is no longer there. */
  const first = (): Due | undefined => {
    let due = queue.top()
    for (; due && !due.act; due = queue.top()) queue.pop()
    return due
  }

  const step = async (): Promise<void> => {
    const due = first()
    if (!due?.act) return
    queue.pop()
    now = Math.max(now, due.at)
    steps++
    due.act()
    await settle(due.depth)
  }

  return {
    now: () => now,
    steps: () => steps,
    next: () => first()?.at ?? Infinity,
    step,
    skip: (to) => void (now = Math.max(now, to)),
    after: (ms, act) => after(ms, act),
    answer: (ms, act) => void after(ms, act, depths.answer),
    every(ms, act) {
      let cancel: Cancel
      const again = (): void => {
        cancel = after(ms, again)
        act()
      }
      cancel = after(ms, again)
      return () => cancel()
    },
    async run(until, look) {
      for (let due = first(); due && due.at <= until; due = first()) {
        await step()
        if (!look()) return
      }
      now = Math.max(now, until)
    }
  }
}
