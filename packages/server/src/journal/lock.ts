/** One writer per directory, and per file: a lock that names its process, and is taken over where that process is gone. */
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeFolder } from './storage.ts'

/** `started`: when its process was, by the kernel, so that another one with its number is not taken for it. */
export type Holder = { pid: number; started?: string; run: string; since: number }
export type Lock = { release: () => void }

/** Somebody who is alive writes there. */
export class Held extends Error {}

/** What is locked, and by which file. */
type Place = { what: 'directory' | 'file'; name: string; path: string }

const fileOf = (directory: string): string => join(directory, 'lock')
const directoryAt = (directory: string): Place => ({ what: 'directory', name: directory, path: fileOf(directory) })

/** Beside the file, whatever links lead to it. What is none, as a device or a pipe, takes many writers. */
function fileAt(file: string): Place | undefined {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) return undefined
    return { what: 'file', name: file, path: `${realpathSync(file)}.lock` }
  } catch {
    return { what: 'file', name: file, path: join(dirname(file), `${basename(file)}.lock`) }
  }
}

/** Throws where another process, or this one, writes there. */
export function takeLock(directory: string, run: string, now: number): Lock {
  makeFolder(directory)
  return take(directoryAt(directory), run, now)
}

/** As that of a directory; where none can be made nothing is locked, and whoever writes there is told that by the file itself. */
export function takeFileLock(file: string, run: string, now: number): Lock {
  const place = fileAt(file)
  if (!place) return { release: () => {} }
  try {
    makeFolder(dirname(file))
    return take(place, run, now)
  } catch (error) {
    if (error instanceof Held) throw error
    return { release: () => {} }
  }
}

function take(place: Place, run: string, now: number): Lock {
  const { path } = place
  const own = `${path}.${process.pid}.${run}`
  const holder: Holder = { pid: process.pid, run, since: now }
  const started = startOf(process.pid)
  if (started !== undefined) holder.started = started
  // Written first and linked then: a lock is never seen half written.
  writeFileSync(own, JSON.stringify(holder))
  try {
    for (let tries = 0; tries < 10; tries++) {
      if (linked(own, path)) return { release: () => release(path, run) }
      const found = refuse(place)
      putAside(path, found, own)
    }
    throw new Error(`the lock of ${place.name} could not be taken: ${path} is held by nobody, and cannot be removed`)
  } finally {
    rmSync(own, { force: true })
  }
}

/** Throw where somebody writes there who is alive. */
export const refuseHeld = (directory: string): void => void refuse(directoryAt(directory))
export function refuseHeldFile(file: string): void {
  const place = fileAt(file)
  if (place) refuse(place)
}

function refuse({ what, name, path }: Place): Holder | undefined {
  const found = read(path)
  if (!found || !isAlive(found)) return found
  const { pid, since } = found
  throw new Held(
    `${name} is being written by process ${pid} since ${new Date(since).toISOString()}: one writer per ${what}. ` +
      `Stop it, or name another ${what}`
  )
}

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
