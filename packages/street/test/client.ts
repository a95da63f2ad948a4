/** A client for the street's tests: what it received, and waiting for what it will. */
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createStreet, type StreetOptions } from '../src/street.ts'

export const street = (options: Partial<StreetOptions> = {}) =>
  createStreet({ seed: 7, clock: Date.now, log: SILENT, ...options })

/** Resolves once `ready` holds; the test's own timeout ends it otherwise. */
export async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 5))
}

export async function open(url: string, ...requests: object[]) {
  const socket = new WebSocket(url)
  const texts: string[] = []
  let closed: { code: number } | undefined
  socket.addEventListener('message', ({ data }) => texts.push(String(data)))
  socket.addEventListener('close', ({ code }) => (closed = { code }))
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`${url} refuses`)))
  })
  for (const request of requests) socket.send(JSON.stringify(request))
  return {
    socket,
    texts,
    closed: () => closed,
    send: (message: object) => socket.send(JSON.stringify(message)),
    /** Resolves with the first message of which `test` holds. */
    async first(test: (text: string) => boolean): Promise<string> {
      await until(() => texts.some(test))
      return texts.find(test)!
    },
    more: (count: number) => {
      const from = texts.length
      return until(() => texts.length >= from + count)
    }
  }
}
