/** A recording replayed on the page: picked, played, paused, stepped, sought and left, with no number of what is live beside one of it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page, WebSocket } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { browser, demo, marked, onDemo, openTab, PHONE, startDemoAgain, WIDE } from './browser.ts'
import { startDemo } from './demo.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })
onDemo()

const POLL = { timeout: 60_000, interval: 100 }
const BAND = '[data-testid=replay]'
const OF_THE_PLATFORM = /WebSocket connection to .* failed|net::ERR_|status of (401|404)/

type Run = { run: string; from: number; to: number; bytes: number }
const recordings = async (): Promise<Run[]> =>
  ((await (await fetch(`${demo.url}/v1/recordings`)).json()) as { recordings: Run[] }).recordings
const replays = async (): Promise<{ replay: string }[]> =>
  ((await (await fetch(`${demo.url}/v1/replays`)).json()) as { replays: { replay: string }[] }).replays

/** Long enough for what is done in it. Tests that need less come first, and the demo records meanwhile. */
const recorded = (span: number) =>
  vi.waitFor(
    async () => {
      if (!(await recordings()).some(({ from, to }) => to - from > span)) throw new Error('too little is recorded yet')
    },
    { ...POLL, interval: 500 }
  )

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
type Fault = { id: string; impact: string; nodes: { html: string }[] }
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run: () => Promise<{ violations: Fault[] }> } }).axe.run()
    return violations
  })
  return found
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
}
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
const phase = (page: Page, name: string) => page.waitForSelector(`${BAND}[data-phase=${name}]`)
const time = async (page: Page): Promise<number> => Number(await page.getByTestId('replay-time').getAttribute('data-at'))
const slider = (page: Page) => page.getByRole('slider', { name: 'Place in the recording' })
const bound = async (page: Page, name: 'min' | 'max'): Promise<number> =>
  Number(await slider(page).getAttribute(`aria-value${name}`))
const price = (page: Page) =>
  page.waitForFunction(() => /\d/.test(document.querySelector('[data-testid=last]')?.textContent ?? ''))

async function open(viewport = WIDE): Promise<{ page: Page; complaints: string[] }> {
  const tab = await openTab(browser, viewport)
  await tab.page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(tab.page, 'first-price')
  return tab
}

/** Picks what is recorded, with what is wished of it. */
async function pick(page: Page, speed: string, wish?: 'Then live' | 'Again and again'): Promise<void> {
  await page.keyboard.press('r')
  const dialog = page.getByRole('dialog', { name: 'Replay a recording' })
  await dialog.getByRole('radio').first().waitFor()
  await dialog.getByLabel('Speed').selectOption(speed)
  if (wish) await dialog.getByLabel(wish).check()
  await dialog.getByRole('button', { name: 'Replay it' }).click()
  await page.waitForSelector(BAND)
}
const back = (page: Page) => page.getByRole('button', { name: 'Back to live' }).click()

test('where a part of the past is missing the chart asks for it again', async () => {
  const { page, complaints } = await openTab(browser)
  let whole = false
  await page.route('**/v1/candles/**', async (route) => {
    const response = await route.fetch()
    const { candles } = (await response.json()) as { candles: object[] }
    await route.fulfill({
      response,
      json: whole ? { candles } : { candles: candles.slice(-2), missing: 'it is being asked for' }
    })
  })
  await page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(page, 'chart')
  const bars = async (): Promise<number> => Number(await page.getByTestId('chart').getAttribute('data-bars'))
  expect(await bars()).toBeLessThan(10)
  whole = true
  await expect.poll(bars, POLL).toBeGreaterThan(50)
  expect(complaints).toEqual([])
  await page.close()
})

test('where nothing is recorded it is said how that begins; where a token is wanted it is asked for, and kept for the session alone', async () => {
  const token = 'a-token-of-the-operator'
  const hash = createHash('sha256').update(token).digest('hex')
  const shut = await startDemo(0, ['--demo', '--set', 'journal.record=off', '--set', `auth.keys=${hash}`])
  const { page, complaints } = await openTab(browser)
  try {
    await page.goto(shut.url)
    const dialog = page.getByRole('dialog', { name: 'Token' })
    await dialog.getByText('This server wants a token.').waitFor()
    expect(await faults(page)).toEqual([])
    await dialog.getByRole('textbox').fill('a wrong one')
    await page.keyboard.press('Enter')
    await dialog.getByText('The server does not take this token.').waitFor()
    await dialog.getByLabel('An API key').fill(token)
    await page.keyboard.press('Enter')
    await marked(page, 'first-price')
    expect(await dialog.count()).toBe(0)
    expect(await page.evaluate(() => [JSON.stringify(localStorage), sessionStorage.length])).toEqual(['{}', 1])
    await page.reload()
    await marked(page, 'first-price')

    await page.keyboard.press('r')
    const nothing = page.getByTestId('nothing-recorded')
    await nothing.waitFor()
    expect(await nothing.textContent()).toContain('tickwire --record events')
    expect(await faults(page)).toEqual([])
    expect(complaints.filter((one) => !OF_THE_PLATFORM.test(one))).toEqual([])
  } finally {
    await page.close()
    await shut.kill()
  }
})

