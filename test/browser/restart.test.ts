/** The server dies under the page, and comes back. */
import { expect, test } from 'vitest'
import { browser, demo, marked, onDemo, openTab, startDemoAgain } from './browser.ts'

onDemo()

/** What the browser itself says of a socket or a request that found nobody: no page can keep that from the console. */
const OF_THE_PLATFORM = /WebSocket connection to .* failed|net::ERR_/

test('[S1-69] [S3-40] a killed and restarted server: the page says so, comes back by itself, and tells what happened', async () => {
  const { page, complaints } = await openTab(browser)
  await page.goto(demo.url)
  await marked(page, 'first-price')
  const connection = page.getByTestId('connection')

  await demo.kill()
  await page.waitForSelector('[data-testid=connection][data-phase=waiting]')
  expect(await connection.textContent()).toMatch(/^Reconnecting in \d+ s, attempt \d+/)
  expect(await page.locator('[id="row-BTC-USDT"] [data-cell=last]').textContent()).toMatch(/\d/)
  // What stands there grows old, and says so.
  await page.waitForSelector('[id="row-BTC-USDT"] [data-cell=age]:not([data-fresh=fresh])')

  await startDemoAgain()
  await marked(page, 'restarted')
  await page.waitForSelector('[data-testid=connection][data-phase=open]')
  expect(await connection.textContent()).toMatch(/^Connected.*server restarted \d+ s ago: new epoch, snapshots reloaded$/)
  await page.waitForSelector('[id="row-BTC-USDT"] [data-cell=age][data-fresh=fresh]')
  const before = await page.locator('[id="row-BTC-USDT"] [data-cell=bid]').textContent()
  await page.waitForFunction(
    (text) => document.querySelector('[id="row-BTC-USDT"] [data-cell=bid]')?.textContent !== text,
    before
  )

  await page.getByRole('button', { name: /^Log/ }).click()
  const log = await page.getByTestId('log').textContent()
  expect(log).toContain('The connection was lost')
  expect(log).toContain('Back again: server restarted')
  expect(complaints.filter((one) => !OF_THE_PLATFORM.test(one))).toEqual([])
}, 90_000)
