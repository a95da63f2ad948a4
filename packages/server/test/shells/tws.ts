/** A TWS on loopback, as far as these tests need one: messages of four bytes of length and fields that end with NUL. */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

type Field = string | number
export type Peer = { clientId: number; send: (...fields: Field[]) => void; raw: (bytes: Buffer) => void; close: () => void }
/** What a client asked: the number of its message first. */
export type Answerer = (fields: string[], peer: Peer) => void
export type Tws = { port: number; asked: string[][]; peers: Peer[]; stop: () => Promise<void> }

const VERSION = 176
const START_API = '71'

const framed = (fields: readonly Field[]): Buffer => {
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(''))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** `greet`: what follows the login; absent: accounts, and that it is ready. */
export async function openTws(answer: Answerer, greet: (peer: Peer) => void = ready): Promise<Tws> {
  const asked: string[][] = []
  const peers: Peer[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const peer: Peer = {
      clientId: -1,
      send: (...fields) => void socket.write(framed(fields)),
      raw: (bytes) => void socket.write(bytes),
      close: () => socket.destroy()
    }
    let buffer: Buffer = Buffer.alloc(0)
    let greeted = false
    socket.on('data', (data: Buffer) => {
      buffer = Buffer.concat([buffer, data])
      if (!greeted && buffer.length >= 8) {
        // API, NUL, a length and `v100..193`
        const length = buffer.readUInt32BE(4)
        if (buffer.length < 8 + length) return
        buffer = buffer.subarray(8 + length)
        greeted = true
        peer.send(VERSION, '20260105 09:30:00 EST')
      }
      if (!greeted) return
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
        const length = buffer.readUInt32BE(0)
        const fields = buffer
          .subarray(4, 4 + length)
          .toString()
          .split('\0')
          .slice(0, -1)
        buffer = buffer.subarray(4 + length)
        if (fields[0] === START_API) {
          peer.clientId = Number(fields[2])
          peers.push(peer)
          greet(peer)
          continue
        }
        asked.push(fields)
        answer(fields, peer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    peers,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      })
  }
}

export function ready(peer: Peer): void {
  peer.send(15, 1, 'DU123')
  peer.send(4, 2, -1, 2104, 'Market data farm connection is OK:usfarm', '')
  peer.send(9, 1, 1)
}

/** A contract's details, as a server of version 176 writes them, and their end. */
export function details(peer: Peer, id: string, symbol: string, conId: number): void {
  const hours = ['US/Eastern', '20260105:0400-20260105:2000', '20260105:0930-20260105:1600']
  const first = [
    10,
    id,
    symbol,
    'STK',
    '',
    0,
    '',
    'SMART',
    'USD',
    symbol,
    'NMS',
    'NMS',
    conId,
    0.01,
    '',
    'LMT,MKT',
    'SMART,NASDAQ'
  ]
  peer.send(
    ...first,
    1,
    0,
    'A COMPANY',
    'NASDAQ',
    '',
    'Technology',
    '',
    '',
    ...hours,
    '',
    '',
    0,
    1,
    '',
    '',
    '26',
    '',
    'COMMON',
    1,
    1,
    100
  )
  peer.send(52, 1, id)
}
