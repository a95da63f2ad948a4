/** Credentials never reach a recording: known secrets in whatever form, and what is named or looks like one where secrets are said. */
import { censorNamed } from '../ops/named.ts'
import { CENSORED, createSecrets, isSecretName } from '../ops/secrets.ts'
import type { Frame } from '../providers/adapter.ts'

/** Answers longer than this are listings and books, which are only searched for secrets that are known. */
const LOGIN_MOST = 64 << 10

const bytes = (all: Uint8Array, change: (text: string) => string): Uint8Array => {
  const before = Buffer.from(all.buffer, all.byteOffset, all.byteLength).toString('latin1')
  const after = change(before)
  return before === after ? all : Buffer.from(after, 'latin1')
}

/** Other bytes have no names of fields. */
function isJson(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => byte > 0x20)
  return first === 0x7b || first === 0x5b
}

export type Conceal = ReturnType<typeof createConceal>

/** `add`: from here on these values are never written. Also those that others share: here nothing but traffic is searched. */
export function createConceal(known: Iterable<string | undefined> = []) {
  const { add, censor: text, censorKnown, isEmpty } = createSecrets(known, 1)
  /** Where one is known, more is not far. */
  const onlyKnown = (all: string): string => (isEmpty() || censorKnown(all) === all ? all : text(all))
  const heard = (all: string): string => censorNamed(onlyKnown(all))

  return {
    add,
    text,
    /** Who logs in, and parameters that hold a secret; whatever else of it is one. */
    address(url: string): string {
      const asked = url.indexOf('?')
      const bare = (asked < 0 ? url : url.slice(0, asked)).replace(/^([a-z][\w+.-]*:\/\/)[^/@]*@/i, '$1')
      if (asked < 0) return text(bare)
      const parameters = url
        .slice(asked + 1)
        .split('&')
        .map((each) => (isSecretName(nameOf(each)) ? `${each.slice(0, each.indexOf('=') + 1)}${CENSORED}` : each))
      return text(`${bare}?${parameters.join('&')}`)
    },
    /** What we say may be a login in any form. */
    sent: (frame: Frame): Frame => (typeof frame === 'string' ? text(frame) : bytes(frame, text)),
    /** Prices come by the thousand: only what is known, or named as a secret, is looked for. */
    received: (frame: Frame): Frame => {
      if (typeof frame === 'string') return heard(frame)
      if (isJson(frame)) return bytes(frame, heard)
      return isEmpty() ? frame : bytes(frame, onlyKnown)
    },
    headers: (headers: Readonly<Record<string, string>>): Record<string, string> =>
      Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => !isSecretName(name))
          .map(([name, value]) => [name, text(value)])
      ),
    body: (body: Uint8Array): Uint8Array => bytes(body, body.length <= LOGIN_MOST ? (all) => censorNamed(text(all)) : heard)
  }
}

const nameOf = (parameter: string): string => parameter.split('=', 1)[0] ?? ''
