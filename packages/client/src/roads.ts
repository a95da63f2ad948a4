/** The roads to a server, and what the sockets of one client have learnt of them. */
import type { Polling } from './polling.ts'
import type { After, SocketConstructor } from './socket.ts'
import type { Via } from './state.ts'

export type LadderOptions = {
  WebSocket: SocketConstructor | undefined
  polling?: Partial<Polling>
  /** Milliseconds between looks whether a better road is open. */
  retryEvery?: number
  now: () => number
  after: After
}

export type Road = Exclude<Via, 'memory'>
/** What the sockets of one client have learnt. */
export type Known = {
  road: Road
  /** The last WebSocket ended without a word: it may be the server that is down, or the road that is blocked. */
  doubtful: boolean
  /** Streams in a row that were cut at once. */
  cuts: number
}
const PATH = '/v1/ws'
/** Beside an address that is not the usual one nothing is known. */
export const hasHttp = (url: string): boolean => new URL(url).pathname.endsWith(PATH)
export function baseOf(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol === 'wss:' ? 'https:' : 'http:'}//${host}${pathname.slice(0, -PATH.length)}`
}
