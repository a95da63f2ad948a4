/** How the watched instruments move together: how many rise, how many fall, all of them and by sector. */
import type { Breadth, Published } from '@tickwire/client'
import { useState } from 'react'
import { useTopics } from '../model/connection.ts'
import { percent } from '../model/format.ts'
import { usePolled } from '../model/poll.ts'
import { touch, useBeat } from '../model/pulse.ts'
import { fetchGroups } from '../model/rest.ts'

const ALL = 'all'
const GROUPS_EVERY_MS = 30_000

type Told = ReadonlyMap<string, Published<Breadth>>

/** What is told of each group; one of which nothing is watched is never told of. */
export function useBreadth(): Told {
  const [held] = useState(() => new Map<string, Published<Breadth>>())
  const { value: groups = [ALL] } = usePolled(fetchGroups, GROUPS_EVERY_MS)
  useTopics(
    groups.map((name) => `breadth:${name}`),
    (event) => {
      if (event.type !== 'breadth') return
      held.set(event.instrument, event)
      touch('breadth')
    }
  )
  useBeat('breadth', 500)
  return held
}

const sectorsOf = (told: Told): Published<Breadth>[] => [...told.values()].filter(({ instrument }) => instrument !== ALL)

const words = ({ window, advancing, declining, unchanged, mean, median }: Breadth): string =>
  `Over ${window}: ${advancing} rise, ${declining} fall, ${unchanged} stand; median ${percent(median)}, mean ${percent(mean)}`

function Bar({ of: { advancing, declining, unchanged }, width }: { of: Breadth; width: string }) {
  const all = advancing + declining + unchanged
  return (
    <i aria-hidden className={`flex h-1 overflow-hidden rounded-full bg-edge ${width}`}>
      <i className="bg-up" style={{ width: `${(advancing / all) * 100}%` }} />
      <i className="ml-auto bg-down" style={{ width: `${(declining / all) * 100}%` }} />
    </i>
  )
}

function Counts({ of: told, width }: { of: Breadth; width: string }) {
  return (
    <>
      <span className="text-up">{`▲${told.advancing}`}</span>
      <Bar of={told} width={width} />
      <span className="text-down">{`▼${told.declining}`}</span>
    </>
  )
}

/** All together; opens and closes the sectors. */
export function BreadthButton({ told, open, toggle }: { told: Told; open: boolean; toggle: () => void }) {
  const all = told.get(ALL)
  if (!all) return null
  return (
    <button
      type="button"
      data-testid="breadth"
      className="chip flex flex-none items-center gap-2 px-1! whitespace-nowrap"
      aria-expanded={open}
      aria-controls="sectors"
      title={`Breadth by sector. ${words(all)}`}
      onClick={toggle}
    >
      <Counts of={all} width="w-14 max-sm:hidden" />
      <span>{all.window}</span>
    </button>
  )
}

export function Sectors({ told }: { told: Told }) {
  const sectors = sectorsOf(told)
  return (
    <ul
      id="sectors"
      aria-label="Breadth by sector"
      className="flex max-h-24 flex-none flex-wrap gap-x-5 gap-y-1 overflow-y-auto border-b border-line px-3 py-1.5 text-[11px] whitespace-nowrap text-muted"
    >
      {sectors.length === 0 && <li>Nothing of a sector is watched for long enough.</li>}
      {sectors.map((one) => (
        <li key={one.instrument} data-sector={one.instrument} className="flex items-center gap-1.5" title={words(one)}>
          <span className="text-text">{one.instrument}</span>
          <Counts of={one} width="w-8" />
          <span>{percent(one.median)}</span>
        </li>
      ))}
    </ul>
  )
}
