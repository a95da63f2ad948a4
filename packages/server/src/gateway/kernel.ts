/** What the kernel holds of what was written to a socket and its peer has not taken: Linux says so, elsewhere nobody does. */
import { readFile, readlink } from 'node:fs/promises'
import type { Socket } from 'node:net'

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']

export type Kernel = {
  /** What the tables call a socket. */
  nameOf: (socket: Socket) => Promise<string | undefined>
  /** Bytes held, by those names; nothing where nobody knows. */
  held: () => Promise<ReadonlyMap<string, number> | undefined>
}

/** `  sl local_address rem_address st tx_queue:rx_queue tr tm->when retrnsmt uid timeout inode ...`, in hexadecimal. */
function readTable(table: string, into: Map<string, number>): void {
  for (const line of table.split('\n').slice(1)) {
    const [, , , , queues, , , , , inode] = line.trim().split(/\s+/)
    if (queues !== undefined && inode !== undefined) into.set(inode, Number.parseInt(queues, 16))
  }
}

export const kernel: Kernel = {
  async nameOf(socket) {
    const { fd } = (socket as unknown as { _handle?: { fd?: number } | null })._handle ?? {}
    if (fd === undefined || fd < 0) return undefined
    const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    return /^socket:\[(\d+)\]$/.exec(link)?.[1]
  },
  async held() {
    const held = new Map<string, number>()
    const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => undefined)))
    for (const table of tables) if (table !== undefined) readTable(table, held)
    return held.size > 0 ? held : undefined
  }
}
