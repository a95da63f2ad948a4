/** What the pages of docs/providers are made of, beside the adapters: which pages and which frames there are. */
import { readdirSync } from 'node:fs'
import { providers } from '@tickwire/server/providers/index.ts'
import { pageOf, providersPage, testedPage } from '@tickwire/server/providers/table.ts'

const names = (path: string): string[] => readdirSync(new URL(`../../../${path}`, import.meta.url))
/** A folder with frames, and a page of docs, is of a provider or of the family that it is the first word of. */
const family = (name: string): string => name.split('-')[0]!

export const pages: ReadonlySet<string> = new Set(names('docs/providers').map((file) => file.replace(/\.md$/, '')))
const folders: ReadonlySet<string> = new Set(names('captures'))
export const captured: ReadonlySet<string> = new Set(
  Object.keys(providers).filter((name) => {
    if (folders.has(name)) return true
    const own = name.slice(family(name).length + 1)
    return folders.has(family(name)) && own !== '' && names(`captures/${family(name)}`).some((file) => file.startsWith(own))
  })
)

export const page = (): string => providersPage(pages)
export const tested = (seen: ReadonlySet<string>): string => testedPage(seen, pages)
export { pageOf }
