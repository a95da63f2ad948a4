/** The browser's own EventSource on /v1/events: after a cut it goes on by Last-Event-ID, with nothing lost and nothing twice. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { browser, demo, onDemo, PATIENCE } from './browser.ts'

onDemo()

/** A wire to the server that can be cut. */
let wire: Server | undefined
const ends = new Set<Socket>()
const cut = (): void => {
  for (const each of ends) each.resetAndDestroy()
}
afterEach(() => {
  cut()
  wire?.close()
})

async function openWire(port: number): Promise<number> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const each of [near, far]) {
      ends.add(each)
      each.on('error', () => {})
      each.on('close', () => {
        ends.delete(each)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  wire = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

type Heard = { seqs: number[]; opened: number; recovered: (boolean | undefined)[] }
declare global {
  interface Window {
    heard: Heard
  }
}

test('[C4] an EventSource whose connection is cut three times hears each trade once and in order', async () => {
  const port = await openWire(demo.port)
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE)
  await page.goto(`http://127.0.0.1:${port}/health`)
  await page.evaluate(() => {
    const heard: Heard = { seqs: [], opened: 0, recovered: [] }
    window.heard = heard
    const source = new EventSource('/v1/events?topics=trade:BTC-USDT')
    source.addEventListener('open', () => void heard.opened++)
    source.addEventListener('subscribed', ({ data }) => {
      const { results } = JSON.parse(String(data)) as { results: { recovered?: boolean }[] }
      heard.recovered.push(results[0]?.recovered)
    })
    const hear = ({ data }: MessageEvent) => {
      const { seq, type } = JSON.parse(String(data)) as { seq?: number; type?: string }
      if (type === 'trade' && seq !== undefined) heard.seqs.push(seq)
    }
    for (const name of ['message', 'trade']) source.addEventListener(name, hear)
  })
  const count = () => page.evaluate(() => window.heard.seqs.length)
  for (let opened = 1; opened <= 3; opened++) {
    const before = await count()
    await page.waitForFunction((least) => window.heard.seqs.length > least + 3, before, { timeout: 30_000 })
    cut()
    await page.waitForFunction((times) => window.heard.opened > times, opened, { timeout: 30_000 })
  }
  const before = await count()
  await page.waitForFunction((least) => window.heard.seqs.length > least + 3, before, { timeout: 30_000 })
  const { seqs, recovered } = await page.evaluate(() => window.heard)
  expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i))
  expect(recovered.slice(1)).toEqual([true, true, true])
  await page.close()
}, 150_000)
