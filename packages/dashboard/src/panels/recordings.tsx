/** Picks what is replayed: a run, a span of it, how fast, and what comes after. */
import type { RecordedRun, RecordedWhat, ReplayOrder } from '@tickwire/client'
import { useState } from 'react'
import { useDesk } from '../model/desk.ts'
import { count, fullTime, size } from '../model/format.ts'
import { usePolled } from '../model/poll.ts'
import { fetchRecorded, type Recorded } from '../model/recordings.ts'
import { SPEEDS, startReplay } from '../model/replay.ts'
import { duration, shareOf, speedText, timeIn } from '../model/span.ts'
import { Dialog } from './dialog.tsx'
import { Slider } from './slider.tsx'

const EVERY_MS = 3_000
const close = (): void => useDesk.setState({ picking: false })

/** All runs on one line of time; the list below says the same in words. */
function Timeline({ runs, picked, from, to }: { runs: RecordedRun[]; picked: RecordedRun; from: number; to: number }) {
  const first = Math.min(...runs.map((run) => run.from))
  const last = Math.max(...runs.map((run) => run.to))
  const bar = (a: number, b: number) => ({
    left: `${shareOf(a, first, last) * 100}%`,
    width: `max(3px, ${(shareOf(b, first, last) - shareOf(a, first, last)) * 100}%)`
  })
  return (
    <div aria-hidden className="relative h-5 overflow-hidden rounded border border-line bg-ground">
      {runs.map((run) => (
        <i
          key={run.run}
          className={`absolute inset-y-1 rounded-sm ${run === picked ? 'bg-past/40' : 'bg-edge'}`}
          style={bar(run.from, run.to)}
        />
      ))}
      <i className="absolute inset-y-0 rounded-sm border border-past" style={bar(from, to)} />
    </div>
  )
}

function hurt({ damaged, cut }: RecordedRun): string {
  const parts = [damaged > 0 && `${count(damaged)} damaged blocks left out`, cut > 0 && `${count(cut)} bytes of a torn end cut`]
  return parts.filter(Boolean).join(', ')
}

/** Damage is known once it was looked for. */
const UNCHECKED = 'Not all of it was compared with its checksums yet: what is damaged is left out when it is played.'

function Run({ run, picked, pick }: { run: RecordedRun; picked: boolean; pick: () => void }) {
  const wrong = hurt(run)
  const held = [run.events > 0 && `${count(run.events)} events`, run.frames > 0 && `${count(run.frames)} frames`].filter(Boolean)
  return (
    <li>
      <label className="flex cursor-pointer items-baseline gap-2 rounded px-2 py-1.5 hover:bg-raised has-checked:bg-raised">
        <input
          type="radio"
          name="run"
          className="accent-past"
          checked={picked}
          onChange={pick}
          disabled={run.reason !== undefined}
        />
        <span className="min-w-0 flex-1">
          <span className="text-bright">{`${fullTime(run.from)}, ${duration(run.to - run.from)}`}</span>
          {run.open && <span className="ml-2 text-up">recording now</span>}
          <span className="block text-[11.5px] text-muted">{`${held.join(', ') || 'empty'}, ${size(run.bytes)}B`}</span>
          {run.reason && <span className="block text-[11.5px] text-amber">{run.reason}</span>}
          {wrong && <span className="block text-[11.5px] text-amber">{wrong}</span>}
          {run.unchecked && !run.open && <span className="block text-[11.5px] text-muted">{UNCHECKED}</span>}
        </span>
      </label>
    </li>
  )
}

/** Nothing to pick: why, and how that changes. */
function Nothing({ status }: Pick<Recorded, 'status'>) {
  return (
    <div className="flex flex-col gap-2 px-4 py-5 text-muted" data-testid="nothing-recorded">
      <p className="text-bright">Nothing has been recorded yet.</p>
      {status.state === 'off' ? (
        <p>
          This server does not record. Start it with <code className="text-text">tickwire --record events</code>, or set{' '}
          <code className="text-text">journal.record</code> to <code className="text-text">events</code> in its configuration.
        </p>
      ) : (
        <p>
          {status.state === 'recording'
            ? 'It records: come back in a moment.'
            : `Recording is ${status.state}: ${status.reason}.`}
        </p>
      )}
    </div>
  )
}

type Wish = { from?: number; to?: number; what?: RecordedWhat; speed: number; loop: boolean; isLive: boolean }

/** As the server wants it: ends that were not moved are left out, so that a run that is still written goes on. */
function orderOf(run: RecordedRun, { from, to, what, speed, loop, isLive }: Wish): ReplayOrder {
  return {
    run: run.run,
    speed,
    loop,
    ...(from !== undefined && { from }),
    ...(to !== undefined && to < run.to && { to }),
    ...(what !== undefined && { what }),
    // oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol, and no function
    ...(isLive && !loop && { then: 'live' as const })
  }
}

