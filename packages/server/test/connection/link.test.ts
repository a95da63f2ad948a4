import { createServer, type Socket } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openLink, type Ending } from '../../src/connection/link.ts'
import { openVenue, until } from '../feed/venue.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function dial(url: string) {
  const heard: string[] = []
  const endings: Ending[] = []
  let opened = 0
  const link = openLink(
    { url },
    { onOpen: () => opened++, onFrame: (f) => heard.push(String(f)), onClose: (e) => endings.push(e) }
  )
  closing.push(() => link.close())
  return { link, heard, endings, opened: () => opened }
}
const venue = async () => {
  const opened = await openVenue()
  closing.push(() => opened.close())
  return opened
}

test('frames go both ways, of several MB too', async () => {
  const v = await venue()
  const d = dial(v.wsUrl)
  await until(() => d.opened() === 1 && v.sockets.size === 1)
  d.link.send('{"subscribe":[]}')
  v.raw('x'.repeat(8_000_000))
  await until(() => v.asked.length === 1 && d.heard.length === 1)
  expect(d.heard[0]!.length).toBe(8_000_000)
})

test('it pings by the protocol where a provider wants that of us', async () => {
  const v = await venue()
  const d = dial(v.wsUrl)
  await until(() => d.opened() === 1 && v.sockets.size === 1)
  let pings = 0
  for (const socket of v.sockets) socket.on('ping', () => pings++)
  d.link.ping?.()
  await until(() => pings === 1)
  expect(v.asked).toEqual([])
})

test('once closed it never speaks again', async () => {
  const v = await venue()
  const d = dial(v.wsUrl)
  await until(() => v.sockets.size === 1 && d.opened() === 1)
  v.raw('late')
  d.link.close()
  await until(() => v.sockets.size === 0)
  expect([d.heard, d.endings]).toEqual([[], []])
  d.link.send('to nobody')
})

test('an end tells its reason, once', async () => {
  const v = await venue()
  const d = dial(v.wsUrl)
  await until(() => v.sockets.size === 1 && d.opened() === 1)
  for (const socket of v.sockets) socket.close(4000, 'maintenance')
  await until(() => d.endings.length > 0)
  expect(d.endings).toEqual([{ reason: 'closed 4000 maintenance' }])
})

test.each([
  [401, {}, { reason: 'handshake refused with HTTP 401', denied: true }],
  [429, { 'retry-after': '7' }, { reason: 'handshake refused with HTTP 429', wait: 7_000 }],
  [429, {}, { reason: 'handshake refused with HTTP 429', wait: 5_000 }],
  [503, {}, { reason: 'handshake refused with HTTP 503' }]
])('a handshake refused with HTTP %i says how long to stay away', async (status, headers, ending) => {
  const server = createHttpServer((_, response) => response.writeHead(status, headers).end())
  server.on('upgrade', (_, socket) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}content-length: 0\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const d = dial(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await until(() => d.endings.length > 0)
  expect(d.endings).toEqual([ending])
})

test('nobody there, an address that is none, and a peer that speaks no WebSocket are endings, never exceptions', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined).write('\u0000\u0001 what?\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  for (const url of ['ws://127.0.0.1:1', 'nonsense', `ws://127.0.0.1:${(server.address() as AddressInfo).port}`]) {
    const d = dial(url)
    await until(() => d.endings.length > 0)
    expect(d.endings.length).toBe(1)
    expect(d.endings[0]!.reason).not.toBe('')
  }
})
