/** What can go wrong between a provider and us, on command and seeded: a wrapper around the outgoing messages of every connection. */
import type { Message, Tamper, Wire } from '@tickwire/server/gateway/gateway.ts'
import { stream } from './random.ts'

/** Name and effect of each fault, as the control endpoint lists them. */
export const FAULTS = {
  drop: 'every connection is cut; for a while, so is every new one',
  refuse: 'new connections are cut at once; the open ones stay',
  stall: 'nothing is sent; what was held back follows when it ends',
  'half-open': 'connections are mute and deaf for good, though their sockets stay open',
  garbage: 'a fifth of the messages is mangled: cut short, wrong JSON, no JSON',
  duplicate: 'a third of the messages comes twice',
  reorder: 'a third of the messages changes places with the next one',
  gap: 'a tenth of the messages is lost',
  slow: 'every message is 800 ms late, in order',
  throttle: 'REST answers 429'
} as const
export type Fault = keyof typeof FAULTS
export const isFault = (text: string): text is Fault => Object.hasOwn(FAULTS, text)

/** What a stall may hold back per connection; the oldest goes first. */
const HELD = 10_000
const DELAY = 800

type Has = (fault: Fault) => boolean

function mangle(message: Message, draw: () => number): Message {
  const kind = draw()
  if (kind < 0.4) return message.slice(0, 1 + Math.floor(draw() * (message.length - 1)))
  if (kind < 0.7) return '<html><body>502 Bad Gateway</body></html>'
  if (typeof message !== 'string') return message.map((byte) => (draw() < 0.2 ? Math.floor(draw() * 256) : byte))
  return message.replaceAll(/\d/g, (digit) => (draw() < 0.2 ? '"' : digit))
}

/** The way of one connection's messages through the faults that are active. */
function createLine({ pause, terminate }: Parameters<Wire>[0], send: (message: Message) => void, has: Has, draw: () => number) {
  const held: Message[] = []
  /** What is late and what came after it, in order; `due`: it may go as soon as all before it went. */
  const queue: { message: Message; due: boolean }[] = []
  const late = new Set<NodeJS.Timeout>()
  /** Half open: nothing passes any more. */
  let dead = false
  /** Waits to change places with the next message. */
  let swapped: Message | undefined

  const flush = (): void => {
    const end = queue.findIndex(({ due }) => !due)
    for (const { message } of queue.splice(0, end < 0 ? queue.length : end)) if (!dead) send(message)
  }

  /** Messages keep their order when a delay has just ended: those after wait for those before, and for no longer. */
  const put = (message: Message): void => {
    const slow = has('slow')
    if (!slow && queue.length === 0) return send(message)
    const entry = { message, due: !slow }
    queue.push(entry)
    if (!slow) return
    const timer = setTimeout(() => {
      late.delete(timer)
      entry.due = true
      flush()
    }, DELAY)
    late.add(timer)
  }

  const pass = (message: Message): void => {
    if (dead) return
    if (has('stall')) {
      held.push(message)
      if (held.length > HELD) held.shift()
      return
    }
    if (has('gap') && draw() < 0.1) return
    const out = has('garbage') && draw() < 0.2 ? mangle(message, draw) : message
    const before = swapped
    if (before === undefined && has('reorder') && draw() < 1 / 3) {
      swapped = out
      return
    }
    swapped = undefined
    put(out)
    if (has('duplicate') && draw() < 1 / 3) put(out)
    if (before !== undefined) put(before)
  }

  return {
    pass,
    release: () => {
      for (const message of held.splice(0)) pass(message)
    },
    deafen: () => {
      dead = true
      pause()
    },
    cut: () => {
      for (const timer of late) clearTimeout(timer)
      terminate()
    }
  }
}

export function createFaults({ seed, clock }: { seed: number; clock: () => number }) {
  const draw = stream(seed)
  const lines = new Map<string, ReturnType<typeof createLine>>()
  const active = new Map<Fault, { since: number; until?: number; timer?: NodeJS.Timeout }>()
  const has: Has = (fault) => active.has(fault)

  const end = (fault: Fault): void => {
    clearTimeout(active.get(fault)?.timer)
    if (active.delete(fault) && fault === 'stall') for (const line of lines.values()) line.release()
  }

  const cut = (): void => {
    for (const line of lines.values()) line.cut()
    lines.clear()
  }

  const wire: Wire = (connection, send) => {
    const line = createLine(connection, send, has, draw)
    lines.set(connection.id, line)
    if (has('refuse') || has('drop')) setImmediate(line.cut)
    if (has('half-open')) line.deafen()
    return line.pass
  }

  const tamper: Tamper = () =>
    has('throttle') ? { status: 429, body: { error: 'too many requests' }, headers: { 'retry-after': '1' } } : undefined

  return {
    wire,
    tamper,
    cut,

    /** Without `milliseconds` it lasts until `heal`; a `drop` is then over at once. */
    inject(fault: Fault, milliseconds?: number): void {
      end(fault)
      if (fault === 'drop') cut()
      if (fault === 'half-open') for (const line of lines.values()) line.deafen()
      if (fault === 'drop' && milliseconds === undefined) return
      const since = clock()
      const timer = milliseconds === undefined ? undefined : setTimeout(() => end(fault), milliseconds)
      active.set(fault, { since, ...(milliseconds !== undefined && { until: since + milliseconds }), ...(timer && { timer }) })
    },

    /** Ends every fault. Connections that went half open stay so: only their other end can give them up. */
    heal(): void {
      for (const fault of active.keys()) end(fault)
    },

    active: () => [...active].map(([fault, { since, until }]) => ({ fault, since, ...(until !== undefined && { until }) })),

    stop(): void {
      for (const { timer } of active.values()) clearTimeout(timer)
      active.clear()
      cut()
    }
  }
}
