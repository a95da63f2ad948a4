/** What the providers' table says of how each is tested: read from the captures, the street and the dialects. */
import { readdirSync } from 'node:fs'
import { mirrors } from '@tickwire/server/dialects/index.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { pageOf, providersPage } from '@tickwire/server/providers/table.ts'
import { VENUES } from '@tickwire/street/venues.ts'

const names = (path: string): string[] => readdirSync(new URL(`../../../${path}`, import.meta.url))
/** A folder with frames, and a page of docs, is of a provider or of the family that it is the first word of. */
const family = (name: string): string => name.split('-')[0]!

export const pages: ReadonlySet<string> = new Set(names('docs/providers').map((file) => file.replace(/\.md$/, '')))
export const folders: ReadonlySet<string> = new Set(names('captures'))
const captured = new Set(
  Object.keys(providers).filter((name) => {
    if (folders.has(name)) return true
    const own = name.slice(family(name).length + 1)
    return folders.has(family(name)) && own !== '' && names(`captures/${family(name)}`).some((file) => file.startsWith(own))
  })
)
const street = new Set(Object.keys(VENUES))
const emulated = new Set(Object.keys(mirrors))

export const page = (): string => providersPage({ captured, street, emulated, pages })
export { captured, pageOf }
