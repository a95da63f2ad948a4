/** The token of the person in front of the page, where the server wants one: kept until the tab is closed, and no longer. */
import { create } from 'zustand'

const KEY = 'tickwire.token'

const kept = (): string | undefined => {
  try {
    return sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined
  }
}

/** `wanted`: why one is asked for now, as a sentence; `put off`: the person closed the question. */
export const useToken = create<{ token: string | undefined; wanted: string | undefined; isPutOff: boolean }>()(() => ({
  token: kept(),
  wanted: undefined,
  isPutOff: false
}))

export const tokenNow = (): string | undefined => useToken.getState().token

/** The server refused what was asked without a token, or with this one. */
export function wantToken(used: string | undefined): void {
  // An answer to a question of before the person gave another one.
  if (used !== tokenNow()) return
  const wanted = used === undefined ? 'This server wants a token.' : 'The server does not take this token.'
  if (useToken.getState().wanted !== wanted) useToken.setState({ wanted })
}

export function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token)
  } catch {
    /* a browser that keeps nothing: it lasts as long as the page */
  }
  useToken.setState({ token, wanted: undefined, isPutOff: false })
}
