/** What happened, newest first: failovers, gaps, losses, comebacks. */
import { choose, useDesk } from '../model/desk.ts'
import { clockTime, fullTime } from '../model/format.ts'
import type { Notice, Tone } from '../model/notices.ts'

export const TONES: Record<Tone, string> = { info: 'text-muted', good: 'text-up', warn: 'text-amber', bad: 'text-down' }

export const NoticeText = ({ notice }: { notice: Notice }) => (
  <>
    {notice.text}
    {notice.more !== undefined && <span className="text-muted">{` and ${notice.more} more like it`}</span>}
  </>
)

function Line({ notice }: { notice: Notice }) {
  return (
    <li className="grid grid-cols-[auto_72px_1fr] items-baseline gap-x-3 border-b border-line/60 px-3 py-1 text-[12px]">
      <time className="text-muted" title={fullTime(notice.at)} dateTime={new Date(notice.at).toISOString()}>
        {clockTime(notice.at)}
      </time>
      <span className={TONES[notice.tone]}>{notice.kind}</span>
      <span className="min-w-0 break-words">
        {notice.instrument && (
          <button
            type="button"
            className="mr-1.5 font-medium text-bright hover:underline"
            onClick={() => choose(notice.instrument!)}
          >
            {notice.instrument}
          </button>
        )}
        <NoticeText notice={notice} />
      </span>
    </li>
  )
}

export function Log() {
  const notices = useDesk((desk) => desk.notices)
  if (notices.length === 0)
    return <p className="note">Nothing has happened since this page was opened. Failovers, gaps and losses will stand here.</p>
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Log">
      <ol data-testid="log">
        {notices.map((notice, i) => (
          <Line key={`${notice.at} ${notices.length - i}`} notice={notice} />
        ))}
      </ol>
    </div>
  )
}
