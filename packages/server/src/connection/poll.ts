/** REST calls that are repeated: how data comes from a provider without a socket. Unchanged answers cost it nothing. */
import type { Frame, Need, Poll } from '../providers/adapter.ts'
import { timers as real, type Cancel, type Timers } from '../timers.ts'
import { fairShare, type Window } from './budget.ts'
import { answered, failureOf, type Good, type Rest } from './rest.ts'

export type PollerOptions = {
  rest: Rest
  timers?: Timers
  random: () => number
  windows: readonly Window[]
  onAnswer: (need: Need, answer: Good) => void
  onFailed: (need: Need, failure: { reason: string; status?: number }) => void
}
export type Poller = { set: (poll: Poll) => void; stop: () => void }

/** A poll that fails is asked less and less often, up to this. */
const SLOWEST = 3_600_000

type Running = {
  need: Need
  every: number
  failures: number
  /** What the provider gave us to send back, and the last answer, for providers that send none. */
  etag?: string | undefined
  modified?: string | undefined
  last?: Frame | undefined
  cancel?: Cancel
}

export function createPoller({ rest, timers = real, random, windows, onAnswer, onFailed }: PollerOptions): Poller {
  const running = new Map<string, Running>()

  const isCurrent = (name: string, poll: Running) => running.get(name) === poll

  async function ask(name: string, poll: Running): Promise<void> {
    const { need, etag, modified } = poll
    const conditional = { ...(etag && { 'if-none-match': etag }), ...(modified && { 'if-modified-since': modified }) }
    const answer = await rest.get({ ...need, headers: { ...need.headers, ...conditional } })
    if (!isCurrent(name, poll)) return
    poll.failures = answer.ok ? 0 : poll.failures + 1
    if (answer.ok) heard(poll, answer)
    else onFailed(need, failureOf(answer))
    if (!isCurrent(name, poll)) return
    if (poll.every === Infinity && answer.ok) running.delete(name)
    else poll.cancel = timers.after(waitOf(poll), () => void ask(name, poll))
  }

  function heard(poll: Running, answer: Good): void {
    poll.etag = answer.headers.etag ?? poll.etag
    poll.modified = answer.headers['last-modified'] ?? poll.modified
    const unchanged = answer.unchanged === true || isSame(poll.last, answer.body)
    if (!unchanged) poll.last = answer.body
    onAnswer(answered(poll.need, answer), { ...answer, unchanged })
  }

  /** Not all at one moment: a tenth earlier or later. */
  function waitOf({ every, failures }: Running): number {
    const usual = Math.max(every === Infinity ? 1_000 : every, fairShare(windows, running.size))
    return Math.min(usual * 2 ** Math.min(failures, 20), Math.max(SLOWEST, usual)) * (0.9 + 0.2 * random())
  }

  const end = (name: string): void => {
    running.get(name)?.cancel?.()
    running.delete(name)
  }

  return {
    set({ poll: name, need, every, later }) {
      const old = running.get(name)
      if (later && need && old) {
        old.need = need
        old.every = every
        return
      }
      end(name)
      if (!need) return
      const poll: Running = { need, every, failures: 0 }
      running.set(name, poll)
      void ask(name, poll)
    },
    stop() {
      for (const name of running.keys()) end(name)
    }
  }
}

const isSame = (a: Frame | undefined, b: Frame): boolean =>
  a === b || (a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0)
