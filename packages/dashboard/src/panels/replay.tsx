/** The band over the page while it shows a replay: where it is, how it is steered, and the way back to what is live. */
import { History, Pause, Play, Radio, Repeat, StepBack, StepForward, X } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { ReplayState } from '@tickwire/client'
import { serverNow } from '../model/clock.ts'
import { useDesk } from '../model/desk.ts'
import { clockTime, fullTime } from '../model/format.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'
import { forgetLive, leaveReplay, SPEEDS, startAgain, steer, useReplay } from '../model/replay.ts'
import { speedText, timeIn } from '../model/span.ts'
import { Slider } from './slider.tsx'

/** What it does now, in words. */
function phaseText({ phase, speed, reason }: ReplayState): string {
  if (phase === 'playing') return speed === 0 ? 'playing as fast as it goes' : `playing at ${speedText(speed)}`
  if (phase === 'paused') return 'paused'
  if (phase === 'seeking') return 'going to this time'
  if (phase === 'ended') return 'at its end'
  return phase === 'failed' ? `failed: ${reason ?? 'no reason was told'}` : 'live'
}

type ButtonProps = { label: string; title: string; pressed?: boolean; disabled?: boolean; act: () => void; children: ReactNode }

function Button({ label, title, pressed, disabled = false, act, children }: ButtonProps) {
  return (
    <button
      type="button"
      className="band-button"
      aria-label={label}
      aria-pressed={pressed}
      aria-disabled={disabled}
      title={title}
      onClick={() => !disabled && act()}
    >
      {children}
    </button>
  )
}

function Speeds({ speed, disabled }: { speed: number; disabled: boolean }) {
  const offered: number[] = SPEEDS.some((one) => one === speed) ? [...SPEEDS] : [speed, ...SPEEDS]
  return (
    <label title="Speed ([ and ])">
      <span className="sr-only">Speed</span>
      <select
        className="band-button bg-pastground"
        disabled={disabled}
        value={speed}
        onChange={(event) => void steer({ speed: Number(event.target.value) })}
      >
        {offered.map((one) => (
          <option key={one} value={one}>
            {speedText(one)}
          </option>
        ))}
      </select>
    </label>
  )
}

function Controls({ state, disabled }: { state: ReplayState; disabled: boolean }) {
  const { phase, speed, loop } = state
  const plays = phase === 'playing'
  const Icon = plays ? Pause : Play
  return (
    <div role="group" aria-label="Steer the replay" className="flex items-center gap-1 max-md:order-2">
      <Button label="Step back" title="A step back (,)" disabled={disabled} act={() => void steer({ step: -1 })}>
        <StepBack size={14} aria-hidden />
      </Button>
      <Button
        label={plays ? 'Pause' : 'Play'}
        title="Play or pause (p)"
        disabled={disabled}
        act={() => void steer({ paused: plays })}
      >
        <Icon size={14} aria-hidden />
      </Button>
      <Button label="Step" title="A step on (.)" disabled={disabled} act={() => void steer({ step: 1 })}>
        <StepForward size={14} aria-hidden />
      </Button>
      <Speeds speed={speed} disabled={disabled} />
      <Button label="Loop" title="Again and again (l)" pressed={loop} disabled={disabled} act={() => void steer({ loop: !loop })}>
        <Repeat size={14} aria-hidden />
      </Button>
    </div>
  )
}

/** Where one drags to stands until the replay is there. */
function Place({ state, disabled }: { state: ReplayState; disabled: boolean }) {
  const { phase, from, to } = state
  const [wanted, want] = useState<number>()
  useEffect(() => {
    if (phase !== 'seeking') want(undefined)
  }, [phase])
  const at = wanted ?? Math.max(from, Math.min(to, serverNow()))
  const seek = (there: number): void => {
    want(there)
    void steer({ seek: there }).then(() => useReplay.getState().state?.phase !== 'seeking' && want(undefined))
  }
  return (
    <div className="flex min-w-0 flex-1 items-center gap-4 max-md:order-4 max-md:basis-full">
      <span className="flex-none text-[11px]">{timeIn(from, from, to)}</span>
      <Slider
        label="Place in the recording"
        from={from}
        to={to}
        at={at}
        text={fullTime(at)}
        disabled={disabled}
        onInput={want}
        onCommit={seek}
      />
      <span className="flex-none text-[11px]">{timeIn(to, from, to)}</span>
    </div>
  )
}

