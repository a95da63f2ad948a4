/** Reads the configuration for a command: the file it names or finds, the environment, the flags. */
import { existsSync, readFileSync } from 'node:fs'
import type { Config } from '@tickwire/server/config.ts'
import { ConfigError, fromEnvironment, fromFile, fromFlags, redacted, resolveConfig } from '@tickwire/server/settings.ts'

const CONFIG_FILE = 'tickwire.config.json'

export type Flags = { config?: string; set: string[]; port?: string; host?: string; insecure?: true }

export type Loaded = { config: Config; file?: string }

type Environment = Record<string, string | undefined>

/** Throws ConfigError with a sentence for each option that is wrong. `usual` stands where nobody says otherwise. */
export function load(flags: Flags, env: Environment = process.env, usual: Parameters<typeof resolveConfig>[number] = {}): Loaded {
  const named = flags.config ?? env.TICKWIRE_CONFIG
  if (named !== undefined && !existsSync(named))
    throw new ConfigError(`${named} does not exist: make one with "tickwire init --config ${named}"`)
  const file = named ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined)
  const assignments = [...flags.set]
  if (flags.port !== undefined) assignments.push(`port=${flags.port}`)
  if (flags.host !== undefined) assignments.push(`host=${flags.host}`)
  if (flags.insecure) assignments.push('auth.insecure=true')
  const config = resolveConfig(
    usual,
    file === undefined ? {} : fromFile(readConfig(file), file),
    fromEnvironment(env),
    fromFlags(assignments)
  )
  return { config: withSecretFiles(config), ...(file === undefined ? {} : { file }) }
}

export const print = (flags: Flags): void => console.log(JSON.stringify(redacted(load(flags).config), undefined, 2))

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`the configuration file ${path} cannot be read: ${(error as Error).message}`)
  }
}

function readSecret(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(`${option} is ${JSON.stringify(path)}: ${(error as Error).message}`)
  }
}

function withSecretFiles(config: Config): Config {
  const providers = Object.fromEntries(
    Object.entries(config.providers).map(([name, provider]) => {
      const { keyFile, secretFile } = provider
      const key = keyFile === undefined ? {} : { key: readSecret(keyFile, `providers.${name}.keyFile`) }
      const secret = secretFile === undefined ? {} : { secret: readSecret(secretFile, `providers.${name}.secretFile`) }
      return [name, { ...provider, ...key, ...secret }]
    })
  )
  const { secretFile } = config.auth.jwt
  const secret = secretFile === undefined ? {} : { secret: readSecret(secretFile, 'auth.jwt.secretFile') }
  return { ...config, providers, auth: { ...config.auth, jwt: { ...config.auth.jwt, ...secret } } }
}
