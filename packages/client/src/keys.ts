/** Keys of providers as a constructor takes them: `<provider>Key` and `<provider>Secret`, or with an underscore. */
export type Access = { key?: string; secret?: string }
export type Keys = { [name: `${string}Key` | `${string}Secret` | `${string}_key` | `${string}_secret`]: string | undefined }

const KEY = /^(.+?)_?(key|secret)$/i
/** `someName`, `some_name` → `some-name`, as providers are called. */
const nameFrom = (text: string): string =>
  text
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()

export function keysIn(options: object): Record<string, Access> {
  const keys: Record<string, Access> = {}
  for (const [option, value] of Object.entries(options)) {
    const [, provider, which] = KEY.exec(option) ?? []
    if (provider === undefined || which === undefined || value === undefined) continue
    if (typeof value !== 'string' || value === '') throw new TypeError(`${option}: it takes the ${which.toLowerCase()} as text`)
    const access = (keys[nameFrom(provider)] ??= {})
    access[which.toLowerCase() === 'key' ? 'key' : 'secret'] = value
  }
  for (const [provider, { key, secret }] of Object.entries(keys))
    if (secret !== undefined && key === undefined) throw new TypeError(`${provider}: a secret without its key; give both`)
  return keys
}
