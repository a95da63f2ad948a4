/** The live table as lines of a terminal of a given size. Pure: the same board at the same time is the same lines. */
import type { Colour, Paint } from '../terminal/colours.ts'
import { cut, plain, widthOf } from '../terminal/plain.ts'
import { span } from '../terminal/span.ts'
import { ageOf, rateOf, staleness, type Board, type Row } from './board.ts'
import { fieldsOf, type Field, type StreamType } from './fields.ts'
import { shown } from './lines.ts'

export type View = { now: number; width: number; height: number; paint: Paint; type: StreamType; staleAfter: number }

type Cell = { text: string; colour?: Colour | undefined }
type Column = { title: string; isText: boolean; rank: number; cells: Cell[] }

const FLASH = 500
const DAY = 86_400_000
const SHOWN_NOTES = 3
const TITLES: Readonly<Record<string, string>> = {
  changePercent: 'change %',
  bidSize: 'size',
  askSize: 'size',
  provider: 'source',
  confidence: 'conf.'
}

export function drawTable(board: Board, view: View): string[] {
  const { width, height, paint } = view
  // Prices come first, where there is little room.
  const notes = lastOf(board.notes, Math.min(SHOWN_NOTES, height - 4 - board.rows.length))
  // Header, status, and where there is room an empty line and the notes.
  const room = Math.max(1, height - 2 - notes.length - (height > 5 ? 1 : 0))
  const fits = board.rows.length <= room
  const rows = board.rows.slice(0, fits ? room : room - 1)
  const table = drawRows(fitting(columnsOf(board, rows, view), width), rows, view)
  const hidden = board.rows.length - rows.length
  return [
    ...table,
    ...(fits ? [] : [paint('dim', cut(`and ${hidden} more: the terminal is too low`, width))]),
    ...(height > 5 ? [''] : []),
    ...notes.map((note) => paint('yellow', cut(note, width))),
    statusLine(board, view)
  ]
}

const lastOf = (notes: readonly string[], count: number): readonly string[] => (count > 0 ? notes.slice(-count) : [])

function columnsOf(board: Board, rows: readonly Row[], view: View): Column[] {
  const { type, now, staleAfter } = view
  const marks = rows.map((row) => staleness(board, row, now, staleAfter))
  const fields = fieldsOf(type).filter(({ rank }) => rank !== undefined)
  const columns = fields.map((field) => columnOf(field, rows, marks, now))
  const age: Column = {
    title: 'age',
    isText: false,
    rank: 0,
    cells: rows.map(({ event }, at) => ({
      // Also where there are no colours, and no room for words.
      text: event === undefined ? '' : `${ageText(ageOf(board, event, now))}${marks[at] === undefined ? '' : '!'}`,
      colour: marks[at] === undefined ? undefined : 'yellow'
    }))
  }
  const mark: Column = {
    title: '',
    isText: true,
    rank: 1,
    cells: rows.map(({ event }, at) => ({ text: event === undefined ? '' : remark(event, marks[at]), colour: 'yellow' }))
  }
  const beforeSource = columns.findIndex(({ title }) => title === 'source')
  return [...columns.slice(0, beforeSource), age, mark, ...columns.slice(beforeSource)]
}

const remark = (event: NonNullable<Row['event']>, mark: string | undefined): string =>
  [mark, event.quarantined === undefined ? undefined : 'quarantined', event.delayed === undefined ? undefined : 'delayed']
    .filter((word) => word !== undefined)
    .join(', ')

function columnOf(field: Field, rows: readonly Row[], marks: readonly (string | undefined)[], now: number): Column {
  const { name, isText = false, rank = 0 } = field
  const cells = rows.map((row, at): Cell => {
    if (name === 'instrument') return { text: plain(row.event?.instrument ?? nameOf(row.topic)), colour: 'bold' }
    if (row.event === undefined) return { text: '' }
    const text = name === 'confidence' ? (row.event.confidence?.toFixed(2) ?? '') : shown(field.of(row.event))
    return { text, colour: marks[at] === undefined ? colourOf(name, text, row, now) : 'dim' }
  })
  return { title: TITLES[name] ?? name, isText, rank, cells }
}

