/** A stream as lines on stdout, as fast as their reader takes them; everything else goes to stderr. */
import { plain } from '../terminal/plain.ts'
import type { StreamType } from './fields.ts'
import { createLines, type Format } from './lines.ts'
import type { Reading } from './reading.ts'

/** As fast as the reader takes it. */
function write(text: string): void | Promise<void> {
  if (text === '' || process.stdout.write(text)) return undefined
  return new Promise((resolve) => {
    process.stdout.once('drain', resolve)
  })
}

export function openPipe(format: Format, type: StreamType): Reading {
  const { head, line } = createLines(format, type)
  let isHeaded = false
  return {
    // Where nobody answered, nothing is written.
    state({ phase, hello }) {
      if (phase !== 'open' || isHeaded) return
      isHeaded = true
      if (hello && hello.mode !== 'live') console.error(`tickwire: ${plain(hello.mode)}: these are not real prices`)
      void write(head)
    },
    event: (event) => write(line(event)),
    note: (text) => console.error(`tickwire: ${text}`),
    end: () => {}
  }
}
