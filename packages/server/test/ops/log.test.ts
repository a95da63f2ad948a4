import { assert, boolean, constantFrom, object, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog, type LogOptions } from '../../src/ops/log.ts'
import { isSecretName } from '../../src/ops/secrets.ts'
import { fields, fromFlags, resolveConfig, secretsOf } from '../../src/settings.ts'

function listen(options: LogOptions = {}) {
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line: string) => void lines.push(line) }, ...options })
  return { log, lines, text: () => lines.join('') }
}
type Listening = ReturnType<typeof listen>

test('[T18] secrets never reach the log, wherever in the fields they stand', () => {
  const { log, lines } = listen()
  log.info(
    {
      token: 's3cret',
      access: { key: 's3cret', deep: { secret: 's3cret', deeper: { still: { password: 's3cret' } } } },
      headers: { authorization: 's3cret', 'x-api-key': 's3cret', 'APCA-API-SECRET-KEY': 's3cret', Cookie: 's3cret' },
      list: [{ apiKey: 's3cret' }],
      raw: ['X-API-Key', 's3cret', 'accept', 'text/html'],
      map: new Map([['token', 's3cret']]),
      fetched: new Headers({ authorization: 's3cret' })
    },
    'hello'
  )
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'hello', token: '[redacted]', raw: { 3: 'text/html' } })
  expect(lines[0]).not.toContain('s3cret')
})

test('[T18] what is no secret is written as it is', () => {
  const { log, lines } = listen({ secrets: ['correct-horse-battery'] })
  const fields = {
    instrument: 'BTC-USDT',
    reason: 'closed 1006: no heartbeat; key frames follow',
    url: 'https://example.com/v1/bars?symbol=AAPL&limit=10',
    monkey: 'see',
    ms: 12.5,
    nothing: null,
    keys: ['a', 'b']
  }
  log.warn(fields, 'listing failed')
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', msg: 'listing failed', ...fields })
})

test('[T18] of an error stand name, message, stack, code and cause; what a library hung on it does not', () => {
  const { log, lines } = listen()
  const cause = Object.assign(new Error('ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const error = Object.assign(new TypeError('no answer', { cause }), { config: { headers: { 'X-Mine': 'hunter2' } } })
  log.error({ err: error, provider: 'one' }, 'defect')
  expect(JSON.parse(lines[0]!)).toMatchObject({
    provider: 'one',
    err: { type: 'TypeError', message: 'no answer', stack: expect.stringContaining('log.test'), cause: { code: 'ECONNREFUSED' } }
  })
  expect(lines[0]).not.toContain('hunter2')
})

/** A line of its own in the log, a terminal that is told what to show, a screen that is cleared, text that reads backwards. */
const INJECTED = [
  'x\n{"level":"fatal","msg":"forged"}',
  'x\r\n{"level":"fatal","msg":"forged"}',
  'x"}\n{"level":"fatal","msg":"forged',
  '\u001b[2J\u001b[1;1Hclean',
  '\u001b]0;title\u0007',
  '\u0000\u0008',
  'x\u0085forged',
  'x\u2028forged',
  '\u009b2J\u007f',
  '\u202egnp.exe\u2066'
]
test.for(INJECTED)(
  '[S10] %j in a field, its name, the message and an error makes one line, and no control character in it',
  (text) => {
    const { log, lines } = listen()
    log.warn({ text, [text]: 1, deep: { list: [text] } }, 'refused: %s', text)
    log.error({ err: new Error(text) }, text)
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line.endsWith('\n')).toBe(true)
      // oxlint-disable-next-line no-control-regex -- that is what is looked for
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/)
      expect(JSON.parse(line)).not.toMatchObject({ level: 'fatal' })
    }
  }
)

test('a line is one JSON object, also where fields hold lines, control characters and themselves', () => {
  const { log, lines } = listen()
  const self: Record<string, unknown> = { text: 'a\nb\u001b[31m\r"}' }
  self['self'] = self
  log.info(self, 'one')
  expect(lines).toHaveLength(1)
  for (const control of ['\n', '\r', '\u001b']) expect(lines[0]!.trimEnd()).not.toContain(control)
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'one', text: self['text'] })
})

/** Every way in which somebody may come to log a secret. */
const WAYS: Record<string, (heard: Listening, secret: string) => void> = {
  'as a field of any name': ({ log }, secret) => log.info({ note: secret }, 'x'),
  'as the name of a field': ({ log }, secret) => log.info({ [secret]: 1 }, 'x'),
  'in the message': ({ log }, secret) => log.warn(`refused: ${secret}`),
  'as an argument of the message': ({ log }, secret) => log.warn('refused: %s', secret),
  'in an error': ({ log }, secret) => log.error(new Error(`bad key ${secret}`)),
  'in the cause of an error': ({ log }, secret) => log.error({ err: new Error('x', { cause: new Error(secret) }) }, 'x'),
  'in an address': ({ log }, secret) => log.info({ url: `wss://x.example/ws?symbol=A&t=${encodeURIComponent(secret)}` }, 'x'),
  'in a form': ({ log }, secret) => log.info({ body: new URLSearchParams({ a: secret }).toString() }, 'x'),
  'in an address object': ({ log }, secret) => log.info({ to: new URL(`https://x.example/${encodeURIComponent(secret)}`) }, 'x'),
  'in headers': ({ log }, secret) => log.info({ headers: { 'x-mine': `a ${secret}` } }, 'x'),
  'in a body of JSON': ({ log }, secret) => log.info({ body: JSON.stringify({ deep: { any: secret } }) }, 'x'),
  'in JSON within JSON': ({ log }, secret) => log.info({ body: JSON.stringify(JSON.stringify({ any: secret })) }, 'x'),
  'in Basic authentication': ({ log }, secret) =>
    log.info({ sent: `Basic ${Buffer.from(`user:${secret}`).toString('base64')}` }, 'x'),
  'in base64': ({ log }, secret) => log.info({ sent: Buffer.from(secret).toString('base64') }, 'x'),
  'in an array, a set, a map': ({ log }, secret) =>
    log.info({ a: [[secret]], b: new Set([secret]), c: new Map([['k', secret]]) }, 'x')
}

