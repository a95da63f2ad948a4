/** What no server can go below on this machine: bare sockets, all written the same bytes once per flush, and nothing else done. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createTexts, type Spec } from './fanout-feed.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const ROOM = 32 << 20
/** As long as writing takes, and at most this, so that writing is at most half of the time: as ours does. */
const SLOWEST = 120

const frameOf = (text: string, room: Buffer): Buffer => {
  const bytes = room.write(text, 10)
  const head = bytes < 65_536 ? 4 : 10
  const at = 10 - head
  room[at] = 0x81
  room[at + 1] = head === 4 ? 126 : 127
  if (head === 4) room.writeUInt16BE(bytes, at + 2)
  else room.writeBigUInt64BE(BigInt(bytes), at + 2)
  return room.subarray(at, 10 + bytes)
}

export async function startFloor(spec: Spec) {
  const sockets = new Set<Duplex>()
  const http = createServer()
  http.on('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    )
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.resume()
    sockets.add(socket)
  })
  const rooms = [Buffer.allocUnsafeSlow(ROOM), Buffer.allocUnsafeSlow(ROOM)]
  const textOf = createTexts(spec)
  let due: string[] = []
  let turn = 0
  const flush = () => {
    const began = Date.now()
    if (due.length > 0) {
      const frame = frameOf(`[${due.join(',')}]`, rooms[turn++ % 2]!)
      due = []
      for (const socket of sockets) socket.write(frame)
    }
    const took = Date.now() - began
    setTimeout(flush, Math.max(spec.flush, Math.min(1.2 * took, SLOWEST)) - took)
  }
  setTimeout(flush, spec.flush)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const publish = (n: number, at: number) => void due.push(textOf(n, at).text)
  return { port: (http.address() as AddressInfo).port, pids: [process.pid], publish }
}
