/**
 * What was lost at the end of a run, which no next segment says: a segment with nothing but a header, after all others. Its room is
 * taken at the start, since there is none when it is needed.
 */
import { join } from 'node:path'
import { LAST_SEGMENT, segmentName } from './names.ts'
import { packSegmentHeader, type SegmentHeader } from './segment.ts'
import { makeFolder, type Storage } from './storage.ts'

/** Longer than any of them, whatever was lost. */
const WIDTH = 512

export type LastWord = ReturnType<typeof createLastWord>

export function createLastWord(folder: string, about: Pick<SegmentHeader, 'run' | 'what' | 'created'>, storage: Storage) {
  const path = join(folder, segmentName(LAST_SEGMENT))
  let file: number | undefined
  let said: number | undefined

  const write = (handle: number, lost: SegmentHeader['lost']): void => {
    const header: SegmentHeader = { ...about, segment: LAST_SEGMENT }
    if (lost) header.lost = lost
    const bytes = packSegmentHeader(header, { width: WIDTH })
    if (storage.write(handle, bytes, 0) < bytes.length) throw new Error('it was not written whole')
  }

  /** Where there is no room even for it, what is lost to the last is told by nobody. */
  function reserve(): void {
    if (file !== undefined) return
    try {
      // Where nothing at all could be written its folder is not there yet.
      makeFolder(folder, storage)
      file = storage.create(path)
      write(file, undefined)
    } catch {
      remove()
    }
  }

  function remove(): void {
    if (file === undefined) return
    try {
      storage.close(file)
      storage.remove(path)
    } catch {
      // An empty one says nothing.
    }
    file = undefined
  }

  return {
    reserve,
    /** So much is lost by now, if anything. */
    say(lost: SegmentHeader['lost']): void {
      if (lost?.entries === said) return
      reserve()
      if (file === undefined) return
      try {
        write(file, lost)
        storage.sync(file)
        said = lost?.entries
      } catch {
        // It is tried again with the next one.
      }
    },
    end(): void {
      if (said === undefined) return remove()
      if (file !== undefined) storage.close(file)
      file = undefined
    }
  }
}
