/** A terminal that is drawn over: another screen while it lasts, and all as it was at the end, however that comes. */
import { isScreen } from '../terminal/colours.ts'

export type Screen = {
  /** Draws what differs from before; leaves it out where the terminal has not taken the last one yet. */
  draw: (lines: readonly string[]) => void
  /** Puts everything back, and leaves these lines behind. */
  leave: (lines?: readonly string[]) => void
  size: () => { width: number; height: number }
}

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l'
/** Terminals that know it show the frame in one piece; the others ignore it. */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l']

type Tty = NodeJS.WriteStream

export function openScreen(out: Tty): Screen {
  let last = ''
  let isIn = false
  const enter = (): void => {
    isIn = true
    last = ''
    out.write(ENTER)
  }
  const leave = (lines: readonly string[] = []): void => {
    if (isIn) out.write(`${LEAVE}${lines.map((line) => `${line}\n`).join('')}`)
    isIn = false
  }
  // The shell that has the terminal meanwhile must find it as it was.
  const suspend = (): void => {
    leave()
    process.kill(process.pid, 'SIGSTOP')
  }
  process
    .on('exit', () => leave())
    // Before its words are printed, which would vanish with the screen.
    .on('uncaughtExceptionMonitor', () => leave())
    .on('SIGTSTP', suspend)
    .on('SIGCONT', enter)
  out.on('resize', () => (last = ''))
  enter()
  return {
    draw(lines) {
      const text = lines.slice(0, out.rows).join('\x1b[K\r\n')
      if (!isIn || text === last || out.writableNeedDrain) return
      last = text
      out.write(`${BEGIN}\x1b[H${text}\x1b[K\x1b[J${END}`)
    },
    leave,
    size: () => ({ width: Math.max(1, out.columns), height: Math.max(1, out.rows) })
  }
}

export const canDraw = (out: Tty): boolean => isScreen(out, process.env)
