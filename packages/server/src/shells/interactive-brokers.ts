/** Interactive Brokers by its SDK: a socket and REST for the machine, both over connections to one TWS or Gateway. */
import { openBudget } from '../connection/budget.ts'
import type { Answer, Call as RestCall } from '../connection/rest.ts'
import { interactiveBrokers } from '../providers/interactive-brokers.ts'
import { isCall, open, type Call, type Live, type Where } from './interactive-brokers.connection.ts'
import { pause } from '../connection/pause.ts'
import { timers } from '../timers.ts'
import type { OpenShell } from './shell.ts'

/** TWS refuses the same question asked again within this time. */
const SAME = 15_000
const MOST_CLIENTS = 32

export const openInteractiveBrokers: OpenShell = ({ wsUrl, readAccess }) => {
  /** Client ids above the configured one that are skipped: others have them. */
  let taken = 0
  let current: Live | undefined
  let spare: Promise<Live> | undefined
  const onTaken = () => void (taken = (taken + 1) % MOST_CLIENTS)
  const at = (url: string, more: number): Where => {
    const { hostname, port, searchParams } = new URL(url)
    const clientId = Number(searchParams.get('clientId') ?? 0) || 0
    return { host: hostname, port: Number(port) || 4002, clientId: clientId + taken + more }
  }
  /** Whoever asks while nothing is subscribed opens a connection for that. */
  const borrow = (): Promise<Live> => {
    if (current) return Promise.resolve(current)
    spare ??= new Promise<Live>((resolve, reject) => {
      const where = at(interactiveBrokers.dial?.(wsUrl, readAccess()) ?? wsUrl, 1)
      const live = open(where, onTaken, {
        onOpen: () => resolve(live),
        onFrame: () => undefined,
        onClose({ reason }) {
          spare = undefined
          reject(new Error(reason))
        }
      })
    })
    return spare
  }
  const giveBack = (live: Live) => {
    if (live === current || live.asking() > 0) return
    spare = undefined
    live.close()
  }

  return {
    dial({ url }, hooks) {
      const live: Live = open(at(url, 0), onTaken, {
        onOpen() {
          current = live
          hooks.onOpen()
        },
        onFrame: hooks.onFrame,
        onClose(ending) {
          if (current === live) current = undefined
          hooks.onClose(ending)
        }
      })
      return {
        send: (frame) => live.send(typeof frame === 'string' ? frame : new TextDecoder().decode(frame)),
        close() {
          if (current === live) current = undefined
          live.close()
        }
      }
    },
    rest: questions(
      borrow,
      giveBack,
      () =>
        void spare?.then(
          (live) => live.close(),
          () => undefined
        )
    )
  }
}

function questions(borrow: () => Promise<Live>, giveBack: (live: Live) => void, leave: () => void) {
  const { requestsPerSecond, requests = [] } = interactiveBrokers.limits
  const budget = openBudget([{ count: 1, per: 1_000 / requestsPerSecond }, ...requests])
  const lately = new Map<string, { at: number; answer: Promise<Answer> }>()
  const stopping = new AbortController()
  let quietUntil = 0

  async function ask(call: Call): Promise<Answer> {
    const now = Date.now()
    const at = budget.take(Math.max(now, quietUntil))
    if (at > now) await pause(timers, at - now, stopping.signal)
    if (stopping.signal.aborted) return { ok: false, reason: 'stopped' }
    try {
      const live = await borrow()
      const answer = await live.ask(call)
      giveBack(live)
      return answer
    } catch (error) {
      return { ok: false, reason: (error as Error).message }
    }
  }

  return {
    get({ post }: RestCall): Promise<Answer> {
      if (!isCall(post)) return Promise.resolve({ ok: false, reason: 'no call that the SDK may be asked' })
      const key = JSON.stringify(post)
      const now = Date.now()
      for (const [old, { at }] of lately) if (now - at >= SAME) lately.delete(old)
      const known = lately.get(key)
      if (known) return known.answer
      const answer = ask(post)
      lately.set(key, { at: now, answer })
      // What failed may be asked again at once.
      void answer.then(({ ok }) => ok || lately.delete(key))
      return answer
    },
    quiet: (ms: number) => void (quietUntil = Math.max(quietUntil, Date.now() + ms)),
    stop() {
      stopping.abort()
      leave()
    }
  }
}