function Ends({ run, wish, want }: { run: RecordedRun; wish: Wish; want: (part: Partial<Wish>) => void }) {
  const { from = run.from, to = run.to } = wish
  const least = Math.min(1_000, run.to - run.from)
  const ends = [
    ['From', from, (at: number) => want({ from: Math.min(at, to - least) })],
    ['To', to, (at: number) => want({ to: Math.max(at, from + least) })]
  ] as const
  return (
    <div className="flex flex-col gap-1">
      {ends.map(([name, at, set]) => (
        <div key={name} className="grid grid-cols-[3rem_1fr_auto] items-center gap-4">
          <span className="text-muted">{name}</span>
          <Slider label={name} from={run.from} to={run.to} at={at} text={fullTime(at)} onInput={set} />
          <span className="text-bright">{timeIn(at, run.from, run.to)}</span>
        </div>
      ))}
    </div>
  )
}

function Wishes({ run, wish, want }: { run: RecordedRun; wish: Wish; want: (part: Partial<Wish>) => void }) {
  const field = 'rounded border border-edge bg-ground px-2 py-1 text-bright'
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <label className="flex items-center gap-2">
        <span className="text-muted">Speed</span>
        <select className={field} value={wish.speed} onChange={(event) => want({ speed: Number(event.target.value) })}>
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {speedText(one)}
            </option>
          ))}
        </select>
      </label>
      {run.what.length > 1 && (
        <label className="flex items-center gap-2">
          <span className="text-muted">Of</span>
          <select
            className={field}
            value={wish.what ?? 'events'}
            onChange={(event) => want({ what: event.target.value === 'frames' ? 'frames' : 'events' })}
          >
            <option value="events">events, as published</option>
            <option value="frames">raw frames, decided anew</option>
          </select>
        </label>
      )}
      <label className="flex items-center gap-2">
        <input type="checkbox" className="accent-past" checked={wish.loop} onChange={() => want({ loop: !wish.loop })} />
        Again and again
      </label>
      <label className={`flex items-center gap-2 ${wish.loop ? 'text-muted' : ''}`}>
        <input
          type="checkbox"
          className="accent-past"
          disabled={wish.loop}
          checked={wish.isLive && !wish.loop}
          onChange={() => want({ isLive: !wish.isLive })}
        />
        Then live
      </label>
    </div>
  )
}

function Form({ runs, status }: Recorded) {
  const [name, pick] = useState<string>()
  const [wish, setWish] = useState<Wish>({ speed: 1, loop: false, isLive: false })
  const [trouble, setTrouble] = useState<string>()
  const [busy, setBusy] = useState(false)
  const run = runs.find((one) => one.run === name) ?? runs.find((one) => one.reason === undefined) ?? runs[0]
  if (!run) return <Nothing status={status} />
  const { from = run.from, to = run.to } = wish
  const want = (part: Partial<Wish>): void => setWish((before) => ({ ...before, ...part }))
  const start = async (): Promise<void> => {
    if (busy) return
    setBusy(true)
    setTrouble(await startReplay(orderOf(run, wish)))
    setBusy(false)
  }
  return (
    <form
      className="flex flex-col gap-3 px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault()
        void start()
      }}
    >
      <fieldset>
        <legend className="sr-only">Recording</legend>
        <ul className="max-h-[26vh] overflow-y-auto" tabIndex={-1}>
          {runs.map((one) => (
            <Run
              key={one.run}
              run={one}
              picked={one === run}
              pick={() => {
                pick(one.run)
                setWish(({ speed, loop, isLive }) => ({ speed, loop, isLive }))
              }}
            />
          ))}
        </ul>
      </fieldset>
      <Timeline runs={runs} picked={run} from={from} to={to} />
      <Ends run={run} wish={wish} want={want} />
      <Wishes run={run} wish={wish} want={want} />
      <p role="alert" className="text-down empty:hidden">
        {trouble}
      </p>
      <p className="flex items-center justify-end gap-2">
        <span className="mr-auto text-[11.5px] text-muted">{`${duration(to - from)} of recorded time`}</span>
        <button type="button" className="chip border border-edge px-3! py-1!" onClick={close}>
          Close
        </button>
        <button type="submit" className="chip border border-past px-3! py-1! text-bright!" aria-disabled={busy}>
          Replay it
        </button>
      </p>
    </form>
  )
}

export function Recordings() {
  const { value, trouble } = usePolled(fetchRecorded, EVERY_MS)
  return (
    <Dialog label="Replay a recording" onClose={close}>
      <div className="max-h-[75vh] overflow-y-auto">
        <h2 className="caption border-b border-line px-4 py-3">Replay a recording</h2>
        {value ? (
          <Form {...value} />
        ) : (
          <p className="px-4 py-5 text-muted" role={trouble ? 'alert' : undefined}>
            {trouble ?? <span className="waiting">Loading what was recorded</span>}
          </p>
        )}
        {value && trouble && <p className="px-4 pb-3 text-[11.5px] text-amber">{`Not renewed: ${trouble}`}</p>}
      </div>
    </Dialog>
  )
}
