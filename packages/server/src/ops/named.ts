/** Values of fields that are named like a secret, in JSON as it came: also amid other text, and in JSON within JSON. Text in, text out. */
import { CENSORED, isSecretName } from './secrets.ts'

/** One of these is in each such name: prices come by the thousand, and have none of them. */
const MAY_HOLD = /token|key|sess|secret|passw|passphrase|auth|sig|jwt|cookie|credential/i
/** A name and its colon; within a string of JSON quotes have backslashes before them. */
const FIELD = /(\\*)"([^"\\:,{}[\]]{1,64})\1"\s*:\s*/g

/** `next_page_token` says where a list goes on. */
const PLACE = /page[-_]?token$/i
/** Of a market it is the hours of trading, of a connection who is connected. */
const SESSION = /^session([-_]?id)?$/i
const ALWAYS = /pass|secret|jwt/i
const DIGITS = /^\d{1,20}$/
/** So long, of the characters of base64 and hexadecimal digits, and no word. */
const looksSecret = (text: string): boolean => /^[\w.~+/=-]{16,}$/.test(text) && /\d/.test(text)

/** Exchanges call the number of an instrument its token, and counts are no secrets either. */
function isSecret(name: string, value: string): boolean {
  if (value === '') return false
  if (SESSION.test(name)) return looksSecret(value)
  return ALWAYS.test(name) || !DIGITS.test(value)
}
const isNamed = (name: string): boolean => (isSecretName(name) || SESSION.test(name)) && !PLACE.test(name)

/** Where the string ends that begins behind a quote at `at`: its last quote has as many backslashes before it. */
function stringEnd(text: string, at: number, slashes: number): number {
  for (let end = text.indexOf('"', at); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = 0
    while (end - before > at && text[end - before - 1] === '\\') before++
    // More than that belong to what is quoted in it: twice as many and its own are a backslash at its end.
    if (before === slashes || (before > slashes && (before - slashes) % (2 * (slashes + 1)) === 0)) return end - slashes
  }
  return text.length
}

/** Where a list or an object ends, quotes and all. */
function groupEnd(text: string, at: number, slashes: number): number {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const char = text[i]
    if (char === '"') i = stringEnd(text, i + 1, slashes) + slashes
    else if (char === '[' || char === '{') depth++
    else if ((char === ']' || char === '}') && --depth === 0) return i + 1
  }
  return text.length
}

const STRINGS = /(?<=")[^"\\]+(?=\\*")/g
const NUMBER = /-?\d[\d.eE+-]*/y

/** What stands in the place of the value at `at`, and where that ends; nothing where it may stay. */
function instead(text: string, at: number, name: string, slashes: string): { end: number; value: string } | undefined {
  const quote = `${slashes}"`
  if (text.startsWith(quote, at)) {
    const begin = at + quote.length
    const end = stringEnd(text, begin, slashes.length)
    return isSecret(name, text.slice(begin, end)) ? { end, value: `${quote}${CENSORED}` } : undefined
  }
  if (text[at] === '[' || text[at] === '{') {
    const end = groupEnd(text, at, slashes.length)
    return { end, value: text.slice(at, end).replaceAll(STRINGS, (each) => (looksSecret(each) ? CENSORED : each)) }
  }
  NUMBER.lastIndex = at
  const number = NUMBER.exec(text)?.[0]
  if (number === undefined || !isSecret(name, number)) return undefined
  return ALWAYS.test(name) ? { end: at + number.length, value: `${quote}${CENSORED}${quote}` } : undefined
}

export function censorNamed(text: string): string {
  if (!MAY_HOLD.test(text)) return text
  let left = ''
  let done = 0
  for (const { 0: field, 1: slashes = '', 2: name = '', index } of text.matchAll(FIELD)) {
    const at = index + field.length
    if (at < done || !isNamed(name)) continue
    const found = instead(text, at, name, slashes)
    if (!found) continue
    left += text.slice(done, at) + found.value
    done = found.end
  }
  return done === 0 ? text : left + text.slice(done)
}
