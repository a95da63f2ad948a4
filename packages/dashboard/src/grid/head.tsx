/** The grid's header row: each column sorts. */
import { ChevronDown, ChevronUp } from 'lucide-react'
import { sortBy, useDesk } from '../model/desk.ts'
import { SORTS, type Column } from '../model/sort.ts'

const COLUMNS: { column?: Column; title?: string; end?: boolean; hint: string }[] = [
  { column: 'symbol', hint: 'Instrument' },
  { column: 'last', end: true, hint: 'Last traded price' },
  { column: 'change', end: true, hint: 'Change against 24 hours ago (equities: the session)' },
  { column: 'bid', end: true, hint: 'Best price a buyer offers' },
  { column: 'ask', end: true, hint: 'Best price a seller asks' },
  { column: 'spread', end: true, hint: 'Ask less bid; sorts by its share of the price' },
  { title: 'Trend', hint: 'Prices of the last two minutes' },
  { column: 'provider', hint: 'The provider that leads for this instrument' },
  { column: 'age', end: true, hint: 'Since the server last heard of it' },
  { column: 'confidence', end: true, hint: 'How sure the arbiter is of this price, 0 to 100' }
]

export function GridHead() {
  const sort = useDesk((desk) => desk.sort)
  return (
    <div role="row" aria-rowindex={1} className="head cells h-7 border-b border-line">
      {COLUMNS.map(({ column, title, end, hint }) => {
        const sorted = column !== undefined && sort?.column === column ? (sort.down ? 'descending' : 'ascending') : undefined
        return (
          <span key={column ?? title} role="columnheader" aria-sort={sorted} data-end={end} className="caption" title={hint}>
            {column === undefined ? (
              title
            ) : (
              <button
                type="button"
                className="caption inline-flex items-center gap-0.5 hover:text-bright"
                onClick={() => sortBy(column)}
              >
                {SORTS[column].title}
                {sorted === 'descending' && <ChevronDown size={11} aria-hidden />}
                {sorted === 'ascending' && <ChevronUp size={11} aria-hidden />}
              </button>
            )}
          </span>
        )
      })}
    </div>
  )
}
