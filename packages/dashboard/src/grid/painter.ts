/**
 * Writes one instrument into the cells of its row. React draws the row once; from then on only the texts that changed are
 * touched, so a hundred rows at twenty updates a second cost a few milliseconds per frame.
 */
import { age, freshness, hundredths, percent, price } from '../model/format.ts'
import { isPast, serverNow } from '../model/clock.ts'
import { mark } from '../model/marks.ts'
import { confidenceOf, spread, type Row } from '../model/row.ts'
import { sparkline } from './sparkline.ts'

const FLASH_MS = 450
const SPARK_MS = 1_000

const tone = (n: number | undefined): string => (n === undefined || Math.abs(n) < 0.005 ? '' : n > 0 ? 'up' : 'down')

/** Remembers what each cell holds: reading the document back would cost more than writing it. */
export function createPainter(element: HTMLElement): (row: Row) => void {
  const cells = new Map<string, HTMLElement>()
  for (const cell of element.querySelectorAll<HTMLElement>('[data-cell]')) cells.set(cell.dataset.cell!, cell)
  const held = new Map<string, string>()
  const write = (name: string, value: string, key = 'text'): boolean => {
    const slot = `${name} ${key}`
    if (held.get(slot) === value) return false
    held.set(slot, value)
    const cell = cells.get(name)!
    if (key === 'text') cell.textContent = value
    else if (key === 'title') cell.title = value
    else cell.dataset[key] = value
    return true
  }
  const meter = element.querySelector<HTMLElement>('.meter > i')!
  const line = element.querySelector<SVGPathElement>('.spark path')!
  let version = -1
  let drawn = -Infinity

  const paintPrices = (row: Row): void => {
    const decimals = row.digits
    write('last', price(row.last, decimals))
    write('change', percent(row.change))
    write('change', tone(row.change), 'tone')
    write('bid', price(row.bid, decimals))
    write('ask', price(row.ask, decimals))
    write('spread', price(spread(row), decimals))
    write('provider', row.provider ?? '–')
    mark('first-price', row.last !== undefined || row.bid !== undefined)
    const sure = confidenceOf(row)
    if (write('sure', sure === undefined ? '–' : hundredths(sure))) meter.style.width = `${Math.round((sure ?? 0) * 100)}%`
  }

  const paintTime = (row: Row, now: number): void => {
    const old = row.received === undefined ? undefined : serverNow() - row.received
    // No price of a replay may pass for one of now, however old it was then.
    const told = isPast() && old !== undefined
    const fresh = old === undefined ? '' : told ? 'replay' : freshness(old)
    write('age', told ? 'replay' : age(old))
    write('age', told ? `${age(old)} old at the time of the replay` : '', 'title')
    write('age', fresh, 'fresh')
    write('sub', `${row.provider ?? 'waiting'} · ${told ? 'replay, ' : ''}${age(old)}`)
    write('sub', fresh, 'fresh')
    write('last', now - row.moved < FLASH_MS && row.moved > 0 ? (row.direction > 0 ? 'up' : 'down') : '', 'flash')
  }

  return (row) => {
    const now = performance.now()
    if (row.version !== version) paintPrices(row)
    paintTime(row, now)
    if (row.version !== version && now - drawn > SPARK_MS) {
      drawn = now
      const { path, tone } = sparkline(row.points)
      line.setAttribute('d', path)
      line.dataset.tone = tone
    }
    version = row.version
  }
}
