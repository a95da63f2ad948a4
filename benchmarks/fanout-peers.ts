/** Peers of the fan-out benchmark that are libraries: `ws` and socket.io, each with a message per update and with batches. */
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { Server as SocketIo } from 'socket.io'
import { WebSocketServer } from 'ws'
import { createTexts, picked, type Spec } from './fanout-feed.ts'

/** A client as both libraries have it. `batch`: all of a flush at once. */
type Client = { one: (text: string) => void; batch: (texts: readonly string[]) => void }

const isOwn = (spec: Spec): boolean => spec.each > 0
const numberIn = (url: string | undefined): number => Number(/(\d+)$/.exec(url ?? '')?.[1] ?? 0)

/** Who has which topic, and what each is due at the next flush. Where all have all topics, a batch is made once for all. */
function createHall(spec: Spec, sendAll: (texts: readonly string[]) => void) {
  const holders = new Map<string, Set<Client>>()
  const due = new Map<Client, string[]>()
  let common: string[] = []
  setInterval(() => {
    if (common.length > 0) sendAll(common)
    common = []
    for (const [client, texts] of due) client.batch(texts)
    due.clear()
  }, spec.flush)
  const keep = (client: Client, text: string) => {
    const texts = due.get(client)
    if (texts) texts.push(text)
    else due.set(client, [text])
  }
  return {
    join(client: Client, connection: number): () => void {
      const names = isOwn(spec) ? picked(spec, connection) : []
      for (const name of names) {
        const set = holders.get(name) ?? new Set()
        holders.set(name, set.add(client))
      }
      return () => names.forEach((name) => holders.get(name)?.delete(client))
    },
    one: (name: string, text: string) => holders.get(name)?.forEach((client) => client.one(text)),
    batch: (name: string, text: string) => {
      if (isOwn(spec)) holders.get(name)?.forEach((client) => keep(client, text))
      else common.push(text)
    }
  }
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export async function startWs(spec: Spec, batched: boolean) {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: false })
  const open = new Set<Client>()
  const hall = createHall(spec, (texts) => {
    const text = `[${texts.join(',')}]`
    for (const client of open) client.one(text)
  })
  server.on('connection', (socket, request) => {
    const send = (text: string) => socket.send(text)
    const client: Client = { one: send, batch: (texts) => send(`[${texts.join(',')}]`) }
    open.add(client)
    const leave = hall.join(client, numberIn(request.url))
    socket.on('close', () => {
      open.delete(client)
      leave()
    })
  })
  const textOf = createTexts(spec)
  const publish = (n: number, due: number) => {
    const { name, text } = textOf(n, due)
    if (batched) hall.batch(name, text)
    else if (isOwn(spec)) hall.one(name, text)
    else for (const client of open) client.one(text)
  }
  return { port: await listening(http), pids: [process.pid], publish }
}

const parse = (text: string): unknown => JSON.parse(text)

/** The rooms of socket.io are its own way of one message for many; a batch of one's own can only be sent one by one. */
export async function startSocketIo(spec: Spec, batched: boolean) {
  const http = createServer()
  const io = new SocketIo(http, {
    transports: ['websocket'],
    perMessageDeflate: false,
    pingInterval: 600_000,
    pingTimeout: 600_000
  })
  const hall = createHall(spec, (texts) => io.emit('trades', texts.map(parse)))
  io.on('connection', (socket) => {
    const connection = Number(socket.handshake.query.c)
    if (!batched) {
      void socket.join(isOwn(spec) ? picked(spec, connection) : 'all')
      return
    }
    const client: Client = {
      one: (text) => socket.emit('trade', parse(text)),
      batch: (texts) => socket.emit('trades', texts.map(parse))
    }
    const leave = hall.join(client, connection)
    socket.on('disconnect', leave)
  })
  const textOf = createTexts(spec)
  const publish = (n: number, due: number) => {
    const { name, text } = textOf(n, due)
    if (batched) hall.batch(name, text)
    else io.to(isOwn(spec) ? name : 'all').emit('trade', parse(text))
  }
  return { port: await listening(http), pids: [process.pid], publish }
}
