/** The package as it is published, without a build step, in a real browser behind a proxy: server-sent events, polling, and back. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProxy, type Proxy } from '../../packages/client/test/proxy.ts'
import { createStand, type Stand } from '../../packages/client/test/stand.ts'
import { openBrowser } from './demo.ts'

const built = mkdtempSync(join(tmpdir(), 'tickwire-roads-'))
type Read = { via: string; seqs: number[] }
/** Reads ten trades, and says by which road they came. */
const PAGE = `<!doctype html><title>a page</title><link rel="icon" href="data:," /><script type="module">
  import { DataStream } from '/client/src/index.js'
  globalThis.read = async (url) => {
    const stream = new DataStream({ url, fallback: { polling: { market: 100 } } })
    const seqs = []
    for await (const { event } of stream.stream('BTCUSDT')) if (seqs.push(event.seq) === 10) break
    const { via } = stream.state()
    await stream.disconnectStreams()
    return { via, seqs }
  }
</script>`

let stand: Stand
let proxy: Proxy
let files: Server
let browser: Browser
let page: Page
let pump: ReturnType<typeof setInterval>

beforeAll(async () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/package-client.ts', import.meta.url)), built])
  stand = await createStand()
  proxy = await createProxy(stand.port)
  files = createServer((request, response) => {
    if (request.url?.endsWith('.js'))
      response.setHeader('content-type', 'text/javascript').end(readFileSync(join(built, request.url)))
    else response.setHeader('content-type', 'text/html').end(PAGE)
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  pump = setInterval(() => stand.trade(1), 20)
  browser = await openBrowser()
  page = await browser.newPage()
  page.setDefaultTimeout(60_000)
  await page.goto(`http://127.0.0.1:${(files.address() as AddressInfo).port}/`)
})
afterAll(async () => {
  clearInterval(pump)
  await browser?.close()
  files?.close()
  await stand?.close()
  await proxy?.close()
  rmSync(built, { recursive: true, force: true })
})

test.each([
  ['let through', true, 'websocket'],
  ['refused', true, 'sse'],
  ['refused', false, 'polling']
] as const)('[S1-40] upgrades are %s, streams get through: %s; a page reads by %s', async (upgrades, streams, via) => {
  Object.assign(proxy.rules, { upgrades, streams })
  const { via: by, seqs } = await page.evaluate<Read>(`read(${JSON.stringify(proxy.url)})`)
  expect(by).toBe(via)
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
  if (via !== 'polling') expect(seqs.at(-1)! - seqs[0]!).toBe(9)
})
