/** Why this provider leads, in one sentence and with what the decision was made of; and what is known to be missing. */
import type { Arbitration } from '@tickwire/client'
import { clockTime } from '../model/format.ts'
import { gapsOf, gapStory } from '../model/gaps.ts'
import { sentence } from '../model/notices.ts'
import { useBeat } from '../model/pulse.ts'
import { newestDecision, type Row } from '../model/row.ts'
import { Inputs } from './score.tsx'

const SHOWN = 3

function Holes({ id }: { id: string }) {
  useBeat(`gaps:${id}`, 500)
  const newest = gapsOf(id).toSorted((a, b) => b.from - a.from)
  if (newest.length === 0) return <p className="text-muted">No gap is known.</p>
  return (
    <>
      {newest.slice(0, SHOWN).map((gap) => (
        <p key={gap.id} className={gap.state === 'open' ? 'text-amber' : 'text-muted'} data-gap={gap.state}>
          <span className="caption mr-2">Gap</span>
          {clockTime(gap.from)} {gapStory(gap)}
        </p>
      ))}
      {newest.length > SHOWN && <p className="text-muted">{`and ${newest.length - SHOWN} earlier ones`}</p>}
    </>
  )
}

export function Why({ row, decision }: { row: Row; decision: Arbitration | undefined }) {
  const status = newestDecision(row)
  const leader = decision?.sources.find(({ role }) => role === 'leader')
  const at = decision?.since ?? status?.published
  const text = decision?.sentence ?? status?.reason
  return (
    <div data-testid="why" className="space-y-1.5 border-t border-line px-3 py-2 text-[12px]">
      <p>
        <span className="caption mr-2">Why</span>
        {at !== undefined && <span className="mr-1.5 text-muted">{clockTime(at)}</span>}
        {text === undefined ? 'The arbiter has not decided yet.' : sentence(text)}
        {decision !== undefined && decision.switches > 1 && (
          <span className="text-amber">{` ${decision.switches} changes of leader in the last minute.`}</span>
        )}
      </p>
      {leader && <Inputs inputs={leader.inputs} />}
      <Holes id={row.id} />
    </div>
  )
}
