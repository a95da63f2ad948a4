/**
 * A disk that loses its power: what was not synced may be there, in part, or not; a name is there for sure once its folder was synced.
 * Harsher than most: sectors are kept in any order, a synced file has no name by that, and what a failed sync was to save is gone.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createRandom } from '../src/replay/random.ts'

const SECTOR = 512

export class PowerCut extends Error {}

/** `sure`: what is on the disk; `now`: what a running process sees. */
type Inode = { now: Buffer; sure: Buffer; isFolder: boolean }
export type PowerDisk = ReturnType<typeof createPowerDisk>

/** Power is cut before the operation of this number; `fault` may make one fail instead. */
export function createPowerDisk(seed: number, cutAt: number, fault: (kind: 'write' | 'sync') => boolean = () => false) {
  const random = createRandom(`disk ${seed}`)
  const names = new Map<string, Inode>([['/', { now: Buffer.alloc(0), sure: Buffer.alloc(0), isFolder: true }]])
  const sureNames = new Map(names)
  const open = new Map<number, Inode>()
  let operations = 0
  let handles = 0

  const step = () => {
    if (operations++ >= cutAt) throw new PowerCut()
  }
  const at = (handle: number): Inode => {
    const inode = open.get(handle)
    if (!inode) throw new Error('no such handle')
    return inode
  }
  const failed = (code: string): Error => Object.assign(new Error(code), { code })
  const put = (inode: Inode, bytes: Uint8Array, from: number) => {
    const grown = Buffer.alloc(Math.max(inode.now.length, from + bytes.length))
    inode.now.copy(grown)
    grown.set(bytes, from)
    inode.now = grown
  }
  const made = (path: string, isFolder: boolean): Inode => {
    const inode = { now: Buffer.alloc(0), sure: Buffer.alloc(0), isFolder }
    names.set(path, inode)
    return inode
  }

  return {
    isCut: () => operations > cutAt,
    mkdir(path: string): string | undefined {
      step()
      let first: string | undefined
      for (let each = path; !names.has(each); each = dirname(each)) {
        made(each, true)
        first = each
      }
      return first
    },
    create(path: string): number {
      step()
      if (names.has(path)) throw failed('EEXIST')
      open.set(++handles, made(path, false))
      return handles
    },
    write(handle: number, chunk: Uint8Array, from: number): number {
      step()
      if (fault('write')) {
        put(at(handle), chunk.subarray(0, Math.floor(random() * chunk.length)), from)
        throw failed('ENOSPC')
      }
      put(at(handle), chunk, from)
      return chunk.length
    },
    cut(handle: number, length: number): void {
      step()
      at(handle).now = at(handle).now.subarray(0, length)
    },
    sync(handle: number): void {
      step()
      const inode = at(handle)
      if (fault('sync')) {
        // The pages count as written from now on, and are not.
        inode.now = kept(inode, random)
        inode.sure = inode.now
        throw failed('EIO')
      }
      inode.sure = inode.now
    },
    close: (handle: number): void => void open.delete(handle),
    remove(path: string): void {
      step()
      names.delete(path)
    },
    syncFolder(path: string): void {
      step()
      for (const all of [names, sureNames])
        for (const each of all.keys()) {
          if (dirname(each) !== path || each === path) continue
          const inode = names.get(each)
          if (inode) sureNames.set(each, inode)
          else sureNames.delete(each)
        }
    },
    room: (): number => 1 << 30,

    /** What is found when power comes back: files with their bytes, folders without. */
    found(): Image {
      const image: Image = new Map()
      const there = new Set(['/'])
      for (const path of [...new Set([...sureNames.keys(), ...names.keys()])].sort((a, b) => a.length - b.length)) {
        const [was, is] = [sureNames.get(path), names.get(path)]
        const inode = was === is || random() < 0.5 ? was : is
        if (path === '/' || !inode || !there.has(dirname(path))) continue
        there.add(path)
        image.set(path, inode.isFolder ? undefined : kept(inode, random))
      }
      return image
    }
  }
}

/** A folder of the memory where there is one: what power is cut from here is simulated, and a real sync would only cost. */
export const scratch = (name: string): string => mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), name))

export type Image = Map<string, Buffer | undefined>

/** What is read of a disk is asked once for each that differs. */
export function onceFor<T>(folder: string, read: (root: string) => Promise<T>): (image: Image) => Promise<T> {
  const known = new Map<string, Promise<T>>()
  return (image) => {
    const key = createHash('sha256')
    for (const [path, bytes] of image) key.update(`${path}\n${bytes?.length}\n`).update(bytes ?? '')
    const name = key.digest('base64')
    const had = known.get(name)
    if (had) return had
    const root = join(folder, String(known.size))
    mkdirSync(root)
    for (const [path, bytes] of image) {
      if (bytes) writeFileSync(join(root, path), bytes)
      else mkdirSync(join(root, path))
    }
    const told = read(root).finally(() => rmSync(root, { recursive: true }))
    known.set(name, told)
    return told
  }
}

/** Of what differs some sectors are kept, and of what was appended perhaps less. */
function kept({ now, sure }: Inode, random: () => number): Buffer {
  if (now === sure) return sure
  const [less, more] = [Math.min(now.length, sure.length), Math.max(now.length, sure.length)]
  const length = [now.length, sure.length, less + Math.floor(random() * (more - less + 1))][Math.floor(random() * 3)] ?? less
  const share = [0, 1, 0.5][Math.floor(random() * 3)] ?? 0
  const found = Buffer.alloc(length)
  for (let at = 0; at < length; at += SECTOR)
    found.set((random() < share ? now : sure).subarray(at, Math.min(at + SECTOR, length)), at)
  return found
}
