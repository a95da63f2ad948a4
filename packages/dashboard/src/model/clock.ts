/** The server's clock as this page knows it, so that ages are honest on a machine whose own clock is off. */

let offset = 0

/** `now` is what the server said its time was, just now. */
export const setServerTime = (now: number): void => {
  offset = now - Date.now()
}

export const serverNow = (): number => Date.now() + offset
