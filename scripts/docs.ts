/** Writes the pages that are made from code: docs/configuration.md and docs/providers/README.md. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from '@tickwire/server/settings.ts'
import { page } from 'tickwire/evidence.ts'

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage())
writeFileSync(new URL('../docs/providers/README.md', import.meta.url), page())
