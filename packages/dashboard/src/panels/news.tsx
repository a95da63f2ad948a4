/** The news, newest first: what was told, by whom, how long ago, and which instruments it is about. */
import type { News as Story, Published } from '@tickwire/client'
import { memo } from 'react'
import { serverNow } from '../model/clock.ts'
import { choose, useDesk } from '../model/desk.ts'
import { fullTime, since } from '../model/format.ts'
import { keyOf, linkOf, wires } from '../model/news.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'

const CHIPS = 6

function Headline({ story }: { story: Published<Story> }) {
  const link = linkOf(story.url)
  if (link === undefined) return <span className="font-medium text-bright">{story.headline}</span>
  return (
    <a href={link} target="_blank" rel="noopener noreferrer" className="font-medium text-bright hover:underline">
      {story.headline}
    </a>
  )
}

function About({ ids }: { ids: readonly string[] }) {
  const listed = useDesk((desk) => desk.byId)
  return (
    <>
      {ids.slice(0, CHIPS).map((id) =>
        listed.has(id) ? (
          <button
            key={id}
            type="button"
            className="rounded border border-edge px-1 text-[10.5px] text-text hover:bg-raised hover:text-bright"
            onClick={() => choose(id)}
          >
            {id}
          </button>
        ) : (
          <span key={id} className="rounded border border-line px-1 text-[10.5px] text-muted">
            {id}
          </span>
        )
      )}
      {ids.length > CHIPS && <span title={ids.slice(CHIPS).join(', ')}>{`and ${ids.length - CHIPS} more`}</span>}
    </>
  )
}

const Line = memo(function Line({ story, told, simulated }: { story: Published<Story>; told: string; simulated: boolean }) {
  const { time, undated, source, provider, summary, instruments } = story
  return (
    <li className="border-b border-line/60 px-3 py-1.5 text-[12.5px]" title={summary}>
      <Headline story={story} />
      <p className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-[11.5px] text-muted">
        <time
          dateTime={new Date(time).toISOString()}
          title={undated ? 'Its source gives no time: when it was read' : fullTime(time)}
        >
          {told}
        </time>
        <span title={`by ${provider}`}>{source ?? provider}</span>
        {simulated && <span className="rounded border border-amber/40 px-1 text-[10px] text-amber">simulated</span>}
        <About ids={instruments} />
      </p>
    </li>
  )
})

/** Why there is nothing to read: nobody carries news, or who does has sent none. */
function Empty() {
  const abouts = useDesk((desk) => desk.abouts)
  const statuses = useDesk((desk) => desk.providers)
  const trouble = useDesk((desk) => desk.newsTrouble)
  const carriers = wires(abouts)
  if (trouble !== undefined) return <p className="note">{trouble}</p>
  if (carriers.length === 0) return <p className="note">None of the providers in use carries news.</p>
  const how = carriers.map((one) => `${one.title ?? one.provider} (${(statuses[one.provider] ?? one).phase})`).join(', ')
  return <p className="note">{`No story has come yet. News would come from ${how}.`}</p>
}

export function News() {
  useBeat(CLOCK, 5_000)
  const stories = useDesk((desk) => desk.stories)
  const simulated = useDesk((desk) => desk.mode === 'demo')
  if (stories.length === 0) return <Empty />
  const now = serverNow()
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="News">
      <ol data-testid="news" aria-label="Headlines, newest first">
        {stories.map((story) => (
          <Line key={keyOf(story)} story={story} told={since(now - story.time)} simulated={simulated} />
        ))}
      </ol>
    </div>
  )
}
