/** The whole server on the street, and the same plant embedded: what the SDK's own tests run against. */
import { embed, startServer } from '@tickwire/server'
import { configSchema } from '@tickwire/server/config.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createStreet } from '@tickwire/street'
import type { Embed } from '../src/index.ts'

export type Plant = Awaited<ReturnType<typeof openPlant>>

/** `venues`: those of the demo, of which much is collected unasked; of others nothing is. */
export async function openPlant(venues?: readonly string[]) {
  const common = { seed: 1, clock: Date.now, log: SILENT }
  const street = createStreet(venues === undefined ? common : { ...common, providers: venues })
  const addresses = await street.start()
  const all = Object.keys(configSchema.parse({}).providers)
  const providers = Object.fromEntries(
    all.map((name) => {
      const address = addresses[name]
      return [name, address ? { ...address, enabled: true, key: 'street', secret: 'street' } : { enabled: false }]
    })
  )
  const config = configSchema.parse({ port: 0, watch: venues === undefined ? street.watch : [], providers })
  const server = await startServer(config, { mode: 'demo', log: SILENT })
  let embedded = 0
  return {
    street,
    url: server.url,
    /** As a user would, with the providers' addresses turned to the street. */
    embed: ((given) => {
      embedded++
      const { keys } = given
      // What is left of the keys is whether they came: on the street any will do.
      const own = Object.fromEntries(Object.entries(keys).map(([name, access]) => [name, { ...providers[name], ...access }]))
      const plant = embed({
        ...given,
        keys: {},
        config: { providers: { ...providers, ...own } },
        simulated: true,
        listedWithin: 60_000,
        log: SILENT
      })
      return { ...plant, stop: () => plant.stop().then(() => void embedded--) }
    }) satisfies Embed,
    embedded: () => embedded,
    /** Of both. */
    async connections(): Promise<number> {
      const answer = await fetch(`${server.url}/ws/status`)
      const { total_connections: here } = (await answer.json()) as { total_connections: number }
      return here + embedded
    },
    async stop(): Promise<void> {
      await server.stop()
      await street.stop()
    }
  }
}
