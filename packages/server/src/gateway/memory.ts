/** As much of a WebSocket as our client uses, without a network: its other end is a session in the same process. */
import { timers } from '../timers.ts'
import type { createInner, Visit } from './inner.ts'

type Listener = (event: never) => void
const PATH = '/v1/ws'

export type MemorySocket = new (url: string) => {
  /** How the client calls this way. */
  readonly via: 'memory'
  addEventListener: (what: string, listener: Listener) => void
  send: (text: string) => void
  close: () => void
}

/** Milliseconds between looks whether it is ready. */
const LOOK = 10

/** Whatever their address, they lead here, once it is ready. */
export function socketsInto(inner: ReturnType<typeof createInner>, isReady: () => boolean = () => true): MemorySocket {
  return class {
    readonly via = 'memory'
    #listeners = new Map<string, Listener>()
    #visit: Visit | undefined
    #over = false

    constructor(_url: string) {
      // Whoever made it listens by then.
      queueMicrotask(() => this.#enter())
    }
    addEventListener(what: string, listener: Listener): void {
      this.#listeners.set(what, listener)
    }
    send(text: string): void {
      this.#visit?.receive(text)
    }
    close(): void {
      this.#over = true
      this.#visit?.leave()
    }

    #enter(): void {
      if (this.#over) return
      if (!isReady()) return void timers.after(LOOK, () => this.#enter())
      this.#visit = inner.enter(PATH, {
        write: ({ messages }) => {
          for (const message of messages) this.#later(() => this.#tell('message', { data: message }))
        },
        backlog: () => 0,
        waiting: () => 0,
        close: (code, reason) => this.#later(() => this.#end(code, reason))
      })
      if (this.#visit) this.#tell('open', {})
      else this.#end(1006, '')
    }
    /** In order, and never inside of the call that caused it: neither side sees the other half-done. */
    #later(act: () => void): void {
      queueMicrotask(() => {
        if (!this.#over) act()
      })
    }
    #end(code: number, reason: string): void {
      this.#over = true
      this.#tell('close', { code, reason })
    }
    #tell(what: string, event: unknown): void {
      this.#listeners.get(what)?.(event as never)
    }
  }
}
