/** When to try again after a lost connection, and what to tell a person about it. */
import { CLOSES, type CloseCode } from '@tickwire/protocol'

export type Backoff = { min: number; max: number }

/** Full jitter: a uniform delay below a doubling bound, so that a server's restart does not meet every client at one instant. */
export const backoffDelay = (attempt: number, { min, max }: Backoff, random: () => number): number =>
  random() * Math.min(max, min * 2 ** Math.min(attempt, 30))

/** One sentence for a person: why the connection ended. */
export function closeReason(code: number, reason: string, wasOpen: boolean): string {
  const known = CLOSES[code as CloseCode] as (typeof CLOSES)[CloseCode] | undefined
  const said = reason === '' ? '' : ` (“${reason}”)`
  if (known) return `The server closed the connection: ${code} ${known.name}${said}. ${known.meaning}`
  if (code === 1006 || code === 1005) return `${wasOpen ? 'The connection was lost' : 'The server could not be reached'}${said}.`
  return `The connection was closed with code ${code}${said}.`
}
