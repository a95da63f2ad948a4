/** The clock by which this page tells ages: the server's, or in a replay that of the recording. */

/** Where a replay was when it was last heard of, and how fast it goes since: 0 while it stands, or hurries. */
type Past = { at: number; told: number; speed: number; to: number }

let offset = 0
let past: Past | undefined

/** `now` is what the server said its time was, just now: ages are honest on a machine whose own clock is off. */
export const setServerTime = (now: number): void => {
  offset = now - Date.now()
}

/** From here on time is that of a recording; without `at`, that of the server again. */
export function setPast(at?: number, speed = 0, to = Infinity): void {
  past = at === undefined ? undefined : { at, told: performance.now(), speed, to }
}

/** A recorded time that was heard: the replay is at least there. */
export function hearPast(at: number): void {
  if (past && at > serverNow() && at <= past.to) past = { ...past, at, told: performance.now() }
}

export const isPast = (): boolean => past !== undefined

export const serverNow = (): number =>
  past ? Math.min(past.to, past.at + (performance.now() - past.told) * past.speed) : Date.now() + offset
