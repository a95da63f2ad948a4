/** On a lesser road: looks now and then whether a better one is open. */
import { PROTOCOL_VERSION } from '@tickwire/protocol'
import { createHttp } from './http.ts'
import { baseOf, type Known, type LadderOptions, type Road } from './roads.ts'
import type { After, Socket } from './socket.ts'

const RETRY_EVERY = 30_000
const PATIENCE = 5_000

/** Whether a WebSocket gets a word of the server; from polling, whether a stream does. */
export function lookForBetter(options: LadderOptions, known: Known, url: string, found: (what: string) => void): () => void {
  const { WebSocket, retryEvery = RETRY_EVERY, after } = options
  let cancel = after(retryEvery, () => void look())
  let isOver = false
  const better = (road: Road, what: string): void => {
    known.road = road
    known.doubtful = false
    found(what)
  }
  const look = async (): Promise<void> => {
    if (WebSocket && (await answers(new WebSocket(url), after))) return isOver ? undefined : better('websocket', 'WebSocket')
    if (known.road === 'polling' && (await streams(url, after))) return isOver ? undefined : better('sse', 'a stream')
    if (!isOver) cancel = after(retryEvery, () => void look())
  }
  return () => {
    isOver = true
    cancel()
  }
}

const answers = (socket: Socket, after: After): Promise<boolean> =>
  new Promise((resolve) => {
    const done = (isOpen: boolean): void => {
      cancel()
      resolve(isOpen)
      socket.close(1000, 'done')
    }
    const cancel = after(PATIENCE, () => done(false))
    socket.addEventListener('open', () => socket.send(JSON.stringify({ op: 'hello', version: PROTOCOL_VERSION })))
    socket.addEventListener('message', () => done(true))
    socket.addEventListener('close', () => done(false))
    socket.addEventListener('error', () => {})
  })

/** Any stream will do: what is told of providers is always there. */
async function streams(url: string, after: After): Promise<boolean> {
  const http = createHttp({ base: baseOf(url), after })
  const cancel = after(PATIENCE, http.stop)
  try {
    const response = await http.stream('/v1/events?topics=news:all', new AbortController().signal)
    return response?.ok === true && (await response.body?.getReader().read())?.done === false
  } catch {
    return false
  } finally {
    cancel()
    http.stop()
  }
}
