/** The address a person gives, and the one that is dialled. */
import { expect, test } from 'vitest'
import { connect, socketUrl } from '../src/index.ts'

test.each([
  ['http://localhost:8000', 'ws://localhost:8000/v1/ws'],
  ['https://prices.example.com', 'wss://prices.example.com/v1/ws'],
  ['ws://localhost:8000/v1/ws', 'ws://localhost:8000/v1/ws'],
  ['wss://example.com/tickwire/', 'wss://example.com/tickwire/v1/ws'],
  ['http://example.com/v1/ws/', 'ws://example.com/v1/ws'],
  ['http://example.com/v1/replay/monday/ws', 'ws://example.com/v1/replay/monday/ws'],
  ['localhost:8000', 'ws://localhost:8000/v1/ws'],
  ['192.168.1.5', 'ws://192.168.1.5/v1/ws'],
  ['http://[::1]:8000', 'ws://[::1]:8000/v1/ws']
])('[S1-39] %s leads to %s', (address, url) => {
  expect(socketUrl(address)).toBe(url)
})

test('a path is taken as one of the page that it stands in', () => {
  expect(socketUrl('/', 'https://example.com/dashboard?x=1')).toBe('wss://example.com/v1/ws')
})

test.each(['', 'ftp://example.com', 'http://', '/'])('%j is refused with an example of what would be right', (address) => {
  expect(() => socketUrl(address, undefined)).toThrow(/is no address of a server; give one like http:\/\/localhost:8000/)
})

test('a replay is told over WebSockets alone: a runtime that has none is told so', async () => {
  const own = globalThis.WebSocket
  Reflect.deleteProperty(globalThis, 'WebSocket')
  const client = connect({ url: 'http://localhost:1/v1/replay/monday/ws' })
  globalThis.WebSocket = own
  await new Promise<void>((resolve) => client.on('state', ({ phase }) => phase === 'closed' && resolve()))
  expect(client.state().reason).toMatch(/has no WebSocket/)
})

test('a runtime without WebSocket, where nothing else may take its place, is told how to bring one', () => {
  const own = globalThis.WebSocket
  Reflect.deleteProperty(globalThis, 'WebSocket')
  try {
    expect(() => connect({ url: 'http://localhost:1', fallback: false })).toThrow(/npm install ws/)
  } finally {
    globalThis.WebSocket = own
  }
})
