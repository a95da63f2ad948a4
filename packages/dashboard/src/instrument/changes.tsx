/** How the price has moved over the last minute to day, and whether more is traded than usual. */
import type { Change, Published } from '@tickwire/client'
import { useState } from 'react'
import { useTopics } from '../model/connection.ts'
import { percent } from '../model/format.ts'
import { touch, useBeat } from '../model/pulse.ts'

const WINDOWS = ['1m', '5m', '1h', '24h'] as const
const FLAT = 0.005

const toneOf = (n: number | undefined): string | undefined =>
  n === undefined || Math.abs(n) < FLAT ? undefined : n > 0 ? 'up' : 'down'

const moved = (name: string, value: number | undefined, title: string) => (
  <div key={name} className="flex gap-1" title={value === undefined ? `${title}: not yet watched for so long` : title}>
    <dt className="text-muted">{name}</dt>
    <dd data-tone={toneOf(value)}>{percent(value)}</dd>
  </div>
)

export function Changes({ id }: { id: string }) {
  const [held] = useState<{ told?: Published<Change> }>(() => ({}))
  useTopics([`change:${id}`], (event) => {
    if (event.type !== 'change') return
    held.told = event
    touch(`change:${id}`)
  })
  useBeat(`change:${id}`, 500)
  const { windows = {}, volume, gap } = held.told ?? {}
  return (
    <dl data-testid="changes" className="flex flex-wrap gap-x-3 text-[11.5px] whitespace-nowrap">
      {WINDOWS.map((window) => moved(window, windows[window], `Change over ${window}`))}
      {volume && (
        <div className="flex gap-1" title="Traded in the last whole minute, against the usual of the minutes before">
          <dt className="text-muted">vol</dt>
          <dd className={volume.ratio >= 3 ? 'text-amber' : ''}>{`×${volume.ratio.toFixed(1)}`}</dd>
        </div>
      )}
      {gap !== undefined && moved('open', gap, 'The open against the close before it')}
    </dl>
  )
}
