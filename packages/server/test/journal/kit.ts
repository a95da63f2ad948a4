/** A journal in a directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Entry, JournalReader, Query, TradeColumns } from '../../src/journal/journal.ts'
import { openReader } from '../../src/journal/reader.ts'
import { openWriter, type WriterOptions } from '../../src/journal/writer.ts'
import { T0 } from './kit.entries.ts'

export * from './kit.entries.ts'

export const frames = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i): Entry => {
    const at = { time: T0 + i, provider: 'acme', connection: 1 }
    return [
      { type: 'opened' as const, ...at, url: 'wss://acme.example/stream' },
      { type: 'frame' as const, ...at, frame: `{"n":${i},"é":"€"}` },
      { type: 'frame' as const, ...at, frame: Uint8Array.from([i % 256, 0, 255]) },
      { type: 'sent' as const, ...at, frame: 'ping' },
      { type: 'want' as const, time: at.time, topic: 'trade:S1-USDT' },
      {
        type: 'answer' as const,
        time: at.time,
        provider: 'acme',
        path: '/book?symbol=S1',
        status: 200,
        headers: { etag: String(i) },
        body: Uint8Array.from([1, 2, i % 256])
      },
      { type: 'closed' as const, ...at, reason: 'closed 1006' },
      { type: 'release' as const, time: at.time, topic: 'trade:S1-USDT' }
    ][i % 8]!
  })

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-journal-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Writes it all, and closes it. */
export async function written(all: readonly Entry[], options: Partial<WriterOptions> = {}) {
  const directory = options.directory ?? newDirectory()
  const writer = openWriter({ directory, what: ['events', 'frames'], epoch: 'e', ...options })
  for (const entry of all) writer.append(entry)
  await writer.stop()
  return { directory, run: writer.run, writer }
}

export async function readAll(reader: JournalReader, query: Query): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const batch of reader.read(query)) all.push(...batch)
  return all
}

export async function tradesOf(directory: string, instrument: string, from = 0, to = Infinity): Promise<TradeColumns[]> {
  return Array.fromAsync(openReader({ directory }).trades(instrument, from, to))
}
