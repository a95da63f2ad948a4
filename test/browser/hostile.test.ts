/** What a hostile feed says, through the server to the page in a real browser: it is shown as text, and nothing of it runs. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTab } from './browser.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { run, type Program } from '../e2e/program.ts'
import { ensurePage, openBrowser } from './demo.ts'

/** Each would call this, if anything of it ran; `#` stands for its number. */
const CALL = 'top.ran(#)'
const LINKS = [
  `javascript:${CALL}`,
  `JaVaScRiPt:${CALL}`,
  ` javascript:${CALL}`,
  `java\tscript:${CALL}`,
  `java&#10;script:${CALL}`,
  `&#1;javascript:${CALL}`,
  `&Tab;javascript:${CALL}`,
  `javascript&colon;${CALL}`,
  `javascript://wire.example/%0a${CALL}`,
  `data:text/html,<script>${CALL}</script>`,
  'data:text/html;base64,PHNjcmlwdD50b3AucmFuKDApPC9zY3JpcHQ+',
  `vbscript:${CALL}`,
  'file:///etc/passwd',
  'blob:https://wire.example/1',
  `view-source:javascript:${CALL}`,
  `//wire.example/" onclick="${CALL}`,
  `https://wire.example/"><img src=x onerror=${CALL}>`,
  `https://wire.example/?q='onmouseover='${CALL}'`
]
const TITLES = [
  `<script>${CALL}</script>`,
  `<img src=x onerror=${CALL}>`,
  `<svg onload=${CALL}>`,
  `<svg><script>${CALL}</script></svg>`,
  `<svg><animate onbegin=${CALL} attributeName=x dur=1s>`,
  `<iframe src="javascript:${CALL}"></iframe>`,
  `<iframe srcdoc="<script>${CALL}</script>"></iframe>`,
  `<body onload=${CALL}>No25of`,
  `<details open ontoggle=${CALL}>x</details>`,
  `<input autofocus onfocus=${CALL}>`,
  `<video><source onerror=${CALL}></video>`,
  `<math><mtext></p><img src=x onerror=${CALL}></math>`,
  `<style>@import 'javascript:${CALL}';</style>`,
  `<link rel=stylesheet href="javascript:${CALL}">`,
  `<meta http-equiv=refresh content="0;url=javascript:${CALL}">`,
  `<base href="https://evil.example/">`,
  `<form action="javascript:${CALL}"><button autofocus>x</button></form>`,
  `<object data="javascript:${CALL}"></object>`,
  `"><img src=x onerror=${CALL}>`,
  `' onmouseover='${CALL}' x='`,
  `</title><script>${CALL}</script>`,
  `</li></ol><script>${CALL}</script>`,
  `<!--<img src="--><img src=x onerror=${CALL}>">`,
  `<![CDATA[<img src=x onerror=${CALL}>]]>`,
  `&lt;img src=x onerror=${CALL}&gt;`,
  `&amp;lt;script&amp;gt;${CALL}&amp;lt;/script&amp;gt;`,
  `\u202egnp.exe \u2066<img src=x onerror=${CALL}>`,
  `[click](javascript:${CALL})`,
  `![x](x" onerror="${CALL})`,
  `{{constructor.constructor('${CALL}')()}}`,
  `\${${CALL}}`,
  `<x/onclick=${CALL}>x`,
  `<a href="javascript:${CALL}">read</a>`,
  `${'<b>'.repeat(500)}<img src=x onerror=${CALL}>`,
  `${'long '.repeat(2_000)}<img src=x onerror=${CALL}>`
]

