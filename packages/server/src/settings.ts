/** Where options come from: defaults < file < environment < flags; and what is wrong with them, in words. Pure: the caller reads files and environment. */
import { z } from 'zod'
import { ALIASES, configSchema, type Config } from './config.ts'
import { distance, nearest } from './nearest.ts'

export class ConfigError extends Error {
  override name = 'ConfigError'
}

type Json = { [key: string]: Json | string[] | string | number | boolean | undefined }
export type Field = {
  path: string
  env: string
  type: string
  fallback: string
  description: string
  takes: string
  secret: boolean
}

type Schema = {
  properties?: Record<string, Schema>
  type?: string
  enum?: string[]
  default?: unknown
  description?: string
  secret?: boolean
  minimum?: number
  maximum?: number
}
const root = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema

const envName = (path: string) =>
  `TICKWIRE_${path
    .replaceAll('.', '__')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()}`

/** What an option takes, for people. */
function takesOf({ type, enum: names, minimum = 0, maximum = Infinity }: Schema): string {
  if (names) return `one of ${names.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'array') return 'a list'
  if (type === 'object') return 'a section of the file'
  if (type !== 'integer' && type !== 'number') return 'text'
  const end = maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : ''
  return minimum > Number.MIN_SAFE_INTEGER ? `a whole number from ${minimum}${end}` : 'a whole number'
}

/** Every option, flat, in the order of the schema. */
export const fields: readonly Field[] = (function walk(schema: Schema, path: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = path ? `${path}.${key}` : key
    if (child.properties) return walk(child, here)
    const type = child.enum ? child.enum.join(' | ') : (child.type ?? 'string')
    const fallback = child.default === undefined ? '' : JSON.stringify(child.default)
    const description = child.description ?? ''
    return [{ path: here, env: envName(here), type, fallback, description, takes: takesOf(child), secret: child.secret === true }]
  })
})(root, '')

/** `did you mean x?`, where something is near enough to be meant. */
function hint(name: string, candidates: readonly string[], nameOf = (candidate: string) => candidate): string {
  const [best] = nearest(name, candidates.map(nameOf), 1)
  const near = best !== undefined && distance(name.toLowerCase(), best.toLowerCase()) <= Math.max(2, name.length / 2)
  const meant = near ? candidates.find((candidate) => nameOf(candidate) === best) : undefined
  return meant === undefined ? 'docs/configuration.md lists them all' : `did you mean ${meant}?`
}

/** Among a section's own names and, as `options.url`, those one level deeper. */
function hintIn({ properties = {} }: Schema = {}, name: string): string {
  const deeper = Object.entries(properties).flatMap(([key, child]) =>
    Object.keys(child.properties ?? {}).map((below) => `${key}.${below}`)
  )
  return hint(name, [...Object.keys(properties), ...deeper], (path) => path.slice(path.lastIndexOf('.') + 1))
}

const byEnv = new Map(fields.map((field) => [field.env, field]))

function put(into: Json, path: string, value: string | string[] | boolean): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let at = into
  for (const key of keys) at = (at[key] ??= {}) as Json
  at[last] = value
}

/** Text from an environment or a flag, as the option wants it. */
function parseText(field: Field, text: string, from: string): string | string[] | boolean {
  if (field.type === 'array')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  if (field.type !== 'boolean') return text
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true
  if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return false
  throw new ConfigError(`${from} is ${JSON.stringify(text)}: it takes true or false`)
}

export function fromEnvironment(env: Record<string, string | undefined>): Json {
  const out: Json = {}
  for (const [name, alias] of Object.entries(ALIASES)) {
    const text = env[name]
    if (text === undefined || alias.path === undefined) continue
    put(
      out,
      alias.path,
      parseText(
        fields.find(({ path }) => path === alias.path)!,
        alias.convert(text),
        name
      )
    )
  }
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('TICKWIRE_') || text === undefined || NOT_OPTIONS.has(name)) continue
    const field = byEnv.get(name)
    if (!field) throw new ConfigError(`${name} is not an option: ${hint(name, [...byEnv.keys()])}`)
    put(out, field.path, parseText(field, text, name))
  }
  return out
}
/** Variables with our prefix that are not options: where the file is, and what the examples read. */
const NOT_OPTIONS = new Set(['TICKWIRE_CONFIG', 'TICKWIRE_URL', 'TICKWIRE_TOKEN'])

/** `--set option=value` */
export function fromFlags(assignments: readonly string[]): Json {
  const out: Json = {}
  for (const assignment of assignments) {
    const cut = assignment.indexOf('=')
    const path = cut < 0 ? assignment : assignment.slice(0, cut)
    const field = fields.find((candidate) => candidate.path === path)
    if (!field)
      throw new ConfigError(
        `--set ${path}: no such option; ${hint(
          path,
          fields.map((each) => each.path)
        )}`
      )
    if (cut < 0) throw new ConfigError(`--set ${path}: say the value too, as in --set ${path}=${field.fallback || 'value'}`)
    put(out, path, parseText(field, assignment.slice(cut + 1), `--set ${path}`))
  }
  return out
}

export function fromFile(text: string, name: string): Json {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    // It may quote some lines of the file.
    throw new ConfigError(`${name} is not JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ConfigError(`${name} must hold an object, as in {"port": 8000}`)
  for (const field of fields)
    if (field.secret && read(json as Json, field.path) !== undefined)
      throw new ConfigError(
        `${name} holds the secret ${field.path}: name a file with ${field.path}File, or use the environment variable ${field.env}`
      )
  return json as Json
}

