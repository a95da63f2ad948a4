/** Text that is no UTF-8 ends its connection at the fragment that shows it: `ws` would gather the whole message first. */
import type { WebSocket } from 'ws'

const TEXT = 1

/** What is needed of the receiver in `ws`, which it keeps to itself. */
type Receiver = {
  _fin: boolean
  _opcode: number
  _fragments: readonly Buffer[]
  createError: (type: ErrorConstructor, message: string, prefix: boolean, close: number, code: string) => Error
  /** Called at the end of each data frame. */
  dataMessage: (failed: (error: Error) => void) => void
}

export function failFast(ws: WebSocket): void {
  const { _receiver: receiver } = ws as unknown as { _receiver: Receiver }
  const whole = receiver.dataMessage.bind(receiver)
  let decoder: TextDecoder | undefined
  let seen = 0
  receiver.dataMessage = (failed) => {
    if (receiver._fin || receiver._opcode !== TEXT) {
      decoder = undefined
      seen = 0
      return whole(failed)
    }
    decoder ??= new TextDecoder('utf-8', { fatal: true })
    try {
      for (; seen < receiver._fragments.length; seen++) decoder.decode(receiver._fragments[seen], { stream: true })
    } catch {
      return failed(receiver.createError(Error, 'invalid UTF-8 sequence', true, 1007, 'WS_ERR_INVALID_UTF8'))
    }
    return whole(failed)
  }
}
