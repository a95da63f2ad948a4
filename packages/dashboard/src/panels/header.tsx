/** The head of the page: its name, whether it is connected and why not, and how much flows. */
import { History, Keyboard, Search } from 'lucide-react'
import { plainReason } from '../model/events.ts'
import { isReplay, useDesk, type Comeback } from '../model/desk.ts'
import { age, count } from '../model/format.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'
import type { ConnectionState } from '@tickwire/client'

const COMEBACK_MS = 30_000

type Light = { color: string; label: string; detail?: string; busy?: true }

/** The connection in words. */
function lightOf(state: ConnectionState | undefined, comeback: Comeback | undefined, now: number): Light {
  if (!state || (state.phase === 'connecting' && state.attempt === 0))
    return { color: 'bg-amber', label: 'Connecting', busy: true }
  if (state.phase === 'connecting') return { color: 'bg-amber', label: `Reconnecting, attempt ${state.attempt}`, busy: true }
  if (state.phase === 'closed') return { color: 'bg-down', label: 'Disconnected', detail: state.reason }
  if (state.phase === 'waiting') {
    const wait = Math.max(0, Math.ceil(((state.retryAt ?? now) - now) / 1_000))
    return {
      color: 'bg-down',
      label: `Reconnecting in ${wait} s, attempt ${state.attempt}`,
      detail: plainReason(state),
      busy: true
    }
  }
  const back = comeback && now - comeback.at < COMEBACK_MS ? comeback : undefined
  if (!back) return { color: 'bg-up', label: isReplay() ? 'Connected to the replay' : 'Connected' }
  const ago = age(Math.round((now - back.at) / 1_000) * 1_000 + 0.1)
  const [head, ...rest] = back.text.split(': ')
  return { color: 'bg-up', label: 'Connected', detail: `${head} ${ago.replace('.0', '')} ago: ${rest.join(': ')}` }
}

function Connection() {
  useBeat(CLOCK, 250)
  const state = useDesk((desk) => desk.connection)
  const comeback = useDesk((desk) => desk.comeback)
  const { color, label, detail, busy } = lightOf(state, comeback, Date.now())
  return (
    <p
      data-testid="connection"
      data-phase={state?.phase}
      className="flex min-w-0 items-baseline gap-2 text-[12px]"
      title={state?.reason}
    >
      <span aria-hidden className={`size-2 flex-none self-center rounded-full ${color} ${busy ? 'pulse' : ''}`} />
      <span className="whitespace-nowrap text-bright">{label}</span>
      {detail && <span className="truncate text-muted max-md:hidden">{detail}</span>}
    </p>
  )
}

/** The same in a live region, told only when the phase changes: a countdown read aloud every second is noise. */
function Spoken() {
  const state = useDesk((desk) => desk.connection)
  const comeback = useDesk((desk) => desk.comeback)
  const text =
    state?.phase === 'open' ? `Connected. ${comeback?.text ?? ''}` : state?.phase === 'waiting' ? plainReason(state) : ''
  return (
    <p role="status" className="sr-only">
      {text}
    </p>
  )
}

function Flow() {
  const rate = useDesk((desk) => desk.rate)
  const total = useDesk((desk) => desk.total)
  return (
    <p
      className="whitespace-nowrap text-[12px] text-muted max-sm:hidden"
      title="Messages this page received in the last second, and since it was opened"
    >
      <span className="inline-block min-w-[3.5ch] text-right font-medium text-text">{count(rate)}</span> msg/s
      <span className="ml-3 inline-block min-w-[6ch] text-right max-lg:hidden">{count(total)} in all</span>
    </p>
  )
}

export function Header() {
  return (
    <header className="flex h-11 flex-none items-center gap-4 border-b border-line bg-panel px-3">
      <h1 className="flex items-center gap-2 text-[14px] font-semibold tracking-tight text-bright">
        <img src="./favicon.svg" alt="" width={20} height={20} />
        Tickwire
      </h1>
      <div className="min-w-0 flex-1">
        <Connection />
        <Spoken />
      </div>
      <Flow />
      <button
        type="button"
        className="flex items-center gap-2 rounded-md border border-edge px-2 py-1 text-[12px] text-muted hover:text-bright"
        aria-label="Replay a recording"
        title="Replay a recording (r)"
        onClick={() => useDesk.setState({ picking: true })}
      >
        <History size={13} aria-hidden />
        <span className="max-md:hidden">Replay</span>
      </button>
      <button
        type="button"
        className="flex items-center gap-2 rounded-md border border-edge px-2 py-1 text-[12px] text-muted hover:text-bright"
        aria-label="Find an instrument"
        onClick={() => useDesk.setState({ palette: true })}
      >
        <Search size={13} aria-hidden />
        <span className="max-md:hidden">Find</span>
        <kbd className="key max-md:hidden">/</kbd>
      </button>
      <button
        type="button"
        className="text-muted hover:text-bright max-md:hidden"
        aria-label="Show the keys"
        title="Keys (?)"
        onClick={() => useDesk.setState({ keys: true })}
      >
        <Keyboard size={16} aria-hidden />
      </button>
    </header>
  )
}
