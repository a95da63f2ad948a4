/** What a person who watches a stream must know beside the prices, a sentence each. Pure. */
import type { ClientEvents } from '@tickwire/client'
import { plain } from '../terminal/plain.ts'

const clock = (time: number): string => new Date(time).toISOString().slice(11, 23)
const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** `undefined`: not worth a line. All of it may be shown in a terminal. */
export const noteOf = {
  gap(hole) {
    if (hole.source === 'connection') return plain(`gap: ${hole.topic}: ${hole.from} to ${hole.to} were missed`)
    if (hole.source === 'digest')
      return plain(`gap: ${hole.topic}: what came between ${hole.from} and ${hole.to} is not what was sent`)
    const { instrument, kind, provider, cause, action, from, to } = hole.event
    return plain(`gap: ${instrument} ${kind} of ${provider}, ${clock(from)} to ${clock(to)}: ${cause}, ${action}`)
  },
  gap_filled: ({ instrument, kind, provider }) => plain(`gap filled: ${instrument} ${kind} of ${provider}`),
  lost: ({ topic, count, where, reason }) =>
    plain(
      `lost: ${many(count, 'event')} of ${topic}: ${reason === 'age' ? 'older than was asked for' : `the reader is slow (${where === 'server' ? 'the server' : 'this program'} left them out)`}`
    ),
  status({ instrument, kind, leader, previous, cause, reason }) {
    // Who leads at the beginning is no news.
    if (cause === 'first' || cause === 'unsubscribed') return undefined
    return plain(`failover: ${instrument} ${kind}: ${previous ?? 'nobody'} → ${leader ?? 'nobody'}: ${reason}`)
  },
  contract: ({ topics, reason }) => plain(`contract: ${topics.join(', ')}: ${reason}`),
  reset: ({ topic, reason }) => plain(`reset: ${topic} begins anew: ${reason}`),
  // The message names what was meant, where anybody can know.
  error: ({ code, message }) => plain(`refused: ${message} (${code})`),
  shutdown: ({ reason }) => plain(`the server stops: ${reason}`)
} satisfies { [N in keyof ClientEvents]?: (report: ClientEvents[N]) => string | undefined }
