/** Programs run as a reader would run them, with what they say and how they end. */
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until as awaited } from './stand.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
/** What each of them compiles is compiled once: that is most of what a program costs that says three lines. */
const COMPILED = { NODE_COMPILE_CACHE: join(tmpdir(), 'tickwire-examples') }

/** Each begins a program, which on a busy machine takes its time. */
export const until = (condition: () => boolean, what = String(condition)) => awaited(condition, what, 60_000)

/** Its input stays open. */
export function startProgram(args: string[], env: Record<string, string> = {}, command = process.execPath) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...COMPILED, ...env } })
  const said = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said.err += data.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    said,
    ended,
    says: (what: RegExp | string) =>
      until(
        () => (typeof what === 'string' ? said.out.includes(what) : what.test(said.out)),
        `${String(what)} in ${JSON.stringify(said)}`
      ),
    type: (text: string) => child.stdin.write(text),
    eof: () => child.stdin.end(),
    interrupt: () => child.kill('SIGINT'),
    kill: () => child.kill('SIGKILL'),
    end: async () => ({ code: await ended, ...said, lines: said.out.trim().split('\n') })
  }
}
