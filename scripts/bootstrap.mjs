// Makes a checkout ready on a machine with only an older Node and npm: installs what is missing, and finds the Node that
// the project brings. Runs on any Node from 18 on, before anything is installed, so it imports nothing but Node itself.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const stamp = join(root, 'node_modules', '.tickwire-installed')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** The environment in which every tool of the project runs: its own Node first. */
export const environment = () => ({
  ...process.env,
  PATH: `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`
})

const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

export function install() {
  const digest = lockDigest()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  console.log('Installing dependencies (once; about a minute) …')
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) stop('npm ci failed: see the lines above. Is the npm registry reachable?')
  const version = spawnSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).stdout ?? ''
  if (!(Number.parseInt(version.slice(1), 10) >= 24))
    stop(
      'The Node that the project brings was not installed: npm was told to ignore install scripts. Run: npm ci --ignore-scripts=false'
    )
  writeFileSync(stamp, digest)
}

/** Runs a command with the project's Node; resolves to its exit code. Signals go on to the child. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: environment(), ...options })
    const forward = (signal) => child.kill(signal)
    process.on('SIGINT', forward).on('SIGTERM', forward)
    child.on('error', (error) => stop(`${command}: ${error.message}`))
    child.on('close', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve(code ?? 1)
    })
  })
}

export function stop(message) {
  console.error(message)
  process.exit(1)
}
