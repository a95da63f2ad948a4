/** One writer per directory: a lock that names its process, and is taken over where that process is gone. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './storage.ts'

/** `started`: when its process was, by the kernel, so that another one with its number is not taken for it. */
export type Holder = { pid: number; started?: string; run: string; since: number }
export type Lock = { release: () => void }

const fileOf = (directory: string): string => join(directory, 'lock')

/** Throws where another process, or this one, writes there. */
export function takeLock(directory: string, run: string, now: number): Lock {
  makeFolder(directory)
  const path = fileOf(directory)
  const own = join(directory, `lock.${process.pid}.${run}`)
  const holder: Holder = { pid: process.pid, run, since: now }
  const started = startOf(process.pid)
  if (started !== undefined) holder.started = started
  // Written first and linked then: a lock is never seen half written.
  writeFileSync(own, JSON.stringify(holder))
  try {
    for (let tries = 0; tries < 10; tries++) {
      if (linked(own, path)) return { release: () => release(path, run) }
      const found = refuseHeld(directory)
      putAside(path, found, own)
    }
    throw new Error(`the lock of ${directory} could not be taken: ${path} is held by nobody, and cannot be removed`)
  } finally {
    rmSync(own, { force: true })
  }
}

/** Throws where somebody writes there who is alive; else answers who did. */
export function refuseHeld(directory: string): Holder | undefined {
  const found = holderOf(directory)
  if (found && isAlive(found)) throw new Error(refusal(directory, found))
  return found
}

const refusal = (directory: string, { pid, since }: Holder): string =>
  `${directory} is being written by process ${pid} since ${new Date(since).toISOString()}: one writer per directory. ` +
  'Stop it, or name another directory'

function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** What is moved away must be what was looked at: another one may have taken over meanwhile. */
function putAside(path: string, seen: Holder | undefined, own: string): void {
  const aside = `${own}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = read(aside)
  if (moved && JSON.stringify(moved) !== JSON.stringify(seen)) linked(aside, path)
  rmSync(aside, { force: true })
}

function release(path: string, run: string): void {
  if (read(path)?.run === run) rmSync(path, { force: true })
}

function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

export const holderOf = (directory: string): Holder | undefined => read(fileOf(directory))

/** The run that is being written there now. */
export function openRun(directory: string): string | undefined {
  const holder = holderOf(directory)
  return holder && isAlive(holder) ? holder.run : undefined
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Of another user: it is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startOf(pid)
  return started === undefined || now === undefined || now === started
}

/** Where the kernel tells: the boot, and the ticks since it. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A process that has ended and was not waited for holds nothing.
    return fields[0] === 'Z' ? `${boot}:ended` : `${boot}:${fields[19]}`
  } catch {
    return undefined
  }
}
