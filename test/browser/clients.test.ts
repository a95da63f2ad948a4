/** The pages of docs/clients.md, docs/tradingview.md and examples/ in a real browser, against a real gateway. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { native } from '@tickwire/server/dialects/native.ts'
import { udf } from '@tickwire/server/dialects/udf.ts'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openMarket } from '../../packages/client/test/market.ts'
import { createStand, until, type Stand } from '../../packages/client/test/stand.ts'
import { openTab } from './browser.ts'
import { openBrowser } from './demo.ts'
import { buildFrom, serveFiles, type Files } from './files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const block = (doc: string, language: string): string =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(read(doc))?.[1] ?? ''

// A browser and a build take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })
let browser: Browser
let page: Page
let complaints: string[]
let closing: (() => unknown)[]
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())
beforeEach(async () => {
  closing = []
  ;({ page, complaints } = await openTab(browser))
})
afterEach(async () => {
  await page.close()
  for (const close of closing) await close()
})

/** A server on which something happens. */
async function opened(): Promise<{ stand: Stand; here: (text: string) => string }> {
  const { stand, market } = await openMarket()
  closing.push(market.close, () => stand.close())
  return { stand, here: (text) => text.replaceAll('localhost:8000', `127.0.0.1:${stand.port}`) }
}
async function served(directory: string): Promise<Files> {
  const files = await serveFiles(directory)
  closing.push(files.close)
  return files
}
const shows = (what: RegExp) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.body.innerText), what.source)

describe('a page without a build step', () => {
  test('the one of docs/clients.md shows quotes as it stands', async () => {
    const { here } = await opened()
    const directory = mkdtempSync(join(tmpdir(), 'tickwire-page-'))
    writeFileSync(join(directory, 'page.html'), here(block('docs/clients.md', 'html')))
    const { url } = await served(directory)
    await page.goto(`${url}/page.html`)
    await shows(/-?\d+ \/ -?\d+/)
  })

  test('examples/browser.html shows quotes, and comes back by itself after a break', async () => {
    const { stand } = await opened()
    const { url } = await served(join(root, 'examples'))
    await page.goto(`${url}/browser.html?url=${stand.url}`)
    await shows(/Connected to Tickwire test \(demo\)[^]*BTC-USDT\s*-?\d+/)
    expect(complaints).toEqual([])
    stand.cut()
    await until(() => stand.gateway.connections().length === 0)
    await until(() => stand.topics().includes('quote:BTC-USDT'))
    await shows(/Connected to Tickwire test \(demo\)/)
  })

  test('examples/browser.html opened from disk is not let in, and says what to do', async () => {
    const { stand } = await opened()
    await page.goto(`file://${root}/examples/browser.html?url=${stand.url}`)
    await shows(/A page opened from disk has no origin: serve it/)
    expect(stand.gateway.connections()).toEqual([])
  })
})

describe('a page with a build step', () => {
  test('the React page of docs/clients.md shows quotes and candles as it stands', async () => {
    const { here } = await opened()
    const html =
      '<!doctype html><link rel="icon" href="data:," /><div id="root"></div><script type="module" src="./main.tsx"></script>'
    const { url } = await served(buildFrom({ 'index.html': html, 'main.tsx': here(block('docs/clients.md', 'tsx')) }))
    await page.goto(`${url}/index.html`)
    await shows(/-?\d+ \/ -?\d+, [1-9]\d* candles/)
    expect(complaints).toEqual([])
  })

  test('the chart of docs/tradingview.md has its bars, then live ones, and loads them again where one was revised', async () => {
    const bar = (start: number, close: number, revision = 0) => ({
      type: 'candle' as const,
      provider: 'kraken',
      instrument: 'BTC-USDT',
      time: 1,
      received: 2,
      interval: '1m' as const,
      start,
      open: 1,
      high: 9,
      low: 1,
      close,
      volume: 1,
      closed: true,
      revision
    })
    const minute = Math.floor(Date.now() / 60_000) * 60_000
    const past = [bar(minute - 120_000, 2), bar(minute - 60_000, 3)]
    const stand = await charting(past)
    const here = block('docs/tradingview.md', 'js').replaceAll('localhost:8000', `127.0.0.1:${stand.port}`)
    const html = block('docs/tradingview.md', 'html').replace(
      /<script src="\/charting_library.*?<\/script>/,
      `<script>${LIBRARY}</script>`
    )
    expect(html).toContain('TradingView')
    const { url } = await served(buildFrom({ 'index.html': html, 'main.js': here }))
    await page.goto(`${url}/index.html`)
    await shows(/^\s*2 3\s*$/)
    await until(() => stand.topics().includes('candle:BTC-USDT:1m'))
    stand.plant.publish('candle:BTC-USDT:1m', bar(minute, 4), 3)
    await shows(/^\s*2 3 4\s*$/)
    past.splice(0, 2, bar(minute - 120_000, 2), bar(minute - 60_000, 8, 1), bar(minute, 4))
    stand.plant.publish('candle:BTC-USDT:1m', bar(minute - 60_000, 8, 1), 3)
    await shows(/^\s*2 8 4\s*$/)
  })
})

/** A stand that speaks UDF and knows this past. */
async function charting(past: readonly object[]): Promise<Stand> {
  const info = { instrument: 'BTC-USDT', base: 'BTC', quote: 'USDT', priceDecimals: 2, providers: [] }
  const stand = await createStand({
    dialects: [native, udf],
    desk: {
      server: 'Tickwire test',
      epoch: 'epoch-1',
      mode: 'demo',
      resolve: () => ({ ok: true, instrument: 'BTC-USDT' }),
      instruments: () => [info],
      instrument: () => info,
      last: () => undefined,
      recent: () => [],
      hand: () => undefined,
      candles: () => Promise.resolve([...past] as never),
      past: () => Promise.resolve({ candles: [...past] as never }),
      unlisted: () => [],
      carries: () => true,
      connections: () => []
    }
  })
  closing.push(() => stand.close())
  return stand
}

/** TradingView's library is theirs: this asks a datafeed in the same order, by the documented calls, and prints the closes. */
const LIBRARY = `
  globalThis.TradingView = { widget: class {
    constructor({ container, symbol, interval, datafeed }) {
      const bars = new Map()
      const show = () => { document.getElementById(container).textContent = [...bars.values()].join(' ') }
      const take = ({ time, close }) => { bars.set(time, close); show() }
      const load = (info, then) => {
        const to = Math.ceil(Date.now() / 1000) + 60
        const period = { from: to - 6000, to, countBack: 100, firstDataRequest: true }
        datafeed.getBars(info, interval, period, (all) => { bars.clear(); all.forEach(take); then() }, console.error)
      }
      const subscribe = (info) => datafeed.subscribeBars(info, interval, take, 'guid', () => { this.dirty = true })
      datafeed.onReady(() => datafeed.resolveSymbol(symbol, (info) => {
        this.reload = () => { if (this.dirty) load(info, () => { datafeed.unsubscribeBars('guid'); subscribe(info) }) }
        load(info, () => subscribe(info))
      }, console.error))
    }
    activeChart() { return { resetData: () => this.reload() } }
  } }`
