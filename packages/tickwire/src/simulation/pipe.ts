/** One direction of a simulated connection: messages arrive in order, late, and hurt by whatever weather there is. */
import type { Message } from '@tickwire/server/gateway/gateway.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'

/** What may befall messages: shares of them from 0 to 1, and milliseconds. */
export type Weather = {
  /** From the next message on the connection is dead for good, and nobody is told. */
  mute: boolean
  latency: number
  jitter: number
  /** Cut short or replaced by what is no message. */
  garbage: number
  duplicate: number
  reorder: number
  loss: number
  /** Checksums in a message are made wrong. */
  checksum: number
  /** Sequence numbers in a message start anew. */
  reset: number
}
export const CALM: Weather = {
  mute: false,
  latency: 5,
  jitter: 3,
  garbage: 0,
  duplicate: 0,
  reorder: 0,
  loss: 0,
  checksum: 0,
  reset: 0
}

/** A message, or what happens in its place when its turn comes (a close, a ping). */
export type Item = Message | (() => void)

export type Pipe = ReturnType<typeof createPipe>
export type PipeOptions = {
  schedule: Schedule
  draw: () => number
  weather: () => Weather
  hear: (message: Message) => void
  clean?: true
}

const lengthOf = (item: Item): number => (typeof item === 'function' ? 0 : item.length)

export function createPipe({ schedule, draw, weather, hear, clean }: PipeOptions) {
  /** Under way, or waiting for a reader that does not read. */
  const held: Item[] = []
  let bytes = 0
  let last = 0
  let paused = false
  let cut = false
  let dead = false
  let swapped: Item | undefined

  const arrive = (item: Item): void => {
    if (cut || (dead ||= weather().mute)) return
    if (paused) return void held.push(item)
    bytes -= lengthOf(item)
    if (typeof item === 'function') item()
    else hear(item)
  }
  const put = (item: Item): void => {
    const { latency, jitter } = weather()
    last = Math.max(last, schedule.now() + latency + Math.floor(draw() * jitter))
    bytes += lengthOf(item)
    schedule.after(last - schedule.now(), () => arrive(item))
  }
  const hurt = (message: Message): void => {
    const now = weather()
    if (now.loss > 0 && draw() < now.loss) return
    const out = tampered(message, now, draw)
    const before = swapped
    if (before === undefined && now.reorder > 0 && draw() < now.reorder) {
      swapped = out
      return
    }
    swapped = undefined
    put(out)
    if (now.duplicate > 0 && draw() < now.duplicate) put(out)
    if (before !== undefined) put(before)
  }

  return {
    send(item: Item): void {
      dead ||= weather().mute
      if (cut || dead) return
      if (clean || typeof item === 'function') put(item)
      else hurt(item)
    },
    /** What the reader has not taken yet. */
    backlog: () => bytes,
    pause: () => void (paused = true),
    resume(): void {
      paused = false
      for (const item of held.splice(0)) arrive(item)
    },
    cut: () => void (cut = true)
  }
}

/** No digit becomes another digit: TCP and TLS see to that, and no adapter could. */
function tampered(message: Message, { garbage, checksum, reset }: Weather, draw: () => number): Message {
  if (garbage > 0 && draw() < garbage) return mangled(message, draw)
  if (typeof message !== 'string') return message
  if (checksum > 0 && draw() < checksum) return message.replace(/("checksum":)\d+/g, '$11')
  if (reset > 0 && draw() < reset) return message.replace(/("(?:sequence_num|sequence|u|U)":)\d+/g, '$11')
  return message
}

const NONSENSE = [
  '<html><body>502 Bad Gateway</body></html>',
  '',
  'null',
  '[]',
  '{}',
  '"',
  '[[[[[[',
  '{"__proto__":{"a":1}}',
  '1e999',
  '\u0000'
]

function mangled(message: Message, draw: () => number): Message {
  const kind = draw()
  if (kind < 0.5) return message.slice(0, 1 + Math.floor(draw() * (message.length - 1)))
  if (kind < 0.8 || typeof message !== 'string') return NONSENSE[Math.floor(draw() * NONSENSE.length)]!
  // Numbers become what is no number.
  return message.replaceAll(/:"?-?\d+(?:\.\d+)?"?/g, (found) =>
    draw() < 0.3 ? WRONG[Math.floor(draw() * WRONG.length)]! : found
  )
}
const WRONG = [':null', ':"NaN"', ':true', ':[]', ':{}', ':"Infinity"', ':-1', ':"1,234.5"']
