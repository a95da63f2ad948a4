/** How the watched instruments move together: how many rise, how many fall. */
import type { Breadth as BreadthEvent, Published } from '@tickwire/client'
import { useState } from 'react'
import { useTopics } from '../model/connection.ts'
import { percent } from '../model/format.ts'
import { touch, useBeat } from '../model/pulse.ts'

export function Breadth() {
  const [held] = useState<{ told?: Published<BreadthEvent> }>(() => ({}))
  useTopics(['breadth:all'], (event) => {
    if (event.type !== 'breadth') return
    held.told = event
    touch('breadth')
  })
  useBeat('breadth', 500)
  if (!held.told) return null
  const { advancing, declining, unchanged, window, median } = held.told
  const all = advancing + declining + unchanged
  return (
    <p
      data-testid="breadth"
      className="flex flex-none items-center gap-2 text-[11px] whitespace-nowrap text-muted"
      title={`Over ${window}: ${advancing} rise, ${declining} fall, ${unchanged} stand; their median is ${percent(median)}`}
    >
      <span className="text-up">{`▲${advancing}`}</span>
      <i aria-hidden className="flex h-1 w-14 overflow-hidden rounded-full bg-edge max-sm:hidden">
        <i className="bg-up" style={{ width: `${(advancing / all) * 100}%` }} />
        <i className="ml-auto bg-down" style={{ width: `${(declining / all) * 100}%` }} />
      </i>
      <span className="text-down">{`▼${declining}`}</span>
      <span>{window}</span>
    </p>
  )
}
