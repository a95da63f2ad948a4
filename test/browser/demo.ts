/** The demo as a process of its own, its page as it is built, and a browser: for tests and for measuring. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dashboard = join(root, 'packages/dashboard')

const newest = (directory: string): number =>
  Math.max(
    ...readdirSync(directory, { withFileTypes: true }).map((entry) => {
      const path = join(directory, entry.name)
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs
    })
  )

/** Builds the page where what is built is older than its sources. */
export function ensurePage(): void {
  const built = join(dashboard, 'dist/index.html')
  if (existsSync(built) && statSync(built).mtimeMs >= newest(join(dashboard, 'src'))) return
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const { status, stderr } = spawnSync(process.execPath, [vite, 'build'], { cwd: dashboard, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the page could not be built: ${stderr}`)
}

export type Demo = {
  url: string
  port: number
  /** A fault of the street, as a person with curl would cause it. */
  fault: (provider: string, name: string) => Promise<void>
  kill: () => Promise<void>
}

/** Starts the demo, or what the flags say, as a process of its own and waits until it has told its addresses. Port 0 is a free one. */
export async function startDemo(port = 0, flags: readonly string[] = ['--demo']): Promise<Demo> {
  const cli = join(root, 'packages/tickwire/src/cli.ts')
  const child = spawn(process.execPath, [cli, ...flags, '--port', String(port)], {
    // An empty directory, so that nobody's configuration file takes part.
    cwd: mkdtempSync(join(tmpdir(), 'tickwire-browser-')),
    env: { ...process.env, TICKWIRE_STREET__CONTROL: '0' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const { url, control } = await announced(child)
  const fault = async (provider: string, name: string): Promise<void> => {
    const answer = await fetch(`${control}/street/${provider}/${name}`, { method: 'POST' })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  return { url, port: Number(new URL(url).port), fault, kill }
}

async function announced(child: ChildProcess): Promise<{ url: string; control: string }> {
  let errors = ''
  let url = ''
  child.stderr!.on('data', (text: Buffer) => (errors += text.toString()))
  for await (const line of createInterface({ input: child.stdout! })) {
    url = /^\s*Tickwire\s+(http\S+)/.exec(line)?.[1] ?? url
    const control = /'(http\S+)\/street\//.exec(line)?.[1]
    if (control === undefined) continue
    child.stdout!.resume() // the log goes on: an unread pipe would stop the server
    return { url, control }
  }
  throw new Error(`the demo ended before it listened: ${errors}`)
}

const EXECUTABLES = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const QUIET = ['quic', 'gpu', 'background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`)

export async function openBrowser(): Promise<Browser> {
  const executablePath = EXECUTABLES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) throw new Error('no browser: install chromium, or name one in CHROMIUM_PATH')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--no-first-run', ...QUIET] })
}