test.for([
  ['a desk', WIDE],
  ['a phone', PHONE]
] as const)(
  'on %s a recorded span is picked, played, paused, stepped and sought; while it is on nobody can miss it; then back to live',
  async ([, viewport]) => {
    await recorded(10_000)
    const { page, complaints } = await open(viewport)
    await page.getByRole('button', { name: 'Replay a recording' }).click()
    const dialog = page.getByRole('dialog', { name: 'Replay a recording' })
    await dialog.getByText('recording now').waitFor()
    expect(await dialog.textContent()).toMatch(/\d+ s.*[\d,]+ events, [\d.]+(K|M)B/)
    const from = dialog.getByRole('slider', { name: 'From' })
    const start = Number(await from.getAttribute('aria-valuenow'))
    await from.press('ArrowRight')
    expect(Number(await from.getAttribute('aria-valuenow'))).toBeGreaterThan(start)
    expect(await faults(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    await dialog.getByLabel('Speed').selectOption('10')
    // So that it does not end before a slow machine has looked.
    await dialog.getByLabel('Again and again').check()
    await dialog.getByRole('button', { name: 'Replay it' }).click()

    await phase(page, 'playing')
    await price(page)
    await expect.poll(() => page.getByTestId('replay-words').textContent(), POLL).toBe('playing at 10×; simulated prices')
    await expect.poll(() => page.title(), POLL).toMatch(/^REPLAY \d\d:\d\d:\d\d · [\d,.]+ BTC-USDT/)
    // Between two rounds it goes to its beginning, and is not paused by this key.
    const band = page.locator(BAND)
    await expect
      .poll(async () => {
        const now = await band.getAttribute('data-phase')
        if (now === 'playing') await page.keyboard.press('p')
        return now
      }, POLL)
      .toBe('paused')

    await page
      .locator(viewport === WIDE ? '[id="row-BTC-USDT"] [data-cell=age]' : '[data-instrument]')
      .getByText('replay')
      .first()
      .waitFor()
    expect(await page.evaluate(() => getComputedStyle(document.querySelector('[data-replay]')!, '::after').borderTopStyle)).toBe(
      'solid'
    )
    expect(await faults(page)).toEqual([])
    expect(await overflow(page)).toBe(0)

    const stood = await time(page)
    const step = page.getByRole('button', { name: 'Step', exact: true })
    await step.focus()
    await expect
      .poll(async () => {
        await page.keyboard.press('Enter')
        return time(page)
      }, POLL)
      .toBeGreaterThan(stood)
    await phase(page, 'paused')

    const box = (await slider(page).boundingBox())!
    const middle = ((await bound(page, 'min')) + (await bound(page, 'max'))) / 2
    await page.mouse.move(box.x + 4, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 })
    await page.mouse.up()
    await expect.poll(async () => Math.abs((await time(page)) - middle), POLL).toBeLessThan(1_000)
    await phase(page, 'paused')
    await price(page)

    await slider(page).press('Home')
    const first = await bound(page, 'min')
    await expect.poll(async () => (await time(page)) - first, POLL).toBeLessThan(1_000)
    await phase(page, 'paused')
    expect(await slider(page).evaluate((one) => one === document.activeElement)).toBe(true)

    await back(page)
    await page.waitForSelector(BAND, { state: 'detached' })
    await price(page)
    expect(await page.locator('[data-replay]').count()).toBe(0)
    await expect.poll(() => page.title(), POLL).toMatch(/^[\d,.]+ BTC-USDT/)
    await expect.poll(replays, POLL).toEqual([])
    expect(complaints).toEqual([])
    await page.close()
  }
)

// ---- no mixed prices -----------------------------------------------------------------------------------------------

type Heard = { url: string; numbers: Map<string, Set<number>> }
const FIELDS = ['price', 'bid', 'ask', 'last'] as const

/** Every price that each socket of the page was told, by instrument. */
function listen(page: Page): Heard[] {
  const all: Heard[] = []
  page.on('websocket', (socket: WebSocket) => {
    const heard: Heard = { url: socket.url(), numbers: new Map() }
    all.push(heard)
    socket.on('framereceived', ({ payload }) => {
      const frame = JSON.parse(String(payload)) as unknown
      if (!Array.isArray(frame)) return
      for (const event of frame as ({ instrument: string } & Partial<Record<string, number>>)[]) {
        const known = heard.numbers.get(event.instrument) ?? new Set()
        heard.numbers.set(event.instrument, known)
        for (const field of FIELDS) if (event[field] !== undefined) known.add(event[field])
      }
    })
  })
  return all
}

type Shown = { replay: string; id: string; value: number; age: string }
/** Writes down each price of the grid in each frame that is drawn, with what the page says it is. */
const watch = (page: Page) =>
  page.evaluate(() => {
    const shown = new Map<string, object>()
    Object.assign(globalThis, { shown })
    const look = (): void => {
      const replay = document.querySelector<HTMLElement>('[data-replay]')?.dataset.replay ?? ''
      for (const row of document.querySelectorAll('[role=row][id]')) {
        const age = row.querySelector('[data-cell=age]')?.textContent ?? ''
        for (const name of ['last', 'bid', 'ask']) {
          const text = row.querySelector(`[data-cell=${name}]`)?.textContent ?? ''
          if (!/\d/.test(text)) continue
          const one = {
            replay,
            id: row.id.slice(4),
            value: Number(text.replaceAll(',', '')),
            age: age === 'replay' ? age : 'live'
          }
          shown.set(JSON.stringify(one), one)
        }
      }
      requestAnimationFrame(look)
    }
    look()
  })
const seen = (page: Page) =>
  page.evaluate(() => {
    const { shown } = globalThis as unknown as { shown: Map<string, Shown> }
    const all = [...shown.values()]
    shown.clear()
    return all
  })

const isReplay = ({ url }: Heard): boolean => url.includes('/v1/replay/')
const shownIn = (page: Page) =>
  page.evaluate(() => {
    const { shown } = globalThis as unknown as { shown: Map<string, Shown> }
    return [...shown.values()].filter(({ replay }) => replay !== '').length
  })

/** Those of `shown` that none of these sockets told. */
const strangers = (shown: readonly Shown[], sockets: readonly Heard[]): Shown[] =>
  shown.filter(({ id, value }) => !sockets.some(({ numbers }) => numbers.get(id)?.has(value)))

test('no number of what is live stands on the page during a replay, and none of a replay before or after: in no frame', async () => {
  await recorded(10_000)
  const { page, complaints } = await openTab(browser)
  const sockets = listen(page)
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await page.goto(`${demo.url}/#/BTC-USDT`)
  await marked(page, 'first-price')
  await watch(page)
  await pick(page, '1', 'Then live')
  const inReplay = asked.length
  await phase(page, 'playing')
  await price(page)
  // What live told just before comes in the replay as well, but only later: at its beginning nothing of it may be there.
  await expect.poll(async () => (await shownIn(page)) > 20, POLL).toBe(true)
  const early = (await seen(page)).filter(({ replay }) => replay !== '')
  expect(early.length).toBeGreaterThan(20)
  expect(strangers(early, sockets.filter(isReplay))).toEqual([])
  expect(early.filter(({ age }) => age !== 'replay')).toEqual([])
  await slider(page).press('PageUp')
  await expect.poll(() => sockets.filter(isReplay).length, POLL).toBeGreaterThan(1)
  await price(page)
  await page.locator(BAND).getByLabel('Speed').selectOption('50')
  const forbidden = asked.slice(inReplay).filter((path) => /^\/v1\/(trades|last|quotes|book|books|news|gaps|latency)/.test(path))
  expect(forbidden).toEqual([])

  // It comes to its end and goes on into what is live, and says so.
  await page.getByTestId('live-again').waitFor()
  expect(await page.getByTestId('live-again').textContent()).toMatch(/^Live again since \d\d:\d\d:\d\d/)
  await page.waitForSelector(BAND, { state: 'detached' })
  const mixed = await seen(page)
  await page.waitForSelector('[id="row-BTC-USDT"] [data-cell=age][data-fresh=fresh]')
  const after = await seen(page)

  const replayed = mixed.filter(({ replay }) => replay !== '')
  expect(replayed.length).toBeGreaterThan(100)
  expect(strangers(replayed, sockets.filter(isReplay))).toEqual([])
  expect(replayed.filter(({ age }) => age !== 'replay')).toEqual([])
  const live = [...mixed.filter(({ replay }) => replay === ''), ...after]
  expect(
    strangers(
      live,
      sockets.filter((one) => !isReplay(one))
    )
  ).toEqual([])
  expect(live.filter(({ age }) => age === 'replay')).toEqual([])
  // What was heard before the replay may not stand there after it either.
  expect(after.length).toBeGreaterThan(0)
  expect(strangers(after, sockets.slice(-1))).toEqual([])
  expect(complaints).toEqual([])
  await page.close()
})

// ---- what goes wrong -----------------------------------------------------------------------------------------------

test('a replay that was ended is told as such, and begins again by a click', async () => {
  const { page } = await open()
  await pick(page, '1')
  await phase(page, 'playing')
  await page.locator('[id="row-BTC-USDT"] [data-cell=age]').getByText('replay').waitFor()
  const [one] = await replays()
  await fetch(`${demo.url}/v1/replays/${one!.replay}`, { method: 'DELETE' })
  await phase(page, 'over')
  expect(await page.getByTestId('replay-words').textContent()).toBe('The replay was ended on the server.')
  // What stands there is still of the replay.
  expect(await page.locator('[id="row-BTC-USDT"] [data-cell=age]').textContent()).toBe('replay')
  await page.getByRole('button', { name: 'Start it again' }).click()
  await phase(page, 'playing')
  await back(page)
  await page.waitForSelector(BAND, { state: 'detached' })
  await page.close()
})

test('after a seek the grid stands where it stood, and the tape has the trades before', async () => {
  await recorded(10_000)
  const { page, complaints } = await open({ ...WIDE, height: 520 })
  await pick(page, '1', 'Again and again')
  await phase(page, 'playing')
  await price(page)
  await page.keyboard.press('p')
  await phase(page, 'paused')
  const grid = page.getByRole('grid', { name: 'Instruments' })
  const top = (): Promise<number> => grid.evaluate((one) => one.scrollTop)
  await grid.evaluate((one) => one.scrollTo({ top: 56 }))
  await expect.poll(top, POLL).toBe(56)
  const middle = ((await bound(page, 'min')) + (await bound(page, 'max'))) / 2
  await slider(page).press('PageUp')
  await slider(page).press('PageUp')
  await phase(page, 'paused')
  await expect.poll(() => page.locator('[data-testid=tape] [data-trade]').count(), POLL).toBeGreaterThan(5)
  expect(await time(page)).toBeLessThan(middle)
  expect(await top()).toBe(56)
  expect(complaints).toEqual([])
  await back(page)
  await page.close()
})

test('keys steer it: pause, speed, steps, ten seconds on and back, again and again', async () => {
  await recorded(22_000)
  const { page, complaints } = await open()
  await pick(page, '1')
  await phase(page, 'playing')
  const speed = page.locator(BAND).getByLabel('Speed')
  await page.keyboard.press(']')
  await expect.poll(() => speed.inputValue(), POLL).toBe('2')
  await page.keyboard.press('[')
  await expect.poll(() => speed.inputValue(), POLL).toBe('1')
  await page.keyboard.press('l')
  await page.locator(BAND).getByRole('button', { name: 'Loop', pressed: true }).waitFor()
  await page.keyboard.press('p')
  await phase(page, 'paused')
  const before = await time(page)
  await page.keyboard.press('Shift+ArrowRight')
  await expect.poll(async () => (await time(page)) - before, POLL).toBeGreaterThan(9_000)
  await phase(page, 'paused')
  const after = await time(page)
  await page.keyboard.press('Shift+ArrowLeft')
  await expect.poll(async () => after - (await time(page)), POLL).toBeGreaterThan(9_000)
  await phase(page, 'paused')
  expect(complaints).toEqual([])
  await back(page)
  await page.close()
})

test('a server that was restarted knows the replay no more: the page says so, and finds back to live', async () => {
  const { page, complaints } = await open()
  await pick(page, '1', 'Again and again')
  await phase(page, 'playing')
  await demo.kill()
  await page.waitForSelector('[data-testid=connection][data-phase=waiting]')
  await startDemoAgain()
  await phase(page, 'over')
  expect(await page.getByTestId('replay-words').textContent()).toMatch(/^The server does not know this replay any more/)
  await back(page)
  await page.waitForSelector('[data-testid=connection][data-phase=open]')
  await page.waitForSelector('[id="row-BTC-USDT"] [data-cell=age][data-fresh=fresh]')
  expect(complaints.filter((one) => !OF_THE_PLATFORM.test(one))).toEqual([])
  await page.close()
})
