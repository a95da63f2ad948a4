/** The page on a recorded session: it shows what was recorded, and says that it was. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { marked, openTab } from './browser.ts'
import { ensurePage, openBrowser, startDemo, type Demo } from './demo.ts'

let browser: Browser
let demo: Demo | undefined

beforeAll(async () => {
  ensurePage()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await demo?.kill()
})

test.each([
  ['binance', ['NKN-USDT', 'BLZ-ETH', 'LRC-BTC', 'RUNE-EUR']],
  ['coinbase', ['BTC-USD', 'ETH-USD']]
])(
  'the recorded session of %s: a row per recorded instrument, prices in the first, which is shown',
  async (provider, ids) => {
    demo = await startDemo(0, ['--capture', provider])
    const { page, complaints } = await openTab(browser)
    await page.goto(demo.url)
    await marked(page, 'first-price')
    expect(await page.locator('[role=row][id]').evaluateAll((rows) => rows.map((row) => row.id))).toEqual(
      ids.map((id) => `row-${id}`)
    )
    const first = `[id="row-${ids[0]}"]`
    await page.waitForFunction(
      (row) => ['bid', 'ask'].every((name) => /\d/.test(document.querySelector(`${row} [data-cell=${name}]`)?.textContent ?? '')),
      first
    )
    await page.waitForSelector(`[data-instrument="${ids[0]}"] [data-testid=book]`)
    expect(await page.getByTestId('banner').textContent()).toContain('Recorded session')
    await page.locator('[data-testid=providers] tbody').getByText('recorded', { exact: true }).waitFor()
    expect(await page.getByText('simulated').count()).toBe(0)
    expect(complaints).toEqual([])
    await page.close()
    await demo.kill()
  },
  60_000
)
