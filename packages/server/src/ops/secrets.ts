/**
 * What must never be written: values that are known to be secret, in every form in which they travel, and what looks like a
 * secret wherever it stands. Text in, text out.
 */

export const CENSORED = '[redacted]'

/** Shorter ones are words that other things are called by, too. */
const SHORTEST = 8

/** Names of fields, headers and parameters that hold a secret, whatever stands before or after. */
const NAMES =
  'token|jwt|secret|password|passwd|passphrase|authorization|cookie|credentials?|signature|api[-_]?key|access[-_]?key|private[-_]?key|key[-_]?id'
const SECRET_NAME = new RegExp(`${NAMES}|^(key|sig|auth)$|[-_.]key$`, 'i')
/** `key` as the last word of a name: not `keys`, `monkey`, `keyboard`. */
const LAST_WORD = /[a-z]Key$/

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name) || LAST_WORD.test(name)

/** What gives itself away: `$1` stays. */
const PATTERNS: readonly [RegExp, string][] = [
  // A JSON Web Token: two objects in base64 and a signature.
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, CENSORED],
  // A key that `tickwire keys` made.
  [/\btw_[\w-]{8,}/g, CENSORED],
  [/\b(Bearer(?:\s|%20|\+)+|tickwire\.bearer\.)[\w.~+/=%-]{4,}/gi, `$1${CENSORED}`],
  [/\b((?:Basic|Token)\s+)[\w.~+/=-]{16,}/gi, `$1${CENSORED}`],
  // Of an address: who logs in, and what parameters hold.
  [/(\b[a-z][\w+.-]*:\/\/)[^\s/?#"'@\\]+@/gi, `$1${CENSORED}@`],
  [
    new RegExp(`([?&;#]|\\\\u0026|%26|\\b)((?:[\\w.-]{0,40}(?:${NAMES}|key)|sig|auth)(?:=|%3D))[^&\\s"'#\\\\;,)]+`, 'gi'),
    `$1$2${CENSORED}`
  ],
  // A field or header in text: `X-API-Key: …`, `"secret":"…"`.
  [new RegExp(`((?:${NAMES}|\\bkey)\\\\?["']?:\\s*\\\\?["'])(?:[^"'\\\\]|\\\\[^"'])+`, 'gi'), `$1${CENSORED}`],
  [new RegExp(`((?:${NAMES})["']?:\\s+)(?!\\[redacted|\\\\?["'])[^\\s"',;\\\\]{8,}`, 'gi'), `$1${CENSORED}`]
]

/** In a line of JSON, in an address, and in base64, as Basic authentication has it. */
function formsOf(secret: string): string[] {
  const once = JSON.stringify(secret).slice(1, -1)
  const forms = [
    secret,
    once,
    JSON.stringify(once).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams({ a: secret }).toString().slice(2)
  ]
  const bytes = Buffer.from(secret)
  const encoded = (['base64', 'base64url', 'hex'] as const).map((form) => bytes.toString(form).replace(/=+$/, ''))
  return [...new Set([...forms, ...encoded])]
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

export type Secrets = { add: (values: Iterable<string | undefined>) => void; censor: (text: string) => string }

export function createSecrets(values: Iterable<string | undefined> = []): Secrets {
  const known = new Set<string>()
  let pattern: RegExp | undefined

  const add = (more: Iterable<string | undefined>) => {
    const before = known.size
    for (const value of more) if (value !== undefined && value.trim().length >= SHORTEST) known.add(value.trim())
    if (known.size === before) return
    // Longest first: one may begin with another.
    const forms = [...known].flatMap(formsOf).sort((a, b) => b.length - a.length)
    pattern = new RegExp(forms.map(escaped).join('|'), 'gi')
  }
  add(values)

  return {
    add,
    censor(text: string): string {
      const own = pattern === undefined ? text : text.replaceAll(pattern, CENSORED)
      return PATTERNS.reduce((line, [what, instead]) => line.replaceAll(what, instead), own)
    }
  }
}
