/** The hooks of @tickwire/client/react in a real browser, under StrictMode, against a real gateway. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createStand, until, type Stand } from '../../packages/client/test/stand.ts'
import { openTab } from './browser.ts'
import { openBrowser } from './demo.ts'
import { buildPage, serveFiles, type Files } from './files.ts'

type Seen = { commits: number; frames: number; torn: number; candles: Set<unknown> }
type Hands = { seen: Seen; show: (prices: number) => void; choose: (instrument: string) => void }

// A browser and a build take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })
let browser: Browser
let files: Files
let stand: Stand
let page: Page
let complaints: string[]
beforeAll(async () => {
  ;[files, browser] = await Promise.all([serveFiles(buildPage('packages/client/test/react-page')), openBrowser()])
})
afterAll(async () => {
  await browser?.close()
  await files?.close()
})
beforeEach(async () => {
  stand = await createStand()
  ;({ page, complaints } = await openTab(browser))
  await page.goto(`${files.url}/index.html?url=${stand.url}`)
  await until(() => topics().length === 4)
})
afterEach(async () => {
  await page.close()
  await stand.close()
})

/** Without the notices that come with them. */
const topics = () => stand.topics().filter((topic) => !/^(status|gap):/.test(topic))
const showing = (text: string) => page.waitForFunction((what) => document.body.textContent.includes(what), text)
const seen = () => page.evaluate(() => (globalThis as unknown as Hands).seen)
const candle = (start: number, close: number) =>
  stand.plant.publish(
    'candle:BTC-USDT:1m',
    {
      type: 'candle',
      provider: 'kraken',
      instrument: 'BTC-USDT',
      time: 1,
      received: 2,
      interval: '1m',
      start,
      open: 1,
      high: 9,
      low: 1,
      close,
      volume: 1,
      closed: false,
      revision: 0
    },
    3
  )

describe('the hooks', () => {
  test('twenty components that read one topic are one subscription, which ends with the last of them', async () => {
    expect(topics().sort()).toEqual(['book:BTC-USDT', 'candle:BTC-USDT:1m', 'quote:BTC-USDT', 'trade:BTC-USDT'])
    expect(stand.gateway.connections()).toHaveLength(1)
    await page.evaluate(() => (globalThis as unknown as Hands).show(1))
    stand.quote(5)
    await showing('5')
    expect(topics()).toHaveLength(4)
    await page.evaluate(() => (globalThis as unknown as Hands).show(0))
    await until(() => topics().length === 0)
    expect(complaints).toEqual([])
  })

  test('however fast prices come, a component renders once a frame at most, and no frame shows two prices', async () => {
    stand.quote(1)
    await showing('1')
    const before = await seen()
    for (let bid = 2; bid <= 3_000; bid++) {
      stand.quote(bid)
      if (bid % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await showing('3000')
    const after = await seen()
    const commits = after.commits - before.commits
    expect(commits).toBeGreaterThan(0)
    expect(commits).toBeLessThanOrEqual(after.frames - before.frames + 1)
    expect(after.torn).toBe(0)
    expect(complaints).toEqual([])
  })

  test('trade, book, candles and connection are shown as they are, and candles are the same array until they change', async () => {
    stand.trade(7)
    candle(60_000, 2)
    candle(120_000, 3)
    const stamp = { provider: 'kraken', instrument: 'BTC-USDT', time: 1, received: 2 }
    stand.plant.publish(
      'book:BTC-USDT',
      {
        type: 'book',
        ...stamp,
        bids: [
          [4, 1],
          [3, 1]
        ],
        asks: [[5, 1]]
      },
      3
    )
    await showing('{"trade":7,"refused":false,"book":[[4,1]],"phase":"open","candles":[2,3]}')
    const arrays = await page.evaluate(() => (globalThis as unknown as Hands).seen.candles.size)
    stand.trade(8)
    await showing('"trade":8')
    expect(await page.evaluate(() => (globalThis as unknown as Hands).seen.candles.size)).toBe(arrays)
    expect(complaints).toEqual([])
  })

  test('another instrument is read anew; one that there is not is refused, and said so', async () => {
    stand.trade(7)
    await showing('"trade":7')
    await page.evaluate(() => (globalThis as unknown as Hands).choose('ETH-USDT'))
    await showing('"trade":false,"refused":false')
    await until(() => topics().filter((topic) => topic.includes('ETH-USDT')).length === 3)
    expect(topics().filter((topic) => topic.includes('BTC-USDT'))).toEqual(['quote:BTC-USDT'])
    await page.evaluate(() => (globalThis as unknown as Hands).choose('NOPE'))
    await showing('"refused":true')
  })

  test('a connection that is cut is shown, and prices go on after it', async () => {
    await showing('"phase":"open"')
    await stand.die()
    await page.waitForFunction(() => !document.body.textContent.includes('"phase":"open"'))
    stand = await createStand({ epoch: 'epoch-2', port: stand.port })
    await showing('"phase":"open"')
    await until(() => topics().length === 4)
    stand.quote(77)
    await showing('77')
  })
})
