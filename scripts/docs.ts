/** Writes the pages that are made from code: docs/configuration.md. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from '@tickwire/server/settings.ts'

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage())
