/** Why a number can be trusted, on the page: the leader's reasons, gaps as marks, the calibration, and how the book stands. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { browser, demo, marked, onDemo, openTab, PHONE, WIDE } from './browser.ts'

onDemo()

const POLL = { timeout: 60_000, interval: 100 }
const INPUTS = ['freshness', 'latency', 'uptime', 'completeness', 'reliability']

async function open(viewport = WIDE): Promise<{ page: Page; complaints: string[] }> {
  const tab = await openTab(browser, viewport)
  await tab.page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(tab.page, 'chart')
  return tab
}
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
/** Moves the pointer over the chart from the newest candle on, until the words beside it tell of a gap. */
async function pointAtGap(page: Page): Promise<string> {
  const box = (await page.getByTestId('chart').boundingBox())!
  for (let x = box.width - 60; x > 0; x -= 2) {
    await page.mouse.move(box.x + x, box.y + box.height / 2)
    const told = await page.getByTestId('ohlc').textContent()
    if (told?.includes('Gap: ')) return told
  }
  return 'no candle tells of a gap'
}
/** The provider that the sources call the leader. */
const leader = (page: Page) => page.locator('tbody[data-source]', { hasText: 'leads' }).getAttribute('data-source')
const marks = async (page: Page) => ((await page.getByTestId('chart').getAttribute('data-gaps')) ?? '').split(' ')

test('the calibration is drawn per provider and class, with its figures; a phone shows it without scrolling sideways', async () => {
  for (const viewport of [WIDE, PHONE]) {
    const { page, complaints } = await open(viewport)
    await page.getByRole('button', { name: 'Trust' }).click()
    await page.getByTestId('diagram').first().waitFor()
    const card = page.locator('[data-calibration]').first()
    const provider = await card.getAttribute('data-calibration')
    expect(await card.textContent()).toMatch(/Brier\d\.\d{3}ECE\d\.\d{3}Said\d\.\d{3}Came true\d\.\d{3}Forecasts\d/)
    expect(await card.getByRole('img').getAttribute('aria-label')).toMatch(
      new RegExp(`Reliability of ${provider}: said \\d+ %, came true \\d+ %, of \\d`)
    )
    expect(await card.locator('circle').count()).toBeGreaterThan(0)
    await page.getByRole('group', { name: 'Kind of data' }).getByRole('button', { name: 'trade' }).click()
    await page.getByText('within 10 bp of the consensus').waitFor()
    expect(await overflow(page)).toBe(0)
    expect(complaints).toEqual([])
    await page.close()
  }
}, 90_000)

test('latency per hop stands under the providers', async () => {
  const { page, complaints } = await open()
  await page.getByRole('button', { name: 'Latency per hop' }).click()
  const table = page.getByTestId('latency')
  await table.getByText('Received to published').waitFor()
  expect(await table.getByRole('row', { name: /^Received to published/ }).textContent()).toMatch(/([\d.]+ ms){3}$/)
  expect(await table.getByRole('row', { name: / to us / }).count()).toBeGreaterThan(3)
  expect(complaints).toEqual([])
  await page.close()
})

test('changes over windows and liquidity come by themselves', async () => {
  const { page, complaints } = await open()
  await expect.poll(() => page.getByTestId('changes').textContent(), POLL).toMatch(/^1m.*5m.*1h.*24h/)
  await expect
    .poll(() => page.getByTestId('liquidity').textContent(), POLL)
    .toMatch(/Spread[\d.]+ bpMicro[\d,.]+Imbal[+−]\d+ %≤\d+ bp/)
  expect(complaints).toEqual([])
  await page.close()
})

test('the leader’s reason and inputs are told; when it dies another leads with its own, the dead one is struck with the reason, and its gap is marked as filled', async () => {
  const { page, complaints } = await open()
  const inputs = page.getByTestId('inputs')
  await inputs.waitFor()
  for (const name of INPUTS) expect(await inputs.textContent()).toContain(name)
  const first = await leader(page)
  await expect
    .poll(() => page.getByTestId('why').textContent(), POLL)
    .toMatch(new RegExp(`${first} leads quote of BTC-USDT: `, 'i'))
  expect(await page.getByTestId('consensus').textContent()).toMatch(/^[\d,.]+ ± [\d.]+ bp · 3 of 3$/)

  await demo.fault(first!, 'kill')
  const dead = page.locator(`tbody[data-source="${first}"]`)
  await page.waitForSelector(`tbody[data-source="${first}"][data-liveness=dead][data-refused]`)
  expect(await dead.textContent()).toContain('refused: its connection is down')
  expect(await dead.getByText(first!, { exact: true }).evaluate((one) => getComputedStyle(one).textDecorationLine)).toBe(
    'line-through'
  )
  const second = await leader(page)
  expect(second).not.toBe(first)
  expect(await page.getByTestId('why').textContent()).toMatch(
    new RegExp(`${second} leads quote of BTC-USDT: ${first} disconnected`, 'i')
  )
  await expect.poll(() => marks(page), POLL).toContain('filled')
  expect(await pointAtGap(page)).toMatch(new RegExp(`Gap: ${first} \\w+: disconnected.*; filled`))
  await expect.poll(() => page.getByTestId('why').textContent(), POLL).toMatch(new RegExp(`Gap.*${first}.*; filled.*${second}`))
  expect(complaints).toEqual([])
  await page.close()
  await demo.fault(first!, 'revive')
}, 60_000)

test('when all its providers die the book is called stale and a gap stands open in the chart; when they are back the book is valid and no gap goes on', async () => {
  const { page, complaints } = await open()
  await page.waitForSelector('[data-testid=book-state][data-state=valid]')
  const providers = await page
    .locator('tbody[data-source]')
    .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.source!))
  for (const provider of providers) await demo.fault(provider, 'kill')
  await page.waitForSelector('[data-testid=book-state][data-state=stale]')
  await expect.poll(() => marks(page), POLL).toContain('open')
  await page.locator('[data-testid=tally]', { hasText: 'open' }).waitFor()
  for (const provider of providers) await demo.fault(provider, 'revive')
  await page.waitForSelector('[data-testid=book-state][data-state=valid]', { timeout: 60_000 })
  await expect.poll(() => page.getByTestId('why').textContent(), { ...POLL, timeout: 60_000 }).not.toContain('it goes on')
  expect(complaints).toEqual([])
  await page.close()
}, 120_000)
