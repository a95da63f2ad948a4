/**
 * Sockets that get through: a WebSocket where one does, else server-sent events, else polling, each spoken to as if it were a
 * WebSocket. What gets through is remembered for the next socket; from a lesser road it goes back by itself.
 */
import type { ClientMessage } from '@tickwire/protocol'
import { createCarried, greet, type Ground } from './carried.ts'
import { createEvents } from './events.ts'
import { createHttp } from './http.ts'
import { createPolling, PACES } from './polling.ts'
import { lookForBetter } from './lookout.ts'
import { baseOf, hasHttp, type Known, type LadderOptions } from './roads.ts'
import type { Socket, SocketConstructor } from './socket.ts'
import type { Via } from './state.ts'

type Tell = { open: (via: Via) => void; message: (data: unknown) => void; close: (code: number, reason: string) => void }
/** A road that is taken. */
type Way = { send: (text: string) => void; close: (code?: number, reason?: string) => void; binaryType?: string }

/** A proxy may let a WebSocket hang. */
const PATIENCE = 5_000
/** A stream that lives less is no stream. */
const STEADY = 5_000
const MOST_CUTS = 3

type Listener = (event: never) => void
export function createLadder(options: LadderOptions): SocketConstructor {
  const known: Known = { road: options.WebSocket ? 'websocket' : 'sse', doubtful: false, cuts: 0 }
  return class implements Socket {
    via: Via = known.road
    binaryType?: string
    #listeners = new Map<string, Listener>()
    #way: Way
    #over = false

    constructor(url: string) {
      const emit = (what: string, event: unknown): void => {
        if (!this.#over) this.#listeners.get(what)?.(event as never)
      }
      this.#way = take(options, known, url, () => this.binaryType, {
        open: (via) => {
          this.via = via
          emit('open', {})
        },
        message: (data) => emit('message', { data }),
        close: (code, reason) => {
          emit('close', { code, reason })
          this.#over = true
        }
      })
    }
    addEventListener(name: string, listener: Listener): void {
      this.#listeners.set(name, listener)
    }
    send(text: string): void {
      this.#way.send(text)
    }
    close(code?: number, reason?: string): void {
      this.#over = true
      this.#way.close(code, reason)
    }
  }
}

/** The road that is known to be open; where that is doubtful it is found out first. */
function take(options: LadderOptions, known: Known, url: string, binaryType: () => string | undefined, tell: Tell): Way {
  const { WebSocket } = options
  let way: Way | undefined
  let isOver = false
  const by = (next: Way | undefined): void => {
    if (isOver) next?.close()
    else way = next
  }
  const lesser = (): void => by(overHttp(options, known, url, tell))
  const direct = (Class: SocketConstructor, blocked: (code: number, reason: string) => void): void =>
    by(overSocket(options, known, new Class(url), binaryType, tell, blocked))

  const find = async (Class: SocketConstructor): Promise<void> => {
    const http = createHttp({ base: baseOf(url), after: options.after })
    by({ send: () => {}, close: http.stop })
    const hello = await greet(http)
    if (isOver) return
    if (!hello) return tell.close(1006, http.stranger())
    // HTTP is answered: where a WebSocket is not even now, something between us holds it up.
    direct(Class, () => {
      known.road = 'sse'
      lesser()
    })
  }
  if (!hasHttp(url) && !WebSocket)
    queueMicrotask(() => tell.close(4999, 'this runtime has no WebSocket, and nothing else leads there'))
  else if (WebSocket && (!hasHttp(url) || (known.road === 'websocket' && !known.doubtful))) direct(WebSocket, tell.close)
  else if (WebSocket && known.road === 'websocket') void find(WebSocket)
  else queueMicrotask(() => !isOver && lesser())
  return {
    send: (text) => way?.send(text),
    close(code, reason) {
      isOver = true
      way?.close(code, reason)
    }
  }
}

/** `blocked`: it ended before it said anything. */
function overSocket(
  { after }: LadderOptions,
  known: Known,
  socket: Socket,
  binaryType: () => string | undefined,
  tell: Tell,
  blocked: (code: number, reason: string) => void
): Way {
  let heard = false
  let isOver = false
  const end = (act: () => void): void => {
    if (isOver) return
    isOver = true
    cancel()
    act()
  }
  const fail = (code: number, reason: string): void =>
    end(() => {
      // What the server itself says with a code of its own is no blocked road.
      if (heard || code >= 4000) return tell.close(code, reason)
      known.doubtful = true
      blocked(code, reason)
    })
  const cancel = after(PATIENCE, () => {
    if (heard) return
    fail(1006, '')
    socket.close()
  })
  socket.addEventListener('open', () => {
    const type = binaryType()
    if (type !== undefined) socket.binaryType = type
    if (!isOver) tell.open('websocket')
  })
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    if (isOver) return
    if (!heard) cancel()
    heard = true
    known.doubtful = false
    tell.message(data)
  })
  socket.addEventListener('close', ({ code, reason }: { code: number; reason: string }) => fail(code, reason))
  socket.addEventListener('error', () => {}) // a close always follows
  return {
    send: (text) => socket.send(text),
    close(code, reason) {
      if (!heard) known.doubtful = true
      end(() => {})
      socket.close(code, reason)
    }
  }
}

function overHttp(options: LadderOptions, known: Known, url: string, tell: Tell): Way {
  const { now, after } = options
  const road = known.road === 'polling' ? 'polling' : 'sse'
  const http = createHttp({ base: baseOf(url), after })
  const begun = now()
  let isOver = false
  /** Something of the market came this way. */
  let said = false
  let stop: (() => void) | undefined
  let receive: ((message: ClientMessage) => void) | undefined
  const end = (): void => {
    isOver = true
    stop?.()
    http.stop()
  }
  const fail: Ground['fail'] = (code, reason, blocked = false) => {
    if (isOver) return
    end()
    if (road === 'sse') judge(known, blocked, code === 1006 && now() - begun < STEADY)
    // It was of no use at all: what is open is found out anew.
    if (!said && known.road === road && options.WebSocket) Object.assign(known, { road: 'websocket', doubtful: true })
    tell.close(code, reason)
  }
  const start = async (): Promise<void> => {
    const hello = await greet(http)
    if (isOver) return
    if (!hello) return fail(1006, http.stranger())
    const say: Ground['say'] = (message) => {
      if (isOver) return
      said ||= Array.isArray(message) || message.op === 'subscribed'
      tell.message(JSON.stringify(message))
    }
    const ground: Ground = { http, epoch: hello.epoch, now, after, say, fail }
    const carrier = road === 'sse' ? createEvents(ground) : createPolling(ground, { ...PACES, ...options.polling })
    receive = createCarried(ground, hello, carrier)
    const unwatch = lookForBetter(options, known, url, (better) => fail(1012, `${better} gets through again`))
    stop = () => {
      carrier.stop()
      unwatch()
    }
    tell.open(road)
  }
  void start()
  return {
    send: (text) => receive?.(JSON.parse(text) as ClientMessage),
    close: end
  }
}

function judge(known: Known, blocked: boolean, short: boolean): void {
  known.cuts = short ? known.cuts + 1 : 0
  if (!blocked && known.cuts < MOST_CUTS) return
  known.cuts = 0
  known.road = 'polling'
}
