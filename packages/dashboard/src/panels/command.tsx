/** A command to the server as a button: nothing is asked back, and what came of it is said beside it and in the log. */
import { RefreshCw } from 'lucide-react'
import { useEffect, useState } from 'react'
import { serverNow } from '../model/clock.ts'
import { say } from '../model/desk.ts'
import { latency } from '../model/format.ts'
import { sentence, type Tone } from '../model/notices.ts'
import type { Answer, Outcome } from '../model/rest.ts'
import { TONES } from './log.tsx'

/** How long the outcome stands beside the button; the log keeps it. */
const SHOWN_MS = 12_000

type Told = { tone: Tone; text: string }
export type Command = { busy: boolean; told: Told | undefined; give: () => void }

const WORDS = { healed: ['good', 'healed'], failed: ['bad', 'failed'], timeout: ['warn', 'no outcome'] } as const

function outcomeOf(answer: Answer<Outcome>): Told {
  if (!answer.ok) return { tone: 'bad', text: `refused: ${answer.message}` }
  const { outcome, message, after } = answer.value
  const [tone, word] = WORDS[outcome]
  return { tone, text: `${word}${outcome === 'healed' ? ` after ${latency(after)}` : ''}: ${message}` }
}

/** `what` is how the log calls it, as in `resync at <provider>`. */
export function useCommand(what: string, ask: () => Promise<Answer<Outcome>>, instrument?: string): Command {
  const [busy, setBusy] = useState(false)
  const [told, setTold] = useState<Told>()
  useEffect(() => {
    if (!told) return undefined
    const timer = setTimeout(() => setTold(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [told])
  const give = async (): Promise<void> => {
    if (busy) return
    setBusy(true)
    setTold(undefined)
    const { tone, text } = outcomeOf(await ask())
    setBusy(false)
    setTold({ tone, text: sentence(text) })
    const about = instrument === undefined ? {} : { instrument }
    say({ at: serverNow(), kind: 'command', tone, ...about, text: sentence(`${what}: ${text}`) })
  }
  return { busy, told, give: () => void give() }
}

/** Stays in place and in focus while it works. */
export function CommandButton({ name, label, title, command }: { name: string; label: string; title: string; command: Command }) {
  return (
    <button
      type="button"
      className="inline-flex flex-none items-center gap-1 rounded border border-edge px-1.5 text-[10.5px] leading-4 max-md:py-1 text-text hover:text-bright aria-disabled:text-muted"
      aria-label={label}
      aria-disabled={command.busy}
      title={title}
      onClick={command.give}
    >
      <RefreshCw size={9} aria-hidden className={command.busy ? 'animate-spin' : ''} />
      {name}
    </button>
  )
}

/** There also while nothing is told, so that a screen reader hears what comes. */
export const Told = ({ told }: { told: Told | undefined }) => (
  <span role="status" className={told ? TONES[told.tone] : ''} title={told?.text}>
    {told?.text}
  </span>
)