function colourOf(name: string, text: string, { moved }: Row, now: number): Colour | undefined {
  if (name === 'changePercent') return text.startsWith('-') ? 'red' : 'green'
  if (text === 'buy' || text === 'sell') return text === 'buy' ? 'green' : 'red'
  if (!['price', 'last', 'close', 'bid', 'ask'].includes(name) || moved === undefined) return undefined
  const isFresh = now - moved.at < FLASH
  return moved.isUp ? (isFresh ? 'up' : 'green') : isFresh ? 'down' : 'red'
}

/** `trade:NSE:SBIN-EQ@x` is shown as `NSE:SBIN-EQ@x` until something came. */
const nameOf = (topic: string): string => topic.slice(topic.indexOf(':') + 1)

const GAP = 2
const widthIn = ({ title, cells }: Column): number => Math.max(widthOf(title), ...cells.map(({ text }) => widthOf(text)))

/** Leaves out what matters least until the rest fits; at last everything is cut. */
function fitting(columns: readonly Column[], width: number): Column[] {
  const kept = columns.filter(({ title, cells }) => title !== '' || cells.some(({ text }) => text !== ''))
  const taken = (): number => kept.reduce((sum, column) => sum + widthIn(column) + GAP, -GAP)
  while (taken() > width) {
    const worst = kept.reduce((most, { rank }) => Math.max(most, rank), 0)
    if (worst === 0) break
    kept.splice(
      kept.findLastIndex(({ rank }) => rank === worst),
      1
    )
  }
  return kept
}

function drawRows(columns: readonly Column[], rows: readonly Row[], { width, paint }: View): string[] {
  const widths = columns.map(widthIn)
  const line = (cellOf: (column: Column) => Cell): string => {
    let left = width
    let text = ''
    for (const [at, column] of columns.entries()) {
      if (left <= 0) break
      const cell = cellOf(column)
      const fit = cut(cell.text, Math.min(left, widths[at] ?? 0))
      const space = ' '.repeat(Math.min(left, widths[at] ?? 0) - widthOf(fit))
      const painted = paint(cell.colour, fit)
      const isLast = at === columns.length - 1
      text += column.isText ? `${painted}${isLast ? '' : space}` : `${space}${painted}`
      left -= (widths[at] ?? 0) + GAP
      if (!isLast && left > 0) text += ' '.repeat(GAP)
    }
    return text
  }
  const header = line(({ title }) => ({ text: title, colour: 'dim' }))
  return [
    header,
    ...rows.map((row, at) =>
      row.event ? line(({ cells }) => cells[at] ?? { text: '' }) : wordsOf(row, widths[0] ?? 0, width, paint)
    )
  ]
}

function wordsOf({ topic, words }: Row, first: number, width: number, paint: Paint): string {
  const name = cut(plain(nameOf(topic)), width)
  return name + paint('dim', cut(`${' '.repeat(Math.max(0, first - widthOf(name)) + GAP)}${plain(words)}`, width - widthOf(name)))
}

function statusLine(board: Board, { width, paint, now }: View): string {
  const { isOpen, words, mode, url, counts } = board
  const real = mode === '' || mode === 'live' ? mode : `${mode.toUpperCase()}: not real prices`
  const told = [
    `${isOpen ? '●' : '○'} ${words}`,
    real,
    plain(url),
    `${rateOf(board, now).toFixed(rateOf(board, now) < 10 ? 1 : 0)}/s`,
    ...Object.entries({ gaps: counts.gaps, lost: counts.lost, failovers: counts.failovers })
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`),
    'Ctrl-C ends'
  ].filter((part) => part !== '')
  return paint(isOpen ? 'cyan' : 'red', cut(told.join('  '), width))
}

/** 0.4 s, 12 s, 3:07, 5:04:00, 3 d. */
export function ageText(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  return ms >= 2 * DAY ? `${Math.floor(ms / DAY)} d` : span(ms)
}
