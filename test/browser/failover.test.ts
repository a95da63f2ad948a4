/** The leading provider dies while the page is open, and again before another page comes. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { browser, demo, marked, onDemo, openTab } from './browser.ts'

onDemo()

const POLL = { timeout: 60_000, interval: 100 }
const lower = (page: Page) => page.getByRole('region', { name: 'Providers, trust, news and log' })
const says = (page: Page, part: string, pattern: RegExp) =>
  expect
    .poll(() => page.evaluate((id) => document.querySelector(`[data-testid=${id}]`)?.textContent, part), POLL)
    .toMatch(pattern)
async function open(): Promise<{ page: Page; complaints: string[] }> {
  const tab = await openTab(browser)
  await tab.page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(tab.page, 'first-price')
  return tab
}

test('a page that is open tells a failover and its gap, with the reason; one opened afterwards explains it and calls it no news', async () => {
  const { page, complaints } = await open()
  const leading = /(\w+) leads (?:quote|trade) of BTC-USDT: \S+/
  await says(page, 'why', leading)
  const why = (await page.getByTestId('why').textContent())!.replace(/^Why[\d:]*/, '')
  const leader = leading.exec(why)![1]!.toLowerCase()
  const anotherLeads = new RegExp(`(?<!${leader}) leads (quote|trade) of BTC-USDT: \\S+`, 'i')
  await page.getByRole('button', { name: /^Log/ }).click()
  const broke = new RegExp(`${leader} (\\w+: )?disconnected`)
  expect(await lower(page).textContent()).not.toMatch(broke)

  await demo.fault(leader, 'kill')
  await says(page, 'why', anotherLeads)
  await says(page, 'why', new RegExp(`Gap.*${leader} \\w+: disconnected.*another provider took over`))
  await says(page, 'log', new RegExp(`failover.*leads \\w+ of .*: ${leader}`))
  await says(page, 'log', new RegExp(`gap.*${leader} \\w+: disconnected`))
  await page.close()

  const later = await open()
  await later.page.getByRole('button', { name: /^Log/ }).click()
  await says(later.page, 'why', anotherLeads)
  // A loss of a thinner instrument may end, and be told, only now: that is news.
  expect(await lower(later.page).textContent()).not.toMatch(new RegExp(`BTC-USDT[: ]*${leader} (\\w+: )?disconnected`))
  expect([...complaints, ...later.complaints]).toEqual([])
  await later.page.close()
}, 180_000)
