/** The descriptions for machines: AsyncAPI of the native protocol, OpenAPI of REST, at the addresses where tools look. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { App } from './rest.ts'

/** Made of the protocol's types by `npm run docs`. */
const ASYNC_API = new URL('../../asyncapi.json', import.meta.url)

const schemaOf = (summary: string) => ({
  schema: { tags: ['operations'], summary, response: { 200: z.record(z.string(), z.unknown()) } }
})

export function mountDocuments(app: App): void {
  const asyncApi = JSON.parse(readFileSync(ASYNC_API, 'utf8')) as Record<string, unknown>
  app.get('/asyncapi.json', schemaOf('The native protocol, AsyncAPI 3'), () => asyncApi)
  app.get('/openapi.json', schemaOf('REST, OpenAPI 3.1'), () => app.swagger() as unknown as Record<string, unknown>)
}
