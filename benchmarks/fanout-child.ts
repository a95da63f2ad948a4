/** Children of the fan-out benchmark: pinned to a core where taskset is, asked and answering by lines. */
import { execFileSync, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

export function isThere(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const hasTaskset = availableParallelism() > 1 && isThere('taskset', '-V')
export const onCore = (core: number, command: string, args: string[]): [string, string[]] =>
  hasTaskset ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]

export type Child = ReturnType<typeof startChild>

/** A child that answers each line it is told with one line of JSON. */
export function startChild([command, args]: [string, string[]]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command} ${args.slice(0, 4).join(' ').slice(0, 120)} ended before it answered`)
    return JSON.parse(value) as T
  }
  const ask = <T>(line: string): Promise<T> => {
    child.stdin.write(`${line}\n`)
    return next<T>()
  }
  /** Gently: it ends by itself, and ends what it has started. */
  const stop = async (gently: boolean) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (gently) child.stdin.end()
    else child.kill('SIGKILL')
    await gone
  }
  return { next, ask, stop }
}
