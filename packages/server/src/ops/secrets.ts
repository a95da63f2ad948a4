/**
 * What must never be written: values that are known to be secret, in every form in which they travel, and what looks like a
 * secret wherever it stands. Text in, text out.
 */

import { seekerOf } from './needles.ts'

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
  // A field or header in text: `X-API-Key: …`, `"secret":"…"`, `"listenKey":"…"`.
  [new RegExp(`((?:${NAMES}|\\bkey)\\\\?["']?:\\s*\\\\?["'])(?:[^"'\\\\]|\\\\[^"'])+`, 'gi'), `$1${CENSORED}`],
  [/((?:[a-z]Key|[-_.][Kk]ey)\\?["']?:\s*\\?["'])(?:[^"'\\]|\\[^"'])+/g, `$1${CENSORED}`],
  [new RegExp(`((?:${NAMES})["']?:\\s+)(?!\\[redacted|\\\\?["'])[^\\s"',;\\\\]{8,}`, 'gi'), `$1${CENSORED}`]
]

const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/** As writers of JSON have it: some escape the slash, some what means something in HTML, some all that is not ASCII. */
function quoted(secret: string): string[] {
  const variants = [/\//g, /[<>&]/g, /[<>&='\u2028\u2029]/g, /[\u007F-\uFFFF]/g].reduce(
    (texts, chars) => [
      ...texts,
      ...texts.map((text) => text.replaceAll(chars, (char) => (char === '/' ? '\\/' : unicode(char))))
    ],
    [JSON.stringify(secret).slice(1, -1)]
  )
  return variants.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
}

/** As addresses and forms have it. */
function percented(secret: string): string[] {
  const once = encodeURIComponent(secret)
  const strict = once.replaceAll(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
  const form = new URLSearchParams({ a: secret }).toString().slice(2)
  return [once, strict, form, encodeURI(secret), encodeURIComponent(once)]
}

/** Alone, as Basic authentication has it, and in the midst of other bytes, where its ends are others. */
function encoded(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const alone = (['base64', 'base64url', 'hex'] as const).map((form) => bytes.toString(form).replace(/=+$/, ''))
  const amid = [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes])
    const whole = all.subarray(0, all.length - (all.length % 3))
    return (['base64', 'base64url'] as const).map((form) => whole.toString(form).slice(before === 0 ? 0 : before + 1))
  })
  return [...alone, ...amid.filter(({ length }) => length >= SHORTEST)]
}

/** All forms in which it travels, also in bytes that are looked at as Latin-1. */
function formsOf(secret: string): string[] {
  const forms = [secret, ...quoted(secret), ...percented(secret), ...encoded(secret)]
  return [...new Set([...forms, ...forms.map((form) => Buffer.from(form).toString('latin1'))])]
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

export type Secrets = ReturnType<typeof createSecrets>

/** `shortest`: shorter ones are left where they are. */
export function createSecrets(values: Iterable<string | undefined> = [], shortest: number = SHORTEST) {
  const known = new Set<string>()
  let pattern: RegExp | undefined
  let mayHold: ReturnType<typeof seekerOf> | undefined

  const add = (more: Iterable<string | undefined>): void => {
    const before = known.size
    for (const value of more) {
      const secret = value?.trim() ?? ''
      if (secret.length >= shortest) known.add(secret)
    }
    if (known.size === before) return
    // Longest first: one may begin with another.
    const forms = [...new Set([...known].flatMap(formsOf))].sort((a, b) => b.length - a.length)
    pattern = new RegExp(forms.map(escaped).join('|'), 'gi')
    mayHold = seekerOf(forms)
  }
  add(values)

  const censorKnown = (text: string): string =>
    pattern !== undefined && mayHold?.(text) ? text.replaceAll(pattern, CENSORED) : text

  return {
    add,
    isEmpty: (): boolean => known.size === 0,
    /** What is known alone: as quick as it must be where prices come by the thousand. */
    censorKnown,
    censor: (text: string): string =>
      PATTERNS.reduce((line, [what, instead]) => line.replaceAll(what, instead), censorKnown(text))
  }
}
