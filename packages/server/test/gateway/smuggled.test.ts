/** Requests that are written to be read in two ways, and addresses that are written to leave the directory of the page. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRig, type Rig } from './rig.ts'

const SECRET = 'the-text-of-a-file-outside'
let rig: Rig
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'page-'))
  const page = join(directory, 'page')
  await writeFile(join(directory, 'secret.txt'), SECRET)
  await mkdir(join(page, 'assets'), { recursive: true })
  await writeFile(join(page, 'index.html'), '<title>page</title>')
  rig = await startRig({ page })
})
afterAll(async () => {
  await rig.gateway.close(0)
  await rm(directory, { recursive: true })
})

/** All that is answered to these bytes until the server ends the connection. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connectTcp(rig.port, '127.0.0.1', () => socket.write(text, 'latin1'))
    let answer = ''
    socket.on('data', (chunk) => void (answer += String(chunk)))
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
const LAST = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
const statusesOf = (answer: string): number[] => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

const POST = 'POST /v1/providers/one/reconnect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
describe('[S13] a request that could be read in two ways is refused, and what is hidden in it is not answered', () => {
  test.for([
    ['two lengths', `${POST}Content-Length: 0\r\nContent-Length: 40\r\n\r\n`],
    ['a length and chunks', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a length that is none', `${POST}Content-Length: 4x\r\n\r\n`],
    ['a negative length', `${POST}Content-Length: -1\r\n\r\n`],
    ['chunks, written otherwise', `${POST}Transfer-Encoding: xchunked\r\n\r\n`],
    ['chunks that are not last', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${POST}Content-Length : 0\r\n\r\n`],
    ['a folded header', `${POST}X-One: a\r\n Content-Length: 40\r\n\r\n`],
    ['a zero byte in a header', `${POST}X-One: a\0b\r\n\r\n`],
    ['a length of a chunk that is none', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`],
    ['no version', 'GET /health\r\nHost: localhost\r\n\r\n'],
    ['a version that is none', 'GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['a method that is none', 'GET\x01 /health HTTP/1.1\r\nHost: localhost\r\n\r\n']
  ] as const)('%s', async ([, text]) => {
    const [first, ...more] = statusesOf(await raw(text + LAST))
    expect(first).toBeGreaterThanOrEqual(400)
    expect(first).toBeLessThan(500)
    expect(more.filter((status) => status < 400)).toEqual([])
    expect(statusesOf(await raw(LAST))).toEqual([200])
  })
})

const UP = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%2e%2e%2f',
  '..\\',
  '..%5c',
  '%252e%252e%252f',
  '..%c0%af',
  '..%00/',
  '....//',
  './../',
  '.%2e/',
  '..;/'
]
const TARGETS = UP.flatMap((up) => [`/${up}secret.txt`, `/assets/${up}${up}secret.txt`])
describe('[S7] an address that leaves the directory of the page', () => {
  test.for([...TARGETS, '//secret.txt', '/%2fsecret.txt'])(
    '%s reads no file outside, and is no failure of ours',
    async (target) => {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n`)
      expect(answer).not.toContain(SECRET)
      const [status] = statusesOf(answer)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(answer).not.toContain(directory)
    }
  )

  test('what is inside is read', async () => {
    expect(await raw('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toContain('<title>page</title>')
  })
})
