/** How a journal says that it ended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openReader } from '../../src/journal/reader.ts'
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

test('[B4] all that was lost to the last is told when the run is read', async () => {
  const writer = openWriter({ directory, what: ['events'], epoch: 'e', segmentBytes: 1, retryEvery: 3_600_000 })
  writer.append(entryAt(0))
  await writer.flush()
  const inTheWay = join(directory, writer.run, '00001.twj')
  writeFileSync(inTheWay, '')
  for (let n = 1; n <= 5; n++) {
    writer.append(entryAt(n))
    await writer.flush()
  }
  await writer.stop()
  rmSync(inTheWay)
  expect(writer.status()).toMatchObject({ events: 1, lost: 5 })
  const [hole, ...more] = await openReader({ directory }).holes({ run: writer.run, what: 'events' })
  expect([hole, more]).toEqual([{ from: expect.any(Number), to: expect.any(Number), why: 'lost', entries: 5 }, []])
})
