/** Calls later, as the rooms are handed them: the one file of the feed, the services and the gateway that sets real timers. */
export type Cancel = () => void

export type Timers = {
  /** Calls `act` once, `ms` from now; 0: when what has arrived by now is dealt with. */
  after: (ms: number, act: () => void) => Cancel
  every: (ms: number, act: () => void) => Cancel
}

export const timers: Timers = {
  after(ms, act) {
    if (ms <= 0) {
      const turn = setImmediate(act)
      return () => clearImmediate(turn)
    }
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  every(ms, act) {
    const timer = setInterval(act, ms)
    return () => clearInterval(timer)
  }
}
