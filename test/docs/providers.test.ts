/** Every provider has its row, its page and its frames. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { providers } from '@tickwire/server/providers/index.ts'
import { captured, page, pageOf, pages } from 'tickwire/evidence.ts'

/** No frame of these exists that may be kept here: they are tested on the frames that their documentation shows. */
const DOCUMENTED_ONLY = new Set(['coinbase-exchange'])

test('docs/providers/README.md is made from the adapters', () => {
  expect(readFileSync(new URL('../../docs/providers/README.md', import.meta.url), 'utf8')).toBe(page())
})
test.each(Object.keys(providers))('%s has its page, and frames that it is tested on', (name) => {
  expect([...pages]).toContain(pageOf(name, pages))
  expect(captured.has(name) || DOCUMENTED_ONLY.has(name)).toBe(true)
})
