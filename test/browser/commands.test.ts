/** Commands and breadth on the page: a book or a connection renewed by a click or a key, its outcome in words, and how sectors move. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { browser, demo, marked, onDemo, openTab, PHONE, WIDE } from './browser.ts'

onDemo()

const POLL = { timeout: 60_000, interval: 100 }

async function open(viewport = WIDE): Promise<{ page: Page; complaints: string[] }> {
  const tab = await openTab(browser, viewport)
  await tab.page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(tab.page, 'first-price')
  return tab
}
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
const lines = (page: Page) => page.getByTestId('log').getByRole('listitem').allTextContents()
const resyncs = async (provider: string): Promise<number | undefined> => {
  const { books } = (await (await fetch(`${demo.url}/v1/books?instrument=BTC-USDT`)).json()) as {
    books: { provider: string; resyncs: number }[]
  }
  return books.find((book) => book.provider === provider)?.resyncs
}

test('a book is resynchronised by a click: the outcome stands in its place and in the log, as does what filled the gap', async () => {
  for (const viewport of [WIDE, PHONE]) {
    const { page, complaints } = await open(viewport)
    const source = page.locator('tbody[data-source=kraken]')
    await source.getByText('book valid').waitFor()
    const before = (await resyncs('kraken'))!
    await source.getByRole('button', { name: 'Resync the book at kraken' }).click()
    await expect
      .poll(() => source.getByRole('status').textContent(), POLL)
      .toMatch(/^Healed after [\d.]+ m?s: the book of BTC-USDT at kraken is whole again\.$/)
    expect(await resyncs('kraken')).toBe(before + 1)
    expect(await overflow(page)).toBe(0)

    await page.getByRole('button', { name: /^Log/ }).click()
    await expect
      .poll(() => lines(page), POLL)
      .toContainEqual(
        expect.stringMatching(
          /command\s*BTC-USDT\s*Resync at kraken: healed after [\d.]+ m?s: the book of BTC-USDT at kraken is whole again\.$/
        )
      )
    const filled = /filled\s*BTC-USDT\s*kraken book: gap.* filled: 1 event, the newest state, of \w+/
    await expect.poll(() => lines(page), POLL).toContainEqual(expect.stringMatching(filled))
    expect((await lines(page)).join('\n')).toMatch(/kraken book: asked for anew/)
    expect(await overflow(page)).toBe(0)
    expect(complaints).toEqual([])
    await page.close()
  }
}, 120_000)

test('a provider is reconnected from the keyboard, and of one that is down it is said that there is nothing to renew', async () => {
  const { page, complaints } = await open()
  const providers = page.getByTestId('providers')
  await providers.getByText('Coinbase', { exact: false }).first().waitFor()
  const lines = providers.locator('tbody[data-provider=coinbase]')
  const button = lines.getByRole('button', { name: 'Reconnect coinbase' })
  await button.focus()
  await page.keyboard.press('Enter')
  await expect
    .poll(() => lines.getByRole('status').textContent(), POLL)
    .toMatch(/^Healed after [\d.]+ m?s: coinbase has \d new connections?\.$/)
  expect(await button.evaluate((one) => one === document.activeElement)).toBe(true)

  await demo.fault('coinbase', 'kill')
  await page.waitForSelector('tbody[data-provider=coinbase][data-phase=waiting]')
  await page.keyboard.press('Space')
  await expect.poll(() => lines.getByRole('status').textContent(), POLL).toBe('Failed: coinbase has no open connection.')
  await demo.fault('coinbase', 'revive')
  expect(complaints).toEqual([])
  await page.close()
}, 60_000)

test('breadth is told of all and by sector, once most of them are watched for a minute; a phone opens the sectors', async () => {
  for (const viewport of [WIDE, PHONE]) {
    const { page, complaints } = await openTab(browser, viewport)
    await page.goto(demo.url)
    const all = page.getByTitle(/^Breadth by sector\. Over \dm: \d+ rise, \d+ fall, \d+ stand/)
    await all.waitFor({ timeout: 120_000 })
    const isOpen = String(viewport === WIDE)
    expect(await all.getAttribute('aria-expanded')).toBe(isOpen)
    if (viewport === PHONE) await all.click()
    const sectors = page.getByRole('list', { name: 'Breadth by sector' })
    await expect
      .poll(() => sectors.locator('[data-sector=crypto]').textContent(), POLL)
      .toMatch(/^crypto▲\d+▼\d+[+−]?\d+\.\d\d%$/)
    await expect.poll(() => sectors.locator('[data-sector=technology]').count(), POLL).toBe(1)
    // What is told here is what the server says.
    const { breadth } = (await (await fetch(`${demo.url}/v1/breadth`)).json()) as { breadth: { instrument: string }[] }
    const named = breadth.map(({ instrument }) => instrument).filter((name) => name !== 'all')
    await expect
      .poll(
        () => sectors.locator('[data-sector]').evaluateAll((each) => each.map((one) => (one as HTMLElement).dataset.sector)),
        POLL
      )
      .toEqual(expect.arrayContaining(named))
    expect(await overflow(page)).toBe(0)
    await all.focus()
    await page.keyboard.press('Enter')
    await sectors.waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
    await page.close()
  }
}, 150_000)

test('commands are refused in words when there are too many', async () => {
  const { page } = await open()
  const button = page.getByRole('button', { name: 'Resync the book at kraken' })
  await button.waitFor()
  const told = page.locator('tbody[data-source=kraken]').getByRole('status')
  const spend = () => fetch(`${demo.url}/v1/providers/nobody/reconnect`, { method: 'POST' })
  await expect
    .poll(async () => {
      // They cost as much as others, and nobody has to heal anything.
      await Promise.all(Array.from({ length: 12 }, spend))
      await button.click()
      await told.getByText(/./).waitFor()
      return told.textContent()
    }, POLL)
    .toBe('Refused: too many commands: one in two seconds.')
  await page.close()
}, 60_000)
