/** The dashboard's files: hashed assets are kept for a year, the page itself is asked for each time. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { App } from './rest.ts'

const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; form-action 'none'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'"

/** Returns whether there is a page to fall back to. */
export function mountPage(app: App, directory: string | undefined): boolean {
  if (directory === undefined || !existsSync(join(directory, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, () => ({ name: 'tickwire', stream: '/v1/ws', docs: '/docs', health: '/health' }))
    return false
  }
  void app.register(fastifyStatic, {
    root: directory,
    wildcard: true,
    cacheControl: false,
    setHeaders(reply, path) {
      const hashed = path.includes('/assets/')
      void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      if (path.endsWith('.html')) void reply.header('content-security-policy', POLICY)
    }
  })
  return true
}
