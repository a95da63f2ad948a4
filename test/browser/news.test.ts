/** News and providers on the page: headlines with their source, age and instruments, and what each provider gives and forbids. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { browser, demo, marked, onDemo, openTab, PHONE, WIDE } from './browser.ts'

onDemo()

/** What the server would answer to this question, where the street has nothing of the kind. */
type Canned = Record<string, unknown>

async function visit(viewport = WIDE, canned: Canned = {}): Promise<{ page: Page; complaints: string[] }> {
  const tab = await openTab(browser, viewport)
  for (const [path, json] of Object.entries(canned)) await tab.page.route(`**${path}*`, (route) => route.fulfill({ json }))
  await tab.page.goto(demo.url)
  await marked(tab.page, 'first-price')
  return tab
}

const lines = (page: Page) => page.getByTestId('news').getByRole('listitem')

test('a newcomer finds headlines: newest first, with source and age, each marked as simulated; a chip opens its instrument', async () => {
  const { page, complaints } = await visit()
  await page.getByRole('button', { name: 'News' }).click()
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=news] li').length > 3)
  const told = await lines(page).evaluateAll((all) => all.map((one) => one.textContent))
  for (const line of told) expect(line).toMatch(/^Simulated: .+(just now|min ago)Simulated wiresimulated/)
  const times = await lines(page).evaluateAll((all) => all.map((one) => one.querySelector('time')!.dateTime))
  expect(times).toEqual([...times].sort().reverse())
  const chip = lines(page).first().getByRole('button').first()
  const instrument = await chip.textContent()
  await chip.click()
  await page.waitForSelector(`[data-instrument="${instrument}"]`)
  expect(complaints).toEqual([])
  await page.close()
})

test('a headline links to the web alone, opened without a way back; an update stands in place of what it updates', async () => {
  const story = { type: 'news', provider: 'p', instrument: 'all', topic: 'news:all', time: Date.now(), received: 0, published: 0 }
  const news = [
    { ...story, seq: 1, id: '1', headline: 'Rates held', url: 'https://wire.example/1', instruments: ['AAPL', 'ZZZ'] },
    { ...story, seq: 2, id: '1', headline: 'Rates held at last', url: 'https://wire.example/1', instruments: ['AAPL', 'ZZZ'] },
    { ...story, seq: 3, id: '2', headline: 'Trap', url: 'javascript:alert(1)', instruments: [] }
  ]
  const { page } = await visit(WIDE, { '/v1/news': { news } })
  await page.getByRole('button', { name: 'News' }).click()
  const link = page.getByRole('link', { name: 'Rates held at last' })
  await link.waitFor()
  expect(await link.getAttribute('rel')).toContain('noopener')
  expect(await link.getAttribute('href')).toBe('https://wire.example/1')
  expect(await page.getByText('Rates held', { exact: true }).count()).toBe(0)
  await page.getByText('Trap').waitFor()
  expect(await page.getByRole('link', { name: 'Trap' }).count()).toBe(0)
  // What nobody lists is named, but leads nowhere.
  await page.getByText('ZZZ').waitFor()
  expect(await page.getByRole('button', { name: 'ZZZ' }).count()).toBe(0)
  await page.close()
})

test('without news the panel says why: nobody carries any', async () => {
  const { page } = await visit(WIDE, { '/v1/providers': { providers: [] } })
  await page.getByRole('button', { name: 'News' }).click()
  await page.getByText('None of the providers in use carries news.').waitFor()
  await page.close()
})

test.each([
  ['a desk', WIDE],
  ['a phone', PHONE]
])('on %s each provider tells what it covers, carries, needs, costs and forbids, and nothing is cut off', async (_, viewport) => {
  const { page, complaints } = await visit(viewport)
  await page.getByRole('button', { name: 'Providers', exact: true }).click()
  const alpaca = page.locator('[data-provider="alpaca"]')
  await alpaca.waitFor()
  const text = await alpaca.textContent()
  for (const words of ['IEX alone', 'Carries', 'news', 'key and secret', 'Costs', 'Redistribution', 'forbidden'])
    expect(text).toContain(words)
  const region = page.getByRole('region', { name: 'Providers', exact: true })
  expect(await region.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0)
  expect(complaints).toEqual([])
  await page.close()
})
