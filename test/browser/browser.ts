/** A real browser on the real page of a real demo: what every browser test begins with. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { ensurePage, openBrowser, startDemo, type Demo } from './demo.ts'

/** The demo and the browser of the test file at hand, from its first test to its last. */
export let demo: Demo
export let browser: Browser

export function onDemo(): void {
  beforeAll(async () => {
    ensurePage()
    ;[demo, browser] = await Promise.all([startDemo(), openBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await demo?.kill()
  })
}

/** Where it was before, for whoever is still looking there. */
export async function startDemoAgain(): Promise<void> {
  demo = await startDemo(demo.port)
}

/** For whatever a page does, on a machine that does much else. */
export const PATIENCE = 60_000
export const WIDE = { width: 1440, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** A tab with nothing kept from before, and everything that its console and its scripts complained about. */
export async function openTab(browser: Browser, viewport = WIDE): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport })
  page.setDefaultTimeout(PATIENCE)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`exception: ${error.stack ?? error.message}`))
  return { page, complaints }
}

/** Waits for a performance mark of the page and says when it was made, in milliseconds since the page was asked for. */
export async function marked(page: Page, name: string): Promise<number> {
  const handle = await page.waitForFunction((mark) => performance.getEntriesByName(mark)[0]?.startTime, `tickwire:${name}`)
  return (await handle.jsonValue())!
}
