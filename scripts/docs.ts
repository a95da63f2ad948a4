/** Writes what is made from code: docs/cli.md, docs/configuration.md, docs/providers/README.md and packages/server/asyncapi.json. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from '@tickwire/server/settings.ts'
import { page } from 'tickwire/evidence.ts'
import { cliPage } from 'tickwire/reference.ts'
import { asyncApi } from './asyncapi.ts'

writeFileSync(new URL('../docs/cli.md', import.meta.url), cliPage())
writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage())
writeFileSync(new URL('../docs/providers/README.md', import.meta.url), page())
writeFileSync(new URL('../packages/server/asyncapi.json', import.meta.url), `${JSON.stringify(asyncApi)}\n`)
