/** The shell around the connection machine: a real socket and one timer. Everything else happens in the machine. */
import type { ClientMessage } from '@tickwire/protocol'
import { due, step } from './connection.ts'
import type { Connection, Effect, Input } from './state.ts'

type SocketEvent = 'open' | 'message' | 'close' | 'error'
/** The part of the WebSocket interface that is used: that of browsers, of Node 22 and later, and of the package ws. */
export type Socket = {
  addEventListener: (name: SocketEvent, listener: (event: never) => void) => void
  send: (text: string) => void
  close: (code?: number, reason?: string) => void
}
export type SocketConstructor = new (url: string) => Socket

export type Shell = {
  url: string
  WebSocket: SocketConstructor
  token?: string | (() => string | Promise<string>)
  clock: () => number
  /** Everything that is not the socket's business. */
  tell: (effect: Effect) => void
}

export type Feeder = { feed: (input: WithoutTime<Input>) => void }
type WithoutTime<T> = T extends unknown ? Omit<T, 'now'> : never

export function createFeeder(connection: Connection, shell: Shell): Feeder {
  let socket: Socket | undefined
  let timer: { at: number; handle: ReturnType<typeof setTimeout> } | undefined

  const feed: Feeder['feed'] = (input) => {
    for (const effect of step(connection, { ...input, now: shell.clock() })) perform(effect)
    const busy = input.type === 'message' && Array.isArray(input.message)
    if (!busy) schedule()
  }

  function perform(effect: Effect): void {
    if (effect.type === 'dial') dial()
    else if (effect.type === 'send') send(effect.message)
    else if (effect.type === 'hangup') hangup(effect.code, effect.reason)
    else if (effect.type === 'authenticate') void authenticate()
    else shell.tell(effect)
  }

  function dial(): void {
    let mine: Socket
    try {
      mine = new shell.WebSocket(shell.url)
    } catch (error) {
      // Such as a page over https that may not open ws://: no later attempt fares better, but the next deployment may.
      queueMicrotask(() => feed({ type: 'failed', reason: `The socket could not be made: ${String(error)}.` }))
      return
    }
    socket = mine
    // A socket that was let go may speak on; nobody listens.
    const on = (name: SocketEvent, hear: (event: never) => void): void =>
      mine.addEventListener(name, (event) => {
        if (socket === mine) hear(event)
      })
    on('open', () => feed({ type: 'opened' }))
    on('message', (event: { data: unknown }) => receive(event.data))
    on('close', ({ code, reason }: { code: number; reason: string }) => {
      socket = undefined
      feed({ type: 'closed', code, reason })
    })
    on('error', () => {}) // a close always follows and says more; ws would throw without a listener
  }

  function receive(text: unknown): void {
    try {
      feed({ type: 'message', message: JSON.parse(text as string) })
    } catch (error) {
      feed({ type: 'garbled', reason: `A message of the server could not be read: ${String(error)}.` })
    }
  }

  function send(message: ClientMessage): void {
    try {
      socket?.send(JSON.stringify(message))
    } catch {
      // The socket is closing: its close event is on the way and everything is asked again.
    }
  }

  function hangup(code: number, reason: string): void {
    const old = socket
    socket = undefined
    try {
      old?.close(code, reason)
    } catch {
      // Already closed.
    }
  }

  async function authenticate(): Promise<void> {
    const mine = socket
    try {
      const token = typeof shell.token === 'function' ? await shell.token() : shell.token
      if (socket === mine) feed({ type: 'token', token: token ?? '' })
    } catch (error) {
      if (socket === mine) feed({ type: 'failed', reason: `No token: ${String(error)}.` })
    }
  }

  function schedule(): void {
    const at = due(connection)
    if (timer && timer.at <= at && at !== Infinity) return
    if (timer) clearTimeout(timer.handle)
    timer = undefined
    if (at === Infinity) return
    const handle = setTimeout(
      () => {
        timer = undefined
        feed({ type: 'tick' })
      },
      Math.max(0, at - shell.clock())
    )
    timer = { at, handle }
  }

  return { feed }
}