function Spoken({ state, over }: { state: ReplayState; over: string | undefined }) {
  const { phase, speed, loop } = state
  const [text, setText] = useState('')
  // Where it is grows with every beat; what is read aloud changes with what it does.
  useEffect(
    () => setText(over ?? `Replay of recorded prices, ${phaseText(state)}${loop ? ', again and again' : ''}.`),
    [phase, speed, loop, over]
  )
  return (
    <p role="status" className="sr-only">
      {text}
    </p>
  )
}

function Band({ state }: { state: ReplayState }) {
  useBeat(CLOCK, 200)
  const trouble = useReplay((shown) => shown.trouble)
  const over = useReplay((shown) => shown.over)
  const mode = useDesk((desk) => desk.mode)
  const isOver = over !== undefined
  const now = serverNow()
  return (
    <section
      aria-label="Replay"
      data-testid="replay"
      data-phase={isOver ? 'over' : state.phase}
      className="band bg-pastground text-bright"
    >
      <p className="flex items-baseline gap-2 whitespace-nowrap">
        <History size={15} aria-hidden className="self-center text-past" />
        <strong className="tracking-wider text-past">REPLAY</strong>
        <span data-testid="replay-time" data-at={Math.round(now)} className="text-[15px] font-semibold" title={fullTime(now)}>
          {clockTime(now)}
        </span>
        <span className="text-[12px] max-md:hidden">{new Date(now).toLocaleDateString('en-GB', { dateStyle: 'medium' })}</span>
      </p>
      <p
        data-testid="replay-words"
        className={`min-w-0 text-[12px] max-md:order-3 max-md:flex-1 ${isOver || trouble ? 'max-md:basis-full md:w-80' : 'md:w-52'}`}
        role={isOver || trouble ? 'alert' : undefined}
      >
        {over ??
          trouble ??
          `${phaseText(state)}${state.then === 'live' ? ', then live' : ''}${mode === 'demo' ? '; simulated prices' : ''}`}
      </p>
      {!isOver && <Controls state={state} disabled={state.phase === 'failed'} />}
      {!isOver && <Place state={state} disabled={state.phase === 'failed'} />}
      {isOver && (
        <button type="button" className="band-button max-md:order-4" onClick={() => void startAgain()}>
          Start it again
        </button>
      )}
      {/* A server that plays a recording alone has nothing live. */}
      {mode !== 'replay' && (
        <button
          type="button"
          className="band-button ml-auto bg-past! font-semibold text-ground! max-md:order-1"
          onClick={leaveReplay}
        >
          Back to live
        </button>
      )}
      <Spoken state={state} over={over} />
    </section>
  )
}

export function ReplayBar() {
  const state = useReplay((shown) => shown.state)
  const replay = useDesk((desk) => desk.replay)
  return state && replay !== undefined ? <Band state={state} /> : null
}

/** Past the seam, until it was read. */
export function LiveAgain() {
  const live = useReplay((shown) => shown.live)
  return (
    <div role="status">
      {live && (
        <p data-testid="live-again" className="band flex-nowrap! border-up/50! bg-[#0d3b2e] text-bright">
          <Radio size={15} aria-hidden className="flex-none text-up" />
          <span className="min-w-0">
            <strong className="text-up">Live again</strong>
            {` since ${clockTime(live.seam)}: the replay from ${timeIn(live.from, live.from, live.to)} on came to its end. What you see is now.`}
          </span>
          <button type="button" className="band-button ml-auto" aria-label="Close the notice" onClick={forgetLive}>
            <X size={14} aria-hidden />
          </button>
        </p>
      )}
    </div>
  )
}
