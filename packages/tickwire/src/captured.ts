/** A recorded session of the captures as a journal of one run, so that it is replayed as any other. */
import { DATA_KINDS, topicName, type RecordedRun } from '@tickwire/protocol'
import type { Entry, JournalReader } from '@tickwire/server/journal/journal.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { readRecording } from '@tickwire/street/recording.ts'
import { instrumentOf, RECORDINGS } from '@tickwire/street/venues.ts'

/** The listing comes first, and the connection once something is asked of it. */
const LISTED = 200
const OPENED = 500

function entriesOf(provider: string, captures: string): Entry[] {
  const plan = RECORDINGS[provider]
  const adapter = providers[provider]
  if (!plan || !adapter) return []
  const { start, frames, offsets, answers } = readRecording(captures, plan)
  const begin = start - OPENED
  const asked = DATA_KINDS.filter((kind) => kind !== 'candle' && adapter.kinds.includes(kind))
  const answered = answers.map(({ path, query, body }): Entry => {
    const text = new URLSearchParams(query).toString()
    const json = new TextEncoder().encode(JSON.stringify(body))
    // What stands before the path is of the provider's address, which may have one of its own.
    const own = path === plan.listing.path ? (adapter.listing ?? path) : path
    const address = text === '' ? own : `${own}?${text}`
    return { type: 'answer', time: begin, provider, path: address, status: 200, headers: {}, body: json }
  })
  const wanted = plan.rows.flatMap((row) =>
    asked.map((kind): Entry => ({ type: 'want', time: begin + LISTED, topic: topicName(kind, instrumentOf(row)) }))
  )
  const traffic = { provider, connection: 1 }
  const heard = frames.map((frame, at): Entry => ({ type: 'frame', time: start + (offsets[at] ?? 0), ...traffic, frame }))
  return [...answered, ...wanted, { type: 'opened', time: start - 1, ...traffic, url: adapter.wsUrl ?? '' }, ...heard]
}

/** What is read of it is copied: whoever plays it writes into it. */
export function captureJournal(provider: string, captures: string): JournalReader {
  const entries = entriesOf(provider, captures)
  const run: RecordedRun = {
    run: `capture-${provider}`,
    from: entries[0]?.time ?? 0,
    to: entries.at(-1)?.time ?? 0,
    what: ['frames'],
    bytes: 0,
    events: 0,
    frames: entries.length,
    open: false,
    damaged: 0,
    cut: 0
  }
  return {
    runs: () => [run],
    async *read({ what, from = -Infinity, to = Infinity }) {
      if (what === 'frames') yield entries.filter(({ time }) => time >= from && time < to)
    },
    async *trades() {},
    holes: () => Promise.resolve([]),
    close: () => {}
  }
}
