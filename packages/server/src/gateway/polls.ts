/** Long-polls: requests that are held until one of their topics goes on. Bounded in number and time, each gone with its client. */
import type { Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import type { Auth } from './auth.ts'
import { RequestError } from './errors.ts'
import type { Quotas } from './quotas.ts'
import type { Visitor } from './visitors.ts'

/** Between two looks at topics that go on without being news: a threshold is not reached each time. */
const PACE = 50

type Poll = { over: () => void; fail: (error: RequestError) => void; visitor: Visitor }
export type Held = {
  topics: readonly string[]
  /** Milliseconds. */
  wait: number
  visitor: Visitor
  /** Calls when the client is gone. */
  onGone: (act: () => void) => void
  /** Whether there is something to tell by now. */
  isNews: () => boolean
}
export type Polls = ReturnType<typeof createPolls>

export function createPolls(options: {
  plant: Plant
  timers: Timers
  auth: Auth
  quotas: Quotas
  /** How many may be held at once. */
  most: number
}) {
  const { plant, timers, auth, quotas, most } = options
  const waiting = new Set<Poll>()
  let closing = false

  /** Resolves when there is news or the time is over; all that it took is given back by then. */
  const listen = ({ topics, wait, visitor, onGone, isNews }: Held): Promise<void> =>
    new Promise((resolve, reject) => {
      const stops: Cancel[] = []
      let looking: Cancel | undefined
      const end = () => {
        waiting.delete(poll)
        looking?.()
        for (const stop of stops) stop()
      }
      const over = () => {
        end()
        resolve()
      }
      const poll: Poll = {
        over,
        visitor,
        fail(error) {
          end()
          reject(error)
        }
      }
      const lookIn = (ms: number) => {
        looking ??= timers.after(ms, () => {
          looking = undefined
          if (isNews()) over()
          else quiet = PACE
        })
      }
      // Of what comes in one turn all is told.
      let quiet = 0
      waiting.add(poll)
      for (const topic of topics) stops.push(plant.subscribe(topic, () => lookIn(quiet)).stop)
      stops.push(timers.after(wait, over))
      onGone(over)
    })

  return {
    /** Holds a request; it counts as a connection of whoever made it. */
    async hold(held: Held): Promise<void> {
      const { address, who } = held.visitor
      if (closing || waiting.size >= most)
        throw new RequestError('UNAVAILABLE', closing ? 'the server shuts down' : 'too many requests wait already', undefined, 5)
      if (!quotas.hasRoom(address, who?.user))
        throw new RequestError('RATE_LIMITED', 'too many connections of this address or user', undefined, 1)
      const place = quotas.connect(address, who?.user)
      try {
        await listen(held)
      } finally {
        place.leave()
      }
    },

    waiting: (): number => waiting.size,

    /** Whose token no longer holds is told so. */
    beat(now: number): void {
      for (const { visitor, fail } of waiting) {
        const standing = visitor.who === undefined ? 'valid' : auth.standing(visitor.who, now)
        if (standing !== 'valid')
          fail(new RequestError('UNAUTHORIZED', `the token ${standing === 'expired' ? 'expired' : 'was revoked'}`))
      }
    },

    /** All are answered as if their time were over. */
    close(): void {
      closing = true
      for (const { over } of waiting) over()
    }
  }
}
