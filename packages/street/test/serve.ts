/** A server whose one provider is a venue of the street, in this process. */
import { startServer, type Server } from '@tickwire/server'
import { configSchema } from '@tickwire/server/config.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { afterAll } from 'vitest'
import { street as createStreet } from './client.ts'

/** What the tests of a file leave open, closed after them. */
export const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

export async function serve(provider: string) {
  const street = createStreet({ providers: [provider] })
  closing.push(() => street.stop())
  const address = (await street.start())[provider]!
  const others = Object.fromEntries(Object.keys(adapters).map((name) => [name, { enabled: false }]))
  const own = { ...address, enabled: true, key: 'street', secret: 'street' }
  const config = configSchema.parse({ port: 0, watch: [], providers: { ...others, [provider]: own } })
  const server: Server = await startServer(config, { mode: 'demo', log: SILENT })
  closing.push(() => server.stop())
  return { street, server }
}
