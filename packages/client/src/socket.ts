/** The shell around the connection machine: a real socket and one timer. Everything else happens in the machine. */
import type { ClientMessage, DataFrame, ServerMessage } from '@tickwire/protocol'
import { due, step } from './connection.ts'
import type { Connection, Effect, Input, Via } from './state.ts'
import { wordsOf } from './words.ts'

type SocketEvent = 'open' | 'message' | 'close' | 'error'
/** The part of the WebSocket interface that is used: that of browsers, of Node 22 and later, and of the package ws. */
export type Socket = {
  addEventListener: (name: SocketEvent, listener: (event: never) => void) => void
  send: (text: string) => void
  close: (code?: number, reason?: string) => void
  binaryType?: string
  /** Where it is no WebSocket. */
  readonly via?: Via
}
export type SocketConstructor = new (url: string) => Socket

export type After = (ms: number, act: () => void) => () => void

export type Shell = {
  url: string
  WebSocket: SocketConstructor
  token?: string | (() => string | Promise<string>)
  /** Of binary messages. */
  decode?: (bytes: Uint8Array) => unknown
  clock: () => number
  /** Calls later, and answers with what takes it back. */
  after: After
  /** Everything that is not the socket's business. */
  tell: (effect: Effect) => void
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'now'> : never
type Feed = (input: WithoutTime<Input>) => void

/** Feeds the machine with what happens, and does what it asks. */
export function createFeeder(connection: Connection, shell: Shell): { feed: Feed } {
  const line = createLine(shell, (input) => feed(input))
  const alarm = createAlarm(shell, () => feed({ type: 'tick' }))

  const feed: Feed = (input) => {
    for (const effect of step(connection, { ...input, now: shell.clock() })) perform(effect)
    // Data only ever moves the next tick further away; a tick too early does no harm.
    if (input.type !== 'message' || !Array.isArray(input.message)) alarm.set(due(connection))
  }
  const perform = (effect: Effect): void => {
    if (effect.type === 'dial') line.dial()
    else if (effect.type === 'send') line.send(effect.message)
    else if (effect.type === 'hangup') line.hangup(effect.code, effect.reason)
    else if (effect.type === 'authenticate') void line.authenticate()
    else shell.tell(effect)
  }
  return { feed }
}

/** The socket of the moment. One that was let go may speak on; nobody listens. */
function createLine(shell: Shell, feed: Feed) {
  let socket: Socket | undefined

  const read = (data: unknown): unknown => {
    if (typeof data === 'string') return JSON.parse(data)
    if (shell.decode && data instanceof ArrayBuffer) return shell.decode(new Uint8Array(data))
    throw new TypeError('it is binary, and this client was given no msgpack')
  }
  const receive = (data: unknown): void => {
    try {
      feed({ type: 'message', message: read(data) as ServerMessage | DataFrame })
    } catch (error) {
      feed({ type: 'garbled', reason: `A message of the server could not be read: ${wordsOf(error)}.` })
    }
  }
  const listen = (mine: Socket): void => {
    const on = (name: SocketEvent, hear: (event: never) => void): void =>
      mine.addEventListener(name, (event) => {
        if (socket === mine) hear(event)
      })
    on('open', () => feed({ type: 'opened', via: mine.via }))
    on('message', (event: { data: unknown }) => receive(event.data))
    on('close', ({ code, reason }: { code: number; reason: string }) => {
      socket = undefined
      feed({ type: 'closed', code, reason })
    })
    on('error', () => {}) // a close always follows and says more; ws would throw without a listener
  }

  return {
    dial(): void {
      try {
        socket = new shell.WebSocket(shell.url)
        if (shell.decode) socket.binaryType = 'arraybuffer'
        listen(socket)
      } catch (error) {
        // Such as a page over https that may not open ws://.
        queueMicrotask(() => feed({ type: 'failed', reason: `The socket could not be made: ${wordsOf(error)}.` }))
      }
    },
    send(message: ClientMessage): void {
      try {
        socket?.send(JSON.stringify(message))
      } catch {
        // The socket is closing: its close event is on the way, and everything is asked again.
      }
    },
    hangup(code: number, reason: string): void {
      const old = socket
      socket = undefined
      try {
        old?.close(code, reason)
      } catch {
        // Already closed.
      }
    },
    async authenticate(): Promise<void> {
      const mine = socket
      try {
        const token = typeof shell.token === 'function' ? await shell.token() : shell.token
        if (socket === mine) feed({ type: 'token', token: token ?? '' })
      } catch (error) {
        if (socket === mine) feed({ type: 'failed', reason: `No token: ${wordsOf(error)}.` })
      }
    }
  }
}

/** One timer, moved forward when something is due sooner. */
function createAlarm({ clock, after }: Shell, ring: () => void) {
  let next = Infinity
  let cancel: (() => void) | undefined
  const rung = (): void => {
    next = Infinity
    ring()
  }
  return {
    set(at: number): void {
      if (next <= at && at !== Infinity) return
      cancel?.()
      next = at
      if (at !== Infinity) cancel = after(Math.max(0, at - clock()), rung)
    }
  }
}
