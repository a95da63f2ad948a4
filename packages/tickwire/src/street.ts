/** `tickwire street`: the simulated providers alone. */
import { createLog } from '@tickwire/server/ops/log.ts'
import { ConfigError } from '@tickwire/server/settings.ts'
import { createStreet } from '@tickwire/street'
import { captureOf, listenFault, speedOf } from './serve.ts'

export type StreetFlags = { seed: string; control: string; capture?: string; speed: string }

export async function serveStreet(flags: StreetFlags): Promise<void> {
  if (flags.speed !== '1' && flags.capture === undefined) throw new ConfigError('--speed goes with --capture')
  const whole = (name: 'seed' | 'control') => {
    const value = Number(flags[name])
    if (!Number.isSafeInteger(value) || flags[name].trim() === '')
      throw new ConfigError(`--${name} is ${JSON.stringify(flags[name])}: it takes a whole number`)
    return value
  }
  const control = whole('control')
  if (control < 0 || control > 65_535) throw new ConfigError(`--control is ${control}: it takes a port, 0 for a free one`)
  const street = createStreet({
    seed: whole('seed'),
    control,
    clock: Date.now,
    log: createLog({ level: 'warn' }),
    ...(flags.capture === undefined ? {} : { capture: captureOf(flags.capture), speed: speedOf(flags.speed) })
  })
  const addresses = await street.start().catch(async (error: Error) => {
    await street.stop()
    throw listenFault(error, { host: '127.0.0.1', port: -1 }, '--control') ?? error
  })
  const what =
    flags.capture === undefined ? 'Every price here is simulated.' : `It plays the recorded session of ${flags.capture}.`
  console.log(`The street is open. ${what}\n`)
  for (const [provider, { wsUrl, restUrl }] of Object.entries(addresses))
    console.log(`  ${provider.padEnd(10)} ${wsUrl}  ${restUrl}`)
  console.log(
    `\n  Faults: curl -X POST '${street.control}/street/<provider>/<fault>?for=5000'   list: curl ${street.control}/street`
  )
  const stop = async () => {
    await street.stop()
    process.exit(0)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
}