const read = (json: Json, path: string): unknown =>
  path.split('.').reduce<unknown>((at, key) => (at as Json | undefined)?.[key], json)

function merge(base: Json, over: Json): Json {
  const out: Json = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = out[key]
    const nested = typeof value === 'object' && !Array.isArray(value) && typeof below === 'object' && !Array.isArray(below)
    out[key] = nested ? merge(below, value) : value
  }
  return out
}

/** Later layers win. Throws ConfigError that names each option that is wrong and what it holds. */
export function resolveConfig(...layers: Json[]): Config {
  const merged = layers.reduce(merge, {})
  const result = configSchema.safeParse(merged)
  if (result.success) return result.data
  throw new ConfigError([...new Set(result.error.issues.map((issue) => explain(issue, merged)))].join('\n'))
}

/** Whoever wrote a token where its hash belongs finds no more than its beginning in the logs. */
const shown = (path: string, value: unknown): string =>
  path === 'auth.keys' && typeof value === 'string' && value.length > 8 ? `"${value.slice(0, 8)}…"` : JSON.stringify(value)

function explain(issue: z.core.$ZodIssue, merged: Json): string {
  const isItem = typeof issue.path.at(-1) === 'number'
  const path = (isItem ? issue.path.slice(0, -1) : issue.path).join('.')
  if (issue.code === 'unrecognized_keys') {
    const section = path
      .split('.')
      .filter(Boolean)
      .reduce<Schema | undefined>((at, key) => at?.properties?.[key], root)
    return issue.keys.map((key) => `${path ? `${path}.` : ''}${key} is not an option: ${hintIn(section, key)}`).join('\n')
  }
  const takes = fields.find((field) => field.path === path)?.takes ?? 'a section of options'
  const why = issue.code === 'custom' || issue.code === 'invalid_format' ? issue.message : `it takes ${takes}`
  if (isItem) return `${path} holds ${shown(path, read(merged, issue.path.join('.')))}: ${why}`
  return `${path} is ${shown(path, read(merged, path))}: ${why}`
}

/** The configuration as it may be shown: secrets are replaced by whether they are set. */
export function redacted(config: Config): unknown {
  const copy = structuredClone(config) as unknown as Json
  for (const field of fields) if (field.secret && read(copy, field.path) !== undefined) put(copy, field.path, '(set)')
  return copy
}

/** All secrets that it holds, which the log is told never to write. */
export const secretsOf = (config: Config): string[] =>
  fields
    .filter(({ secret }) => secret)
    .map(({ path }) => read(config as unknown as Json, path))
    .filter((value) => typeof value === 'string')

export const configurationPage = (): string =>
  [
    '# Configuration',
    '',
    'Generated from the schema (packages/server/src/config.ts) by `npm run docs`; a test keeps it true.',
    '',
    'Later wins: defaults, then the file (`tickwire.config.json`, or the one `--config` or `TICKWIRE_CONFIG` names), then the',
    'environment, then `--set option=value`. Lists in the environment are separated by commas. Durations are written `10s`',
    '(units ms, s, m, h, d). A secret never stands in the file: use its environment variable or its `...File` option.',
    '`tickwire config` (or `--print-config`) shows what is in force, with secrets left out.',
    '',
    '| option | environment | type | default | meaning |',
    '|---|---|---|---|---|',
    ...fields.map(
      ({ path, env, type, fallback, description }) =>
        `| \`${path}\` | \`${env}\` | ${type.replaceAll('|', '\\|')} | ${fallback ? `\`${fallback}\`` : ''} | ${description} |`
    ),
    '',
    'Names that other systems used and that are understood here:',
    '',
    '| name | stands for |',
    '|---|---|',
    ...Object.entries(ALIASES).map(
      ([name, alias]) => `| \`${name}\` | ${alias.path === undefined ? `nothing: ${alias.why}` : `\`${alias.path}\``} |`
    ),
    ''
  ].join('\n')
