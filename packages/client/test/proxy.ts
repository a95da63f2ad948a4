/** What stands between many users and a server: it lets HTTP through, and of WebSockets and streams only what it is told to. */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export type Proxy = Awaited<ReturnType<typeof createProxy>>

export async function createProxy(port: number) {
  const rules = {
    upgrades: 'refused' as 'refused' | 'closed' | 'let through',
    streams: true,
    http: true,
    /** What it answers to whoever asks for a stream, without asking the server. */
    instead: undefined as { status: number; body: string } | undefined,
    /** The same for whoever polls, or asks what the server is. */
    foreign: undefined as { path: string; status: number; body: string } | undefined
  }
  const seen = { upgrades: 0, streams: 0, polls: 0 }
  const open = new Set<{ destroy: () => void }>()
  const forward = (req: IncomingMessage, res: ServerResponse): void => {
    if (!rules.http) {
      req.socket.destroy()
      return
    }
    if (req.url?.startsWith('/v1/events')) {
      seen.streams++
      if (rules.instead) {
        res.writeHead(rules.instead.status).end(rules.instead.body)
        return
      }
    }
    if (rules.foreign && req.url?.startsWith(rules.foreign.path)) {
      res.writeHead(rules.foreign.status, { 'content-type': 'application/json' }).end(rules.foreign.body)
      return
    }
    if (req.url?.startsWith('/v1/last') && !req.url.endsWith('since=-')) seen.polls++
    const headers = { ...req.headers, host: `127.0.0.1:${port}` }
    const onward = request({ host: '127.0.0.1', port, path: req.url, method: req.method, headers }, (answer) => {
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true
      if (isStream && !rules.streams) {
        req.socket.destroy()
        return
      }
      res.writeHead(answer.statusCode ?? 500, answer.headers)
      res.flushHeaders()
      answer.pipe(res)
      if (isStream) open.add(res)
      answer.on('error', () => res.destroy())
    })
    onward.on('error', () => res.destroy())
    res.on('close', () => onward.destroy())
    onward.end()
  }
  const server = createServer(forward)
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.upgrades++
    socket.on('error', () => {})
    if (rules.upgrades !== 'let through') {
      if (rules.upgrades === 'refused') socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n')
      else socket.destroy()
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      const headers = req.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${req.rawHeaders[i + 1]}`] : []))
      onward.write(`${req.method} ${req.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    open.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    rules,
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** As a network would: whatever flows is cut. */
    cut(): void {
      for (const each of open) each.destroy()
      open.clear()
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        for (const each of open) each.destroy()
        server.close(() => resolve())
      })
  }
}