type Payload = { title: string; link: string }
const payloads: Payload[] = [
  ...LINKS.map((link, i) => ({ title: `Link ${i}`, link })),
  ...TITLES.map((title, i) => ({ title, link: `https://wire.example/story/${i}` }))
].map(({ title, link }, i) => ({
  title: `No${i}of ${title}`.replaceAll('#', String(i)),
  link: link.replace(/#(?!\d)/, String(i))
}))

/** Once as it is, in CDATA, and once escaped, which is how feeds bring HTML. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const cdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
const item = ({ title, link }: Payload, i: number): string =>
  `<item><guid isPermaLink="false">g${i}</guid><title>${i % 2 === 0 ? cdata(title) : escaped(title)}</title>` +
  `<link>${i % 2 === 0 ? cdata(link) : escaped(link)}</link><description>${cdata(title)}</description>` +
  `<pubDate>${new Date(Date.now() - i * 1_000).toUTCString()}</pubDate></item>`

let feed: Server
let program: Program
let url: string
let browser: Browser
const listening = new AbortController()
beforeAll(async () => {
  ensurePage()
  const text = `<?xml version="1.0"?><rss version="2.0"><channel><title>Evil</title>${payloads.map(item).join('')}</channel></rss>`
  feed = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/rss+xml' }).end(text))
  await new Promise<void>((resolve) => feed.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(feed.address() as AddressInfo).port}/feed`
  const optionOf = (name: string) => `TICKWIRE_PROVIDERS__${name.replaceAll('-', '_').toUpperCase()}__ENABLED`
  const env = Object.fromEntries(Object.keys(providers).map((name) => [optionOf(name), String(name === 'rss')]))
  const started = run(['--live', '--port', '0'], /Tickwire {2}(http:\S+)/, { ...env, TICKWIRE_PROVIDERS__RSS__FEED: address })
  ;[program, browser] = await Promise.all([started, openBrowser()])
  url = program.found[1]!
  // News are asked for while anybody listens.
  await fetch(`${url}/v1/events?topics=news:all`, { signal: listening.signal })
})
afterAll(async () => {
  listening.abort()
  await browser?.close()
  await program?.kill('SIGKILL')
  feed?.close()
})

type Story = { headline: string; url?: string; id: string }
const stories = async (): Promise<Story[]> => {
  const { news } = (await (await fetch(`${url}/v1/news?limit=500`)).json()) as { news: Story[] }
  return news.filter(({ headline }) => /^No\d+of/.test(headline))
}

test('[S9] of 53 payloads in news none runs, each is text, and links lead to the web alone with no way back', async () => {
  expect(payloads.length).toBeGreaterThanOrEqual(40)
  const missing = async () => {
    const told = await stories()
    return payloads.flatMap((_, i) => (told.some(({ headline }) => headline.startsWith(`No${i}of`)) ? [] : [i]))
  }
  await expect.poll(missing, { timeout: 30_000 }).toEqual([])
  const told = await stories()
  for (const story of told) if (story.url !== undefined) expect(new URL(story.url).protocol).toMatch(/^https?:$/)
  const { page, complaints } = await openTab(browser)
  const ran: number[] = []
  await page.exposeFunction('ran', (which: number) => void ran.push(which))
  page.on('dialog', (dialog) => void dialog.dismiss())
  const popups: string[] = []
  page.context().on('page', (opened) => void popups.push(opened.url()))
  const answer = await page.goto(url)
  const policy = answer!.headers()['content-security-policy']!
  expect(policy).not.toContain('unsafe')
  await page.getByRole('button', { name: 'News' }).click()
  const count = () =>
    page
      .locator('[data-testid=news] li')
      .filter({ hasText: /^No\d+of/ })
      .count()
  await expect.poll(count, { timeout: 30_000 }).toBeGreaterThanOrEqual(40)
  const list = page.getByTestId('news')
  // Of the page's own making: a list of texts, links and chips, with nothing of the feed's.
  const foreign = await list.evaluate((all) => all.querySelectorAll(':not(li, p, a, span, time, button)').length)
  expect(foreign).toBe(0)
  const handlers = await list.evaluate((all) =>
    [...all.querySelectorAll('*')].flatMap((one) => one.getAttributeNames().filter((name) => /^on|^srcdoc$|^src$/.test(name)))
  )
  expect(handlers).toEqual([])
  const links = await list
    .locator('a')
    .evaluateAll((all) =>
      all.map((one) => [(one as HTMLAnchorElement).protocol, one.getAttribute('rel'), one.getAttribute('target')])
    )
  expect(links.length).toBeGreaterThan(10)
  for (const link of links) expect(link).toEqual([expect.stringMatching(/^https?:$/), 'noopener noreferrer', '_blank'])
  // Whoever moves over all of it, and comes by with the keyboard, sets nothing off either.
  for (const line of await list.locator('li').all()) await line.dispatchEvent('mouseover')
  expect([ran, popups]).toEqual([[], []])
  expect(complaints).toEqual([])
  // That it would have been seen: the same in a page that believes it.
  await page.evaluate(() => (window as unknown as { ran: (n: number) => void }).ran(-1))
  expect(ran).toEqual([-1])
  await page.close()
}, 90_000)
