/** Recorded traffic in the place of the network: sockets that say what was said then, and REST that answers what was answered. */
import type { Reply, Transport } from '../connection/http.ts'
import type { Dial, Hooks } from '../connection/link.ts'
import type { Entry } from '../journal/journal.ts'
import { isSecretName } from '../ops/secrets.ts'
import type { Timers } from '../timers.ts'

type Of<T extends Entry['type']> = Extract<Entry, { type: T }>
type Heard = Of<'opened' | 'frame' | 'closed'>
type Answer = Of<'answer'>

/** What a connection said before anybody listened is kept up to here. */
const MOST_KEPT = 10_000

/** What is said anew each time it is asked. */
const FLEETING = /^(?:timestamp|nonce|recv_?window|sign|signature)$/i

/** The same address has the same name, whoever asks with whatever key: secrets were left out of what was recorded. */
export function plainPath(path: string): string {
  const mark = path.indexOf('?')
  if (mark < 0) return path
  const query = [...new URLSearchParams(path.slice(mark + 1))].filter(([name]) => !FLEETING.test(name) && !isSecretName(name))
  const named = new URLSearchParams(query)
  named.sort()
  const text = named.toString()
  return text === '' ? path.slice(0, mark) : `${path.slice(0, mark)}?${text}`
}

/** A connection as it was: heard by the one who dialled it, at once what was said before. */
function createWire() {
  let hooks: Hooks | undefined
  let kept: Heard[] = []
  let over = false
  const hand = (entry: Heard): void => {
    if (!hooks || over) return
    if (entry.type === 'opened') hooks.onOpen()
    else if (entry.type === 'frame') hooks.onFrame(entry.frame)
    else {
      over = true
      hooks.onClose({ reason: entry.reason })
    }
  }
  return {
    /** Recorded as opened, and not closed before anybody asked. */
    isFree: () => hooks === undefined && !over,
    hear(entry: Heard): void {
      if (hooks) return hand(entry)
      if (kept.length < MOST_KEPT) kept.push(entry)
      // Nobody dialled it in all its life.
      if (entry.type === 'closed') over = true
    },
    take(by: Hooks): void {
      hooks = by
      const said = kept
      kept = []
      for (const entry of said) hand(entry)
    },
    hangUp: (): void => void (over = true)
  }
}
type Wire = ReturnType<typeof createWire>

/** The sockets of one provider: each dialling takes the next recorded connection. */
export function createSockets(timers: Timers) {
  const wires = new Map<number, Wire>()
  const waiting: ((wire: Wire) => void)[] = []

  const dial: Dial = (_target, hooks) => {
    let wire: Wire | undefined
    let ended = false
    const take = (found: Wire): void => {
      wire = found
      // As with a real socket nothing is heard in the turn in which it is dialled.
      timers.after(0, () => !ended && found.take(hooks))
    }
    const free = [...wires.values()].find((each) => each.isFree())
    if (free) take(free)
    else waiting.push(take)
    return {
      send: () => undefined,
      close() {
        ended = true
        wire?.hangUp()
        const at = waiting.indexOf(take)
        if (at >= 0) waiting.splice(at, 1)
      }
    }
  }

  return {
    dial,
    hear(entry: Heard): void {
      let wire = wires.get(entry.connection)
      if (!wire) {
        if (entry.type === 'closed') return
        wires.set(entry.connection, (wire = createWire()))
      }
      wire.hear(entry)
      if (entry.type === 'closed') wires.delete(entry.connection)
      else if (wire.isFree()) waiting.shift()?.(wire)
    }
  }
}

const replyOf = ({ status, headers, body }: Answer): Reply => ({ ok: true, status, headers, body: Buffer.from(body) })
const MISSING: Reply = { ok: false, reason: 'not in the recording' }

/**
 * One that was recorded without its query answers whatever is asked there; and where the provider has another address than it had
 * (of a street, or its own), what stands behind that is the same.
 */
const isSame = (recorded: string, asked: string): boolean =>
  recorded === asked.split('?')[0] ||
  (recorded.startsWith('/') && asked.endsWith(recorded)) ||
  (asked.startsWith('/') && recorded.endsWith(asked))

/** The queue under this name, else under one that means the same; none that is empty. */
function named<T>(queues: ReadonlyMap<string, T[]>, name: string, means: (other: string) => boolean): T[] | undefined {
  const own = queues.get(name)
  if (own && own.length > 0) return own
  for (const [other, queue] of queues) if (queue.length > 0 && means(other)) return queue
  return undefined
}

/** REST of one provider: an answer comes when it came, or at once if that has passed; each once. */
export function createAnswers(timers: Timers) {
  const shelf = new Map<string, Answer[]>()
  const waiting = new Map<string, ((answer: Answer) => void)[]>()

  const transport: Transport = ({ path, timeout }) => {
    const name = plainPath(path)
    const known = named(shelf, name, (each) => isSame(each, name))?.shift()
    if (known) return Promise.resolve(replyOf(known))
    return new Promise((resolve) => {
      const queue = waiting.get(name) ?? []
      const give = (answer: Answer): void => {
        giveUp()
        resolve(replyOf(answer))
      }
      const giveUp = timers.after(timeout, () => {
        queue.splice(queue.indexOf(give), 1)
        resolve(MISSING)
      })
      queue.push(give)
      waiting.set(name, queue)
    })
  }

  return {
    transport,
    hear(answer: Answer): void {
      const name = plainPath(answer.path)
      const give = named(waiting, name, (each) => isSame(name, each))?.shift()
      if (give) return give(answer)
      const kept = shelf.get(name) ?? []
      kept.push(answer)
      shelf.set(name, kept)
    }
  }
}

export type Traffic = { dial: Dial; transport: Transport }

/** Everything that was heard of all providers. */
export function createTraffic(timers: Timers) {
  const providers = new Map<string, { sockets: ReturnType<typeof createSockets>; answers: ReturnType<typeof createAnswers> }>()
  const of = (provider: string) => {
    let known = providers.get(provider)
    if (!known) providers.set(provider, (known = { sockets: createSockets(timers), answers: createAnswers(timers) }))
    return known
  }
  return {
    of: (provider: string): Traffic => ({ dial: of(provider).sockets.dial, transport: of(provider).answers.transport }),
    hear(entry: Entry): void {
      if (entry.type === 'answer') of(entry.provider).answers.hear(entry)
      else if (entry.type === 'opened' || entry.type === 'frame' || entry.type === 'closed')
        of(entry.provider).sockets.hear(entry)
    }
  }
}
