/** A row of the grid: its frame is React's, its texts are the painter's. */
import { X } from 'lucide-react'
import { memo, useEffect, useRef } from 'react'
import { rowOf } from '../model/connection.ts'
import { choose, useDesk } from '../model/desk.ts'
import { shortName } from '../model/format.ts'
import { unwatch } from '../model/load.ts'
import { CLOCK, listen } from '../model/pulse.ts'
import { createPainter } from './painter.ts'
import { HEIGHT, WIDTH } from './sparkline.ts'

type Props = { id: string; index: number; top: number; active: boolean; chosen: boolean }

export const SURE = 'Confidence from 0 to 100: how sure the arbiter is of this price, by measurement'

const CELLS = [
  { cell: 'change', wide: false },
  { cell: 'bid', wide: true },
  { cell: 'ask', wide: true },
  { cell: 'spread', wide: true }
]

export const GridRow = memo(function GridRow({ id, index, top, active, chosen }: Props) {
  const ref = useRef<HTMLDivElement>(null)
  const info = useDesk((desk) => desk.byId.get(id))

  useEffect(() => {
    const paint = createPainter(ref.current!)
    const now = (): void => paint(rowOf(id))
    now()
    const stops = [listen(`row:${id}`, now), listen(CLOCK, now)]
    return () => stops.forEach((stop) => stop())
  }, [id])

  const { name, suffix } = shortName(id)
  return (
    <div
      ref={ref}
      role="row"
      id={`row-${id}`}
      aria-rowindex={index + 2}
      aria-selected={chosen}
      data-active={active}
      className="row cells group"
      style={{ top }}
      onClick={() => choose(id)}
    >
      <span role="gridcell" data-cell="symbol" className="truncate" title={info?.name ? `${id}: ${info.name}` : id}>
        <span className="font-semibold text-bright">{name}</span>
        <span className="ml-1 text-[0.84em] text-muted">{suffix}</span>
        <button
          type="button"
          tabIndex={-1}
          aria-label={`Remove ${id} from the grid`}
          title="Remove from the grid"
          className="ml-1.5 hidden align-[-2px] text-muted hover:text-bright md:group-hover:inline"
          onClick={(event) => {
            event.stopPropagation()
            unwatch(id)
          }}
        >
          <X size={12} aria-hidden />
        </button>
      </span>
      <span role="gridcell" data-cell="last" data-end className="font-medium text-bright" />
      {CELLS.map(({ cell, wide }) => (
        <span key={cell} role="gridcell" data-cell={cell} data-end data-wide={wide || undefined} />
      ))}
      <span role="gridcell" data-cell="spark" aria-label="recent prices">
        <svg aria-hidden className="spark" width={WIDTH} height={HEIGHT}>
          <path />
        </svg>
      </span>
      <span role="gridcell" data-cell="provider" data-wide className="truncate text-muted" />
      <span role="gridcell" data-cell="age" data-end data-wide />
      <span role="gridcell" data-end data-wide className="flex items-center gap-1" title={SURE}>
        <span className="meter flex-none" aria-hidden>
          <i />
        </span>
        <span data-cell="sure" className="w-[2.1em] flex-none text-right" />
      </span>
      <span role="gridcell" data-cell="sub" className="text-muted" />
    </div>
  )
})
