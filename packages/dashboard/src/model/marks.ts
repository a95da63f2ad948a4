/** Moments of the page's life as performance marks, `tickwire:open`, `tickwire:first-price`, ...: what tests and people measure. */

const made = new Set<string>()

/** The first time of each name counts; `resumed` and `restarted` are marked each time. */
export function mark(name: string, when: boolean): void {
  const again = name === 'resumed' || name === 'restarted'
  if (!when || (made.has(name) && !again)) return
  made.add(name)
  performance.mark(`tickwire:${name}`)
}
