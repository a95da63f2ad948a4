/** Looks again and again, for as long as there is something to look after. */
import type { Cancel, Timers } from '../timers.ts'

/** `look` returns whether it is to look again. */
export function createWatch(timers: Timers, every: number, look: () => boolean) {
  let cancel: Cancel | undefined
  const begin = (): void => {
    cancel ??= timers.after(every, () => {
      cancel = undefined
      if (look()) begin()
    })
  }
  return { begin, stop: () => cancel?.() }
}
