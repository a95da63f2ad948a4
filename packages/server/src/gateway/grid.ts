/** When sampled lanes are due: at multiples of their interval since 1970, so that all who ask for the same interval share the work. */
import type { Cancel, Timers } from '../timers.ts'
import type { Lane } from './member.ts'

/** A timer may ring this early: the next multiple is not the one it rang for. */
const EARLY = 2

export function createGrid(clock: () => number, timers: Timers, act: (lanes: Iterable<Lane>) => void) {
  const slots = new Map<number, { lanes: Set<Lane>; cancel: Cancel }>()

  const open = (interval: number) => {
    const now = clock()
    const next = (Math.floor((now + EARLY) / interval) + 1) * interval
    const slot = {
      lanes: new Set<Lane>(),
      cancel: timers.after(next - now, () => {
        slots.delete(interval)
        act(slot.lanes)
      })
    }
    slots.set(interval, slot)
    return slot
  }

  return {
    /** It has something for the next multiple. */
    wait(lane: Lane): void {
      const { interval = 0 } = lane.contract
      ;(slots.get(interval) ?? open(interval)).lanes.add(lane)
    },
    leave(lane: Lane): void {
      slots.get(lane.contract.interval ?? 0)?.lanes.delete(lane)
    },
    stop(): void {
      for (const { cancel } of slots.values()) cancel()
      slots.clear()
    }
  }
}
