/** A budget of calls: windows such as one a second, five a minute, 25 a day, all of which hold at once. */
export type Window = { count: number; per: number }

export type Budget = { /** Reserves the earliest call not before `from`, and says when it is. */ take: (from: number) => number }

export function openBudget(windows: readonly Window[]): Budget {
  const taken = windows.map((window) => ({ ...window, at: [] as number[] }))
  return {
    take(from) {
      const when = taken.reduce((time, { at, count, per }) => (at.length < count ? time : Math.max(time, at[0]! + per)), from)
      for (const { at, count } of taken) {
        at.push(when)
        if (at.length > count) at.shift()
      }
      return when
    }
  }
}

/** How often each of `polls` may be asked so that together they spread evenly over the slowest window, milliseconds. */
export const fairShare = (windows: readonly Window[], polls: number): number =>
  windows.reduce((least, { count, per }) => Math.max(least, (per / count) * polls), 0)
