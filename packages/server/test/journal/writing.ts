/** A process that writes a journal until it is killed, and says on standard output what is on the disk. */
import { writeSync } from 'node:fs'
import { openWriter } from '../../src/journal/writer.ts'
import { entryAt } from './kit.entries.ts'

const [directory = '', pace = '200'] = process.argv.slice(2)
const writer = openWriter({ directory, what: ['events'], epoch: 'e', segmentBytes: 20_000, retryEvery: 50 })
let n = 0
for (;;) {
  for (let i = 0; i < Number(pace); i++) writer.append(entryAt(n++))
  await writer.flush()
  const { state, lost, events } = writer.status()
  // At once, as the disk has it: what is only in a pipe's buffer dies with the process.
  writeSync(1, `${JSON.stringify({ n, state, lost, events, run: writer.run })}\n`)
}
