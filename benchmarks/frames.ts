/**
 * How evenly the page draws: the demo runs, a headless browser shows it, and the intervals between animation frames are taken for
 * some seconds, with how busy the page's own thread was. `--profile` adds the functions that took the most of it.
 */
/// <reference lib="dom" />
import { parseArgs } from 'node:util'
import { ensurePage, openBrowser, startDemo } from '../test/browser/demo.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, profile: { type: 'boolean' }, url: { type: 'string' } }
})
const seconds = Number(values.seconds)
const FRAME = 1_000 / 60
const VIEWS = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }

/** The shape of what the DevTools protocol answers to Profiler.stop. */
type Profile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number } }[]
  samples?: number[]
  timeDeltas?: number[]
}

function busiest({ nodes, samples = [], timeDeltas = [] }: Profile): string[] {
  const own = new Map<number, number>()
  samples.forEach((id, i) => own.set(id, (own.get(id) ?? 0) + (timeDeltas[i] ?? 0)))
  const named = new Map<string, number>()
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber, columnNumber } = callFrame
    const name = `${functionName || '(anonymous)'} ${url.split('/').at(-1)}:${lineNumber + 1}:${columnNumber}`
    named.set(name, (named.get(name) ?? 0) + (own.get(id) ?? 0))
  }
  const most = [...named].filter(([name]) => !name.startsWith('(idle)')).toSorted((a, b) => b[1] - a[1])
  return most.slice(0, 25).map(([name, us]) => `${(us / 1_000 / seconds).toFixed(1)} ms/s ${name}`)
}

const demo = values.url === undefined ? await startDemoBuilt() : { url: values.url, kill: () => Promise.resolve() }
const browser = await openBrowser()

function startDemoBuilt() {
  ensurePage()
  return startDemo()
}

for (const [view, viewport] of Object.entries(VIEWS)) {
  const page = await browser.newPage({ viewport })
  await page.goto(`${demo.url}/#/BTC-USDT`)
  await page.waitForFunction(() => performance.getEntriesByName('tickwire:chart').length > 0)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const metrics = async () =>
    Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]))
  if (values.profile) {
    await devtools.send('Profiler.enable')
    await devtools.send('Profiler.start')
  }
  const before = await metrics()
  const intervals = await page.evaluate(
    (ms) =>
      new Promise<number[]>((resolve) => {
        const found: number[] = []
        const began = performance.now()
        let last: number | undefined
        const frame = (now: number): void => {
          if (last !== undefined) found.push(now - last)
          last = now
          if (performance.now() - began < ms) requestAnimationFrame(frame)
          else resolve(found)
        }
        requestAnimationFrame(frame)
      }),
    seconds * 1_000
  )
  const after = await metrics()
  const profile = values.profile ? ((await devtools.send('Profiler.stop')).profile as Profile) : undefined
  const sorted = intervals.toSorted((a, b) => a - b)
  const at = (share: number): number => Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(1))
  const spent = (name: string): number => Number((((after[name]! - before[name]!) * 1_000) / seconds).toFixed(1))
  console.log(
    JSON.stringify({
      benchmark: 'frames',
      view,
      seconds,
      fps: Number(((sorted.length * 1_000) / sorted.reduce((sum, ms) => sum + ms, 0)).toFixed(1)),
      interval: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
      /** Share of the frames that came a whole frame or more too late. */
      late: Number((sorted.filter((ms) => ms > 2 * FRAME - 1).length / sorted.length).toFixed(4)),
      /** Processor time of the page's thread, milliseconds of each second. */
      busy: {
        all: spent('TaskDuration'),
        script: spent('ScriptDuration'),
        layout: spent('LayoutDuration'),
        style: spent('RecalcStyleDuration')
      },
      perSecond: {
        layouts: (after.LayoutCount! - before.LayoutCount!) / seconds,
        styles: (after.RecalcStyleCount! - before.RecalcStyleCount!) / seconds
      }
    })
  )
  if (profile) for (const line of busiest(profile)) console.log(line)
  await page.close()
}
await browser.close()
await demo.kill()
