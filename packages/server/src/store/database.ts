/** An SQLite file of ours: what is written is on the disk when the call returns, and a file that is damaged or too new is refused in words. */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** What cannot be done with the file, and what the operator can do about it. */
export class StoreError extends Error {
  override name = 'StoreError'
}

export type Layout = {
  /** Counts up with each change of the tables. */
  version: number
  /** From the version that the file has, 0 for a new one; all of it happens or nothing. */
  upgrade: (db: DatabaseSync, from: number) => void
}

/**
 * `extra`: a journal that is deleted, and comes back after a power cut because its directory was not synced, would undo what was
 * committed. Without a change of its tables nothing is written, so that a full disk can be read.
 */
const SETTINGS = 'pragma busy_timeout = 5000; pragma synchronous = extra; pragma cell_size_check = on'

/** Opens the file, or makes it, readable by its owner only. Throws StoreError. */
export function openDatabase(path: string, layout: Layout): DatabaseSync {
  const db = inWords(path, () => {
    closeSync(openSync(path, 'a', 0o600))
    return new DatabaseSync(path)
  })
  try {
    inWords(path, () => {
      db.exec(SETTINGS)
      const found = versionOf(db)
      if (found > layout.version) throw new StoreError(newer(path, found, layout.version))
      examine(db, path)
      if (found < layout.version) atOnce(db, () => upgrade(db, layout))
    })
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

const versionOf = (db: DatabaseSync): number => (db.prepare('pragma user_version').get() as { user_version: number }).user_version

function upgrade(db: DatabaseSync, { version, upgrade: act }: Layout): void {
  const from = versionOf(db)
  // Another process may have been faster.
  if (from >= version) return
  act(db, from)
  db.exec(`pragma user_version = ${version}`)
}

function examine(db: DatabaseSync, path: string): void {
  const [first] = db.prepare('pragma integrity_check(1)').all() as { integrity_check: string }[]
  if (first?.integrity_check !== 'ok') throw damaged(path, first?.integrity_check ?? 'it cannot be checked')
}

/** All of it, or nothing. */
export function atOnce<T>(db: DatabaseSync, act: () => T): T {
  db.exec('begin immediate')
  try {
    const done = act()
    db.exec('commit')
    return done
  } catch (error) {
    // Where the disk is full SQLite may have taken it back already.
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

export const damaged = (path: string, what: string): StoreError =>
  new StoreError(`${path} is damaged (${what}): nothing of it is used; put a backup in its place`)

const newer = (path: string, found: number, known: number): string =>
  `${path} is of version ${found}, which a newer Tickwire wrote, and this one knows ${known}: update it, or put the copy from before in its place`

/** SQLite's primary result codes. */
const WORDS: Record<number, (path: string, message: string) => StoreError> = {
  // Our own statements are right: the tables are not what they were.
  1: damaged,
  5: (path) => new StoreError(`${path} is held by another process for more than 5 s: nothing was changed`),
  8: (path) => new StoreError(`${path} may not be written: nothing was changed`),
  10: (path, message) => new StoreError(`${path} cannot be read or written (${message}): nothing was changed`),
  11: damaged,
  13: (path) => new StoreError(`there is no room to write ${path}: nothing was changed`),
  26: damaged
}

/** Does it, and says in words what went wrong. */
export function inWords<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Error)) throw error
    const { errcode, code, message } = error as NodeJS.ErrnoException & { errcode?: number }
    const words = errcode === undefined ? undefined : WORDS[errcode & 0xff]
    if (words) throw words(path, message)
    if (code === undefined) throw error
    throw new StoreError(`${path} cannot be opened or used: ${message}`)
  }
}
