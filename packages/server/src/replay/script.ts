/** The recorded entries of a run, one after the other; what is written meanwhile comes after them. */
import type { RecordedWhat } from '@tickwire/protocol'
import type { Entry, JournalReader } from '../journal/journal.ts'

export type Span = {
  run: string
  what: RecordedWhat
  /** Epoch milliseconds: where it is heard from; what was before is played as well, untold, for what it leaves behind. */
  from: number
  /** Exclusive; Infinity: as far as it has been written. */
  to: number
}

export type Script = ReturnType<typeof openScript>

/** Behind the last entry that was taken: the newest time, how many of that time were taken, and how many of all. */
export type Bookmark = { newest: number; ofNewest: number; played: number }

export function openScript(reader: Pick<JournalReader, 'read'>, { run, what, to }: Span, from?: Bookmark) {
  let batch: readonly Entry[] = []
  let at = 0
  // Of the newest time, how many were taken: who reads on there leaves these out.
  let { newest, ofNewest, played }: Bookmark = from ?? { newest: -Infinity, ofNewest: 0, played: 0 }
  let batches = readFrom()
  let over = false

  async function* readFrom(): AsyncGenerator<readonly Entry[]> {
    const since = newest
    let skip = ofNewest
    const from = Number.isFinite(since) ? { from: since } : {}
    const until = Number.isFinite(to) ? { to } : {}
    for await (const entries of reader.read({ run, what, ...from, ...until })) {
      if (skip === 0) yield entries
      else {
        const known = Math.min(skip, entries.filter(({ time }) => time === since).length)
        skip -= known
        yield entries.slice(known)
      }
    }
  }

  const fill = async (): Promise<boolean> => {
    while (at >= batch.length) {
      const { done, value } = await batches.next()
      if (done) return false
      batch = value
      at = 0
    }
    return true
  }

  return {
    /** The next one, where it is there already. */
    peek: (): Entry | undefined => batch[at],
    take(): Entry | undefined {
      const entry = batch[at]
      if (!entry) return undefined
      at++
      played++
      ofNewest = entry.time === newest ? ofNewest + 1 : 1
      newest = entry.time
      return entry
    },
    /** False at the end of what is written. Asked again, it looks whether more was written since, in a span without an end. */
    async more(): Promise<boolean> {
      if (at < batch.length) return true
      if (over) {
        if (Number.isFinite(to)) return false
        batches = readFrom()
      }
      over = !(await fill())
      return !over
    },
    played: () => played,
    bookmark: (): Bookmark => ({ newest, ofNewest, played }),
    close: (): void => {
      over = true
      batch = []
      at = 0
      void batches.return(undefined)
    }
  }
}
