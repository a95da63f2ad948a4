/** What can go wrong between a provider and us, on command and seeded: a wrapper around the outgoing text of every connection. */
import type { Tamper, Wire } from '@tickwire/server/gateway/gateway.ts'
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

type Connection = Parameters<Wire>[0]
type Line = {
  connection: Connection
  send: (text: string) => void
  /** Half open: nothing passes any more. */
  dead: boolean
  held: string[]
  /** Waits to change places with the next message. */
  swapped?: string
  late: Set<NodeJS.Timeout>
}
export type Faults = ReturnType<typeof createFaults>

export function createFaults({ seed, clock }: { seed: number; clock: () => number }) {
  const draw = stream(seed)
  const lines = new Map<string, Line>()
  const active = new Map<Fault, { since: number; until?: number; timer?: NodeJS.Timeout }>()

  const deafen = (line: Line): void => {
    line.dead = true
    line.connection.pause()
  }

  const mangle = (text: string): string => {
    const kind = draw()
    if (kind < 0.4) return text.slice(0, 1 + Math.floor(draw() * (text.length - 1)))
    if (kind < 0.7) return `<html><body>502 Bad Gateway</body></html>`
    return text.replaceAll(/\d/g, (digit) => (draw() < 0.2 ? '"' : digit))
  }

  const later = (line: Line, text: string): void => {
    const timer = setTimeout(() => {
      line.late.delete(timer)
      if (!line.dead) line.send(text)
    }, DELAY)
    line.late.add(timer)
  }

  /** Messages keep their order when a delay has just ended: those after wait for those before. */
  const put = (line: Line, text: string): void => {
    if (active.has('slow') || line.late.size > 0) later(line, text)
    else line.send(text)
  }

  const pass = (line: Line, text: string): void => {
    if (line.dead) return
    if (active.has('stall')) {
      line.held.push(text)
      if (line.held.length > HELD) line.held.shift()
      return
    }
    if (active.has('gap') && draw() < 0.1) return
    const out = active.has('garbage') && draw() < 0.2 ? mangle(text) : text
    const { swapped } = line
    if (swapped === undefined && active.has('reorder') && draw() < 1 / 3) {
      line.swapped = out
      return
    }
    delete line.swapped
    put(line, out)
    if (active.has('duplicate') && draw() < 1 / 3) put(line, out)
    if (swapped !== undefined) put(line, swapped)
  }

  const end = (fault: Fault): void => {
    const one = active.get(fault)
    if (!one) return
    clearTimeout(one.timer)
    active.delete(fault)
    if (fault === 'stall') for (const line of lines.values()) for (const text of line.held.splice(0)) pass(line, text)
  }

  const cut = (): void => {
    for (const { connection, late } of lines.values()) {
      for (const timer of late) clearTimeout(timer)
      connection.terminate()
    }
    lines.clear()
  }

  const wire: Wire = (connection, send) => {
    const line: Line = { connection, send, dead: false, held: [], late: new Set() }
    lines.set(connection.id, line)
    if (active.has('refuse') || active.has('drop')) setImmediate(() => connection.terminate())
    if (active.has('half-open')) deafen(line)
    return (text) => pass(line, text)
  }

  const tamper: Tamper = () =>
    active.has('throttle') ? { status: 429, body: { error: 'too many requests' }, headers: { 'retry-after': '1' } } : undefined

  return {
    wire,
    tamper,
    cut,

    /** Without `milliseconds` it lasts until `heal`; a `drop` is then over at once. */
    inject(fault: Fault, milliseconds?: number): void {
      end(fault)
      if (fault === 'drop') cut()
      if (fault === 'half-open') for (const line of lines.values()) deafen(line)
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
