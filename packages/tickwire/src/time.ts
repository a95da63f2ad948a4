/** A point in time in a flag: read as REST reads it, so that neither takes what the other refuses. */
import { readTime } from '@tickwire/server/gateway/span.ts'
import { CommandError } from './ask.ts'

export function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = readTime(text)
  if (time !== undefined) return time
  throw new CommandError(
    `${flag} is ${JSON.stringify(text)}: it takes a time as in 2026-11-20T14:30:00Z, with its zone, or epoch milliseconds`
  )
}
