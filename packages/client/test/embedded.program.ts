/** What strict.test.ts runs: a plant of its own, with nobody to ask. */
import { embed } from '@tickwire/server'
import { configSchema } from '@tickwire/server/config.ts'
import { DataStream } from '../src/index.ts'

const providers = Object.fromEntries(Object.keys(configSchema.parse({}).providers).map((name) => [name, { enabled: false }]))
const stream = new DataStream({ embed: (given) => embed({ ...given, config: { providers } }) })
stream.on('error', ({ code }) => console.log(code))
const [result] = await stream.subscribe('BTCUSDT', () => {}).ready
console.log(result?.ok, stream.state()?.via)
await stream.disconnectStreams()
console.log('done')
try {
  new DataStream({ embed, nobodyKey: 'x' }).subscribe('BTCUSDT', () => {})
} catch (error) {
  console.log((error as Error).name)
}
