/** A server of one's own that says what a test wants it to say, in the native protocol; and the command beside it, in a process of its own. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClientMessage, Published } from '@tickwire/protocol'
import { WebSocketServer, type WebSocket } from 'ws'

export const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

export type Told = { code: number | null; out: string; err: string }

/** Runs to its end. */
export function tickwire(args: readonly string[], env: Record<string, string> = {}): Promise<Told> {
  return ended(process.execPath, [CLI, ...args], env).told
}

export function ended(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
  const told = new Promise<Told>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }))
  })
  return { child, told, output: () => out, errors: () => err }
}

/** With the patience for a machine that does much else. */
export async function until(check: () => boolean): Promise<void> {
  const end = Date.now() + 80_000
  while (!check()) {
    if (Date.now() > end) throw new Error('waited in vain')
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}

const HELLO = {
  op: 'hello',
  version: 1,
  server: 'tickwire/0',
  epoch: 'e',
  mode: 'demo',
  session: 'c-1',
  encoding: 'json',
  heartbeat: { interval: 12_000, timeout: 20_000 },
  auth: 'none',
  limits: { message: 65_536, topics: 1_000 }
}

export type Plant = { url: string; send: (...messages: unknown[]) => void; drop: () => void; close: () => void }

/** `answer` is what follows once a client has subscribed. */
export function openPlant(
  answer: (send: (message: unknown) => void, topics: readonly string[]) => void,
  hello: object = {}
): Promise<Plant> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const sockets = new Set<WebSocket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    const send = (message: unknown): void => socket.send(JSON.stringify(message))
    send({ ...HELLO, now: Date.now(), ...hello })
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(String(data)) as ClientMessage
      if (message.op !== 'subscribe') return
      const results = message.topics.map((asked) => ({
        asked,
        topic: asked,
        ok: true,
        position: { epoch: 'e', seq: 0 },
        upstream: 'live'
      }))
      send({ op: 'subscribed', id: message.id, results })
      answer(send, message.topics)
    })
  })
  return new Promise((resolve) => {
    server.once('listening', () => {
      const { port } = server.address() as { port: number }
      resolve({
        url: `http://127.0.0.1:${port}`,
        send: (...messages) => {
          for (const socket of sockets) for (const message of messages) socket.send(JSON.stringify(message))
        },
        drop() {
          for (const socket of sockets) socket.terminate()
          sockets.clear()
        },
        close() {
          for (const socket of sockets) socket.terminate()
          server.close()
        }
      })
    })
  })
}

export const trade = (seq: number, over: object = {}): Published => ({
  type: 'trade',
  topic: 'trade:BTC-USDT',
  provider: 'x',
  instrument: 'BTC-USDT',
  seq,
  price: 100 + seq,
  size: 1,
  side: 'buy',
  time: Date.now(),
  received: Date.now(),
  published: Date.now(),
  ...over
})