/** Whether the text gives the secret away in any form in which it was put in. */
const tells = (text: string, secret: string): boolean =>
  [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(`user:${secret}`).toString('base64').replace(/=+$/, '')
  ].some((form) => text.includes(form))

/** Of printable characters, as keys are; an example that is a word of the line itself would prove nothing. */
const aSecret = string({
  minLength: 12,
  maxLength: 64,
  unit: constantFrom(...'abcXYZ0189-_.~+/=!#%&?"\'\\{}: $'.split(''))
}).filter((text) => text.trim() === text && new Set(text).size > 5)

describe('[T18] [S11] a secret that is known is in no line, whatever logs it', () => {
  test.for(Object.entries(WAYS))('%s', ([, write]) => {
    assert(
      property(aSecret, boolean(), (secret, later) => {
        const heard = listen({ secrets: later ? [] : [secret] })
        if (later) heard.log.conceal([secret])
        write(heard, secret)
        expect(heard.lines).toHaveLength(1)
        expect(() => JSON.parse(heard.lines[0]!) as unknown).not.toThrow()
        expect(tells(heard.text(), secret)).toBe(false)
      })
    )
  })
  test.for(Object.entries(WAYS))('and %s it would be there, if it were not known', ([, write]) => {
    const heard = listen()
    write(heard, 'Zq8-plain-text-of-nothing')
    expect(tells(heard.text(), 'Zq8-plain-text-of-nothing') || /Basic \[redacted\]/.test(heard.text())).toBe(true)
  })
})

const letters = (size: number) =>
  string({
    minLength: size,
    maxLength: size,
    unit: constantFrom(...'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'.split(''))
  })

/** What nobody told the log, but gives itself away. */
const GIVEN_AWAY: Record<string, (secret: string) => unknown> = {
  'a JSON Web Token': (secret) => ({ note: `got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ${secret}.${secret}` }),
  'a key of ours': (secret) => ({ note: `offered tw_${secret}` }),
  'a bearer header in text': (secret) => ({ note: `Authorization: Bearer ${secret}` }),
  'a header in text': (secret) => ({ note: `GET / X-API-Key: ${secret}` }),
  'a subprotocol': (secret) => ({ note: `tickwire.v1, tickwire.bearer.${secret}` }),
  'a parameter of an address': (secret) => ({ note: `wss://x.example/?a=1&apikey=${secret}&b=2` }),
  'a parameter in an error': (secret) => ({ err: new Error(`https://x.example/?token=${secret}: refused`) }),
  'the user of an address': (secret) => ({ note: `https://me:${secret}@x.example/` }),
  'a listen key': (secret) => ({ note: `/ws?listenKey=${secret}` }),
  'a signature': (secret) => ({ note: `/order?symbol=A&signature=${secret}` }),
  'a body of JSON': (secret) => ({ body: JSON.stringify({ action: 'auth', key: secret, secret }) }),
  'an object of any depth': (secret) => ({ a: { b: { c: { d: { accessToken: secret } } } } })
}

describe('[T18] [S11] what looks like a secret is in no line, although nobody said that it is one', () => {
  test.for(Object.entries(GIVEN_AWAY))('%s', ([, made]) => {
    assert(
      property(letters(24), (secret) => {
        const heard = listen()
        heard.log.info(made(secret), 'x')
        expect(() => JSON.parse(heard.lines[0]!) as unknown).not.toThrow()
        expect(heard.text()).not.toContain(secret)
      })
    )
  })
})

test('any fields and any message make a line of JSON', () => {
  assert(
    property(object(), string(), letters(8), (fields, message, secret) => {
      const heard = listen({ secrets: [secret] })
      heard.log.info({ fields: { ...fields, url: `?token=${message}` } }, message)
      expect(() => JSON.parse(heard.lines[0]!) as unknown).not.toThrow()
    })
  )
})

test('[T18] every secret of the configuration is one that the log conceals', () => {
  const secret = fields.filter((field) => field.secret)
  expect(secret.length).toBeGreaterThan(5)
  const config = resolveConfig(fromFlags(secret.map(({ path }, i) => `${path}=value-${i}-of-a-secret`)))
  expect(secretsOf(config)).toEqual(secret.map((_field, i) => `value-${i}-of-a-secret`))
  // And whoever adds an option with such a name has to say that it is secret.
  for (const { path, type, secret: marked } of fields)
    if (type === 'string' && isSecretName(path.split('.').at(-1)!) && !path.endsWith('File'))
      expect([path, marked]).toEqual([path, true])
})
