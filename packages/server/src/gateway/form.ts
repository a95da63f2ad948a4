/** One form in which events travel: a dialect, an encoding and a choice of fields. Each event is rendered once in each form. */
import type { Contract, Encoding, LostReason, Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import { narrow } from './contracts.ts'
import type { Message } from './frame.ts'

export type Gone = { topic: string; count: number; from: number; to: number; reason: LostReason }

export type Form = ReturnType<typeof createForm>

export function createForm(dialect: Dialect<any>, encoding: Encoding, fields: Contract['fields']) {
  const { pack, renderAll } = dialect
  const binary = encoding === 'msgpack' && pack !== undefined
  /** Lanes of each topic in this form. */
  const lanes = new Map<string, number>()
  /** Of this flush, of topics with several lanes. */
  const rendered = new Map<Published, Message | undefined>()
  /** Of the last value of each topic: for all who join while it stands. */
  const snapshots = new Map<string, { event: Published; message: Message | undefined; bytes: number }>()

  const render = (event: Published, now: number): Message | undefined => {
    const part = fields === undefined ? event : narrow(event, fields)
    return binary ? pack(part) : dialect.render(part, undefined, now)
  }

  return {
    encoding: binary ? encoding : ('json' as const),
    render,

    /** All of them as one part, where the dialect can: that costs less than each by itself. */
    renderAll:
      renderAll && !binary
        ? (events: readonly Published[]) =>
            renderAll(fields === undefined ? events : events.map((event) => narrow(event, fields)))
        : undefined,

    open: (topic: string) => void lanes.set(topic, (lanes.get(topic) ?? 0) + 1),
    close(topic: string): void {
      const left = (lanes.get(topic) ?? 1) - 1
      if (left > 0) return void lanes.set(topic, left)
      lanes.delete(topic)
      snapshots.delete(topic)
    },
    isEmpty: () => lanes.size === 0,
    /** Whether several lanes have the events of this topic in this form. */
    isShared: (topic: string) => (lanes.get(topic) ?? 0) > 1,

    /** Of events that are wanted more than once before the next flush. */
    once: (event: Published, now: number): Message | undefined => {
      const known = rendered.get(event)
      if (known !== undefined || rendered.has(event)) return known
      const message = render(event, now)
      rendered.set(event, message)
      return message
    },

    /** The flush is over. */
    forget: () => rendered.clear(),

    snapshot(event: Published, now: number): Message | undefined {
      const found = snapshots.get(event.topic)
      if (found?.event === event) return found.message
      const message = render(event, now)
      // Measured also because reading a text makes it one piece: else all who join it to others would walk its parts.
      snapshots.set(event.topic, { event, message, bytes: message === undefined ? 0 : Buffer.byteLength(message) })
      return message
    },

    lost({ topic, count, from, to, reason }: Gone, now: number): Message | undefined {
      const text = dialect.lost?.(topic, count, from, to, now, reason)
      return text !== undefined && binary ? pack(JSON.parse(text) as Published) : text
    }
  }
}
