/** The grid of instruments: only the rows in sight exist, and each paints itself. */
import { Search } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { rowOf } from '../model/connection.ts'
import { useDesk } from '../model/desk.ts'
import { matches, order } from '../model/sort.ts'
import { BreadthButton, Sectors, useBreadth } from './breadth.tsx'
import { GridHead } from './head.tsx'
import { GridRow } from './row.tsx'

const OVERSCAN = 4
const RESORT_MS = 2_000
const NARROW = 620
/** The header row, which stays at the top. */
const HEAD = 28

/** The ids in the order of the grid. A sort by a live value is renewed every two seconds: rows that jump cannot be read. */
export function useOrder(): string[] {
  const watched = useDesk((desk) => desk.watched)
  const sort = useDesk((desk) => desk.sort)
  const filter = useDesk((desk) => desk.filter)
  const byId = useDesk((desk) => desk.byId)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (!sort || sort.column === 'symbol') return undefined
    const timer = setInterval(() => setTurn((n) => n + 1), RESORT_MS)
    return () => clearInterval(timer)
  }, [sort])
  return useMemo(() => {
    void turn
    const ids = filter === '' ? watched : watched.filter((id) => matches(filter, id, byId.get(id)?.name))
    return order(ids.map(rowOf), sort)
  }, [watched, sort, filter, byId, turn])
}

/** Where the list stood, and which row it was moved for: so it stands where it stood when the page begins anew, as after a seek. */
const stood = { box: { height: 800, width: 800, top: 0 }, followed: '' }

/** Size and scroll position of the list, and the height its rows have at that width. */
function useWindow() {
  const ref = useRef<HTMLDivElement>(null)
  const [box, setBox] = useState(stood.box)
  useLayoutEffect(() => {
    const element = ref.current!
    element.scrollTop = stood.box.top
    const read = (): void =>
      setBox((stood.box = { height: element.clientHeight, width: element.clientWidth, top: element.scrollTop }))
    const observer = new ResizeObserver(read)
    observer.observe(element)
    element.addEventListener('scroll', read, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', read)
    }
  }, [])
  const narrow = box.width < NARROW
  return { ref, top: box.top, height: box.height - (narrow ? 0 : HEAD), rowHeight: narrow ? 56 : 28 }
}

/** Where it does not push the rows out of sight the sectors are open from the start. */
const ROOMY = '(min-width: 1320px)'

/** The head of the grid, and how its instruments move together. */
function Head({ shown }: { shown: number }) {
  const told = useBreadth()
  const [open, setOpen] = useState(() => matchMedia(ROOMY).matches)
  return (
    <>
      <Filter shown={shown} breadth={<BreadthButton told={told} open={open} toggle={() => setOpen(!open)} />} />
      {open && told.size > 0 && <Sectors told={told} />}
    </>
  )
}

function Filter({ shown, breadth }: { shown: number; breadth: ReactNode }) {
  const filter = useDesk((desk) => desk.filter)
  const all = useDesk((desk) => desk.watched.length)
  return (
    <div className="panel-head">
      <h2 className="caption">Markets</h2>
      <label className="flex flex-1 items-center gap-2 text-muted">
        <Search size={13} aria-hidden />
        <span className="sr-only">Filter the grid</span>
        <input
          className="w-full min-w-0 bg-transparent py-1 text-text outline-none placeholder:text-muted"
          placeholder="Filter"
          value={filter}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => useDesk.setState({ filter: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            useDesk.setState({ filter: '' })
            event.currentTarget.blur()
          }}
        />
      </label>
      {breadth}
      <span className="text-[11px] whitespace-nowrap text-muted">
        {shown === all ? `${all} instruments` : `${shown} of ${all}`}
      </span>
    </div>
  )
}

function Empty() {
  const trouble = useDesk((desk) => desk.trouble)
  const loaded = useDesk((desk) => desk.instruments !== undefined)
  const filter = useDesk((desk) => desk.filter)
  if (trouble) return <p className="note" role="alert">{`The list of instruments could not be loaded. ${trouble}`}</p>
  if (!loaded) return <p className="note waiting">Loading instruments</p>
  if (filter) return <p className="note">{`Nothing here matches “${filter}”. Press / to search all instruments.`}</p>
  return <p className="note">No provider has listed an instrument yet. They appear here as soon as one does.</p>
}

export function Grid({ ids }: { ids: string[] }) {
  const { ref, height, top, rowHeight } = useWindow()
  const active = useDesk((desk) => desk.active)
  const chosen = useDesk((desk) => desk.chosen)
  const at = active === undefined ? -1 : ids.indexOf(active)

  useEffect(() => {
    const element = ref.current
    const followed = `${active} ${at} ${rowHeight} ${height}`
    if (!element || at < 0 || stood.followed === followed) return
    stood.followed = followed
    const from = at * rowHeight
    if (from < element.scrollTop) element.scrollTop = from
    else if (from + rowHeight > element.scrollTop + height) element.scrollTop = from + rowHeight - height
  }, [active, at, rowHeight, height, ref])

  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN)
  const last = Math.min(ids.length, Math.ceil((top + height) / rowHeight) + OVERSCAN)
  return (
    <section aria-label="Markets" className="panel market h-full">
      <Head shown={ids.length} />
      <div
        ref={ref}
        role="grid"
        aria-label="Instruments"
        aria-rowcount={ids.length + 1}
        aria-activedescendant={at >= first && at < last ? `row-${active}` : undefined}
        tabIndex={0}
        className="scroll"
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-panel">
          <GridHead />
        </div>
        <div role="rowgroup" className="relative" style={{ height: ids.length * rowHeight }}>
          {ids.slice(first, last).map((id, i) => (
            <GridRow
              key={id}
              id={id}
              index={first + i}
              top={(first + i) * rowHeight}
              active={id === active}
              chosen={id === chosen}
            />
          ))}
        </div>
      </div>
      {ids.length === 0 && <Empty />}
    </section>
  )
}
