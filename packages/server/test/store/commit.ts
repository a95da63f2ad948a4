/** What SQLite asks of the file system to commit, in its order (https://sqlite.org/atomiccommit.html), done on a disk that may lose its power. */
import { dirname } from 'node:path'
import type { PowerDisk } from '../power.ts'

const PAGE = 4_096
const SECTOR = 512
const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')

const pageOf = (bytes: Buffer, number: number): Buffer => bytes.subarray((number - 1) * PAGE, number * PAGE)
const pagesOf = (bytes: Buffer): number[] => Array.from({ length: bytes.length / PAGE }, (_, i) => i + 1)

/** https://sqlite.org/fileformat.html#the_rollback_journal: the pages as they were, each with its number and a checksum. */
function recordOf(page: Buffer, number: number, nonce: number): Buffer {
  let sum = nonce
  for (let i = PAGE - 200; i > 0; i -= 200) sum = (sum + (page[i] ?? 0)) >>> 0
  const record = Buffer.alloc(PAGE + 8)
  record.writeUInt32BE(number)
  page.copy(record, 4)
  record.writeUInt32BE(sum, PAGE + 4)
  return record
}

/** From the bytes of the file before to those after, with `synchronous = full`; `extra` syncs the folder once more. */
export function commit(disk: PowerDisk, path: string, file: number, [before, after]: readonly [Buffer, Buffer], extra: boolean) {
  const changed = pagesOf(after).filter((number) => !pageOf(after, number).equals(pageOf(before, number)))
  const saved = changed.filter((number) => number * PAGE <= before.length)
  const nonce = changed.length * 0x01020304
  const head = Buffer.alloc(SECTOR)
  head.writeUInt32BE(nonce, 12)
  head.writeUInt32BE(before.length / PAGE, 16)
  head.writeUInt32BE(SECTOR, 20)
  head.writeUInt32BE(PAGE, 24)
  const counted = Buffer.alloc(12)
  MAGIC.copy(counted)
  counted.writeUInt32BE(saved.length, 8)

  const journal = disk.create(`${path}-journal`)
  disk.write(journal, head, 0)
  for (const [i, number] of saved.entries())
    disk.write(journal, recordOf(pageOf(before, number), number, nonce), SECTOR + i * (PAGE + 8))
  disk.sync(journal)
  disk.syncFolder(dirname(path))
  disk.write(journal, counted, 0)
  disk.sync(journal)
  for (const number of changed) disk.write(file, pageOf(after, number), (number - 1) * PAGE)
  disk.sync(file)
  disk.remove(`${path}-journal`)
  if (extra) disk.syncFolder(dirname(path))
}
