/** How far a long work is: a bar drawn over itself on a terminal, a line now and then elsewhere. It is told on stderr: stdout is for data. */
import { isScreen } from './terminal/colours.ts'
import { cut, plain } from './terminal/plain.ts'
import { span } from './terminal/span.ts'

export type Progress = {
  /** So much is done; `note` stands behind it. */
  set: (done: number, note?: string) => void
  /** Takes the bar away, so that other lines can be printed; the next `set` draws it again. */
  clear: () => void
  /** The last word: the bar goes, and `note`, where there is one, stays. */
  end: (note?: string) => void
}

/** What is written to: process.stderr, or another of its kind. */
export type Out = { write: (text: string) => unknown; isTTY?: boolean; columns?: number }

export type ProgressOptions = {
  /** What `set` counts to; absent where nobody knows: then there is no bar, but what is done and for how long. */
  total?: number
  label: string
  out?: Out
  /** How often a line is written where there is no terminal, milliseconds. */
  toldEvery?: number
  clock?: () => number
  env?: Readonly<Record<string, string | undefined>>
}

const DRAWN_EVERY = 100
const TOLD_EVERY = 5_000
const WIDEST_BAR = 30

export function createProgress(options: ProgressOptions): Progress {
  const { total, label, out = process.stderr, toldEvery = TOLD_EVERY, clock = Date.now, env = process.env } = options
  const drawn = isScreen(out, env)
  const began = clock()
  let last = drawn ? -Infinity : began
  let visible = false

  const clear = (): void => {
    if (visible) out.write('\r\x1b[2K')
    visible = false
  }
  return {
    clear,
    set(done, note = '') {
      const now = clock()
      if (now - last < (drawn ? DRAWN_EVERY : toldEvery)) return
      last = now
      const words = plain(sentence({ label, done, total, elapsed: now - began, note }))
      if (!drawn) {
        out.write(`${words}\n`)
        return
      }
      const width = (out.columns ?? 80) - 1
      const bar = total === undefined ? '' : barOf(done / total, Math.min(WIDEST_BAR, width - words.length - 1))
      clear()
      visible = true
      out.write(cut(`${bar}${words}`, width))
    },
    end(note) {
      clear()
      if (note !== undefined) out.write(`${plain(note)}\n`)
    }
  }
}

/** Nothing where there is no room for one that says anything. */
function barOf(share: number, width: number): string {
  if (width < 6) return ''
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} `
}

type Standing = { label: string; done: number; total: number | undefined; elapsed: number; note: string }

function sentence({ label, done, total, elapsed, note }: Standing): string {
  const share = total === undefined ? 0 : done / total
  const far = total === undefined ? done.toLocaleString('en-US') : `${Math.floor(Math.min(1, share) * 100)} %`
  const left = share > 0 && share < 1 && elapsed > 1_000 ? `, ${span((elapsed / share) * (1 - share))} left` : ''
  return `${label} ${far}, ${span(elapsed)}${left}${note === '' ? '' : `, ${note}`}`
}
