/** How a journal says that it ended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openWriter } from '../../src/journal/writer.ts'
import { entryAt } from './kit.entries.ts'

const directory = mkdtempSync(join(tmpdir(), 'journal-stopped-'))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('[B4] what was lost to the last is told with its cause, also after the end', async () => {
  const writer = openWriter({ directory, what: ['events'], epoch: 'e', segmentBytes: 1 })
  writer.append(entryAt(0))
  await writer.flush()
  rmSync(join(directory, writer.run), { recursive: true })
  writeFileSync(join(directory, writer.run), 'no directory')
  writer.append(entryAt(1))
  await writer.stop()
  expect(writer.status()).toMatchObject({ state: 'off', events: 1, lost: 1 })
  expect(writer.status().reason).toContain('cannot be written: ')
})
