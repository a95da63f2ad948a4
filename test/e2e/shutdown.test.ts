import { connect as connectTcp, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { freePort, run, until, type Program } from './program.ts'

let program: Program | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await program?.kill('SIGKILL')
  program = undefined
})

const start = (port: number) =>
  run(['--demo', '--port', String(port), '--set', 'street.control=0'], /Tickwire {2}(http:\S+)/, { TICKWIRE_LOG__LEVEL: 'info' })

/** Asks for everything and reads nothing. */
async function deaf(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  socket.pause()
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return socket
}

async function watch(port: number) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`)
  const said: string[] = []
  let closed: number | undefined
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { op?: string } | unknown[]
    said.push(Array.isArray(message) ? 'data' : (message.op ?? ''))
  })
  ws.on('close', (code) => (closed = code))
  ws.on('open', () => ws.send('{"op":"subscribe","topics":["trade:BTC-USDT","quote:BTC-USDT"]}'))
  await until('data', () => said.includes('data'))
  return { said, closed: () => closed }
}

test('[T17] SIGTERM under load: readers are told and closed with 1001, streams end, those who do not read are cut, exit 0 within 10 s', async () => {
  const port = await freePort()
  program = await start(port)
  const clients = await Promise.all(Array.from({ length: 5 }, () => watch(port)))
  const stream = await fetch(`http://127.0.0.1:${port}/v1/events?topics=trade:BTC-USDT`)
  const heard = stream.text()
  const mute = await deaf(port)
  mute.write('GET /v1/events?topics=quote:BTC-USDT,book:BTC-USDT HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const half = await deaf(port)
  half.write('GET /v1/providers HTTP/1.1\r\nHost: loc')
  const silent = await deaf(port)
  silent.write(
    'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  )
  const began = performance.now()
  expect(await program.kill('SIGTERM')).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
  for (const client of clients) {
    await until('the close', client.closed)
    expect([client.said.at(-1), client.closed()]).toEqual(['shutdown', 1001])
  }
  expect(await heard).toMatch(/event: shutdown\n/)
  expect(program.output()).toMatch(/"msg":"stopping"/)
})

test('SIGTERM while it starts ends it with 0 as well', async () => {
  program = await run(['--demo', '--port', '0', '--set', 'street.control=0'], /"level"|Tickwire/, { TICKWIRE_LOG__LEVEL: 'info' })
  expect(await program.kill('SIGTERM')).toBe(0)
})

test('a second SIGTERM ends it at once, as a signal does', async () => {
  const port = await freePort()
  program = await start(port)
  // The server says that it waits for the body, which never comes: whoever ends in order waits for the answer.
  const mute = await deaf(port)
  const head = [
    'POST /v1/books/BTC-USDT/resync HTTP/1.1',
    'Host: localhost',
    'Content-Length: 10',
    'Content-Type: application/json'
  ]
  mute.resume()
  const heard = new Promise<void>((resolve) => mute.once('data', () => resolve()))
  mute.write(`${head.join('\r\n')}\r\nExpect: 100-continue\r\n\r\n`)
  await heard
  const { child, exited, output } = program
  child.kill('SIGTERM')
  await until('that it stops', () => output().includes('"msg":"stopping"'))
  child.kill('SIGTERM')
  expect(await exited).toBe(143)
})
