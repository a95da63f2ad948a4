/** Tokens for the tests: right ones, and the forged ones that everybody knows. */
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export const SECRET = 'a secret of the tests that is long enough'
export const ISSUER = 'https://id.example'
export const seconds = (ms: number): number => Math.floor(ms / 1_000)
export const pair = generateKeyPairSync('ed25519')
export const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'EdDSA' }
export const jwksText = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'other', n: 'AQAB', e: 'AQAB' }, jwk] })

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export const claimsAt = (now: number) => ({
  sub: 'ann',
  iss: ISSUER,
  aud: 'tickwire',
  iat: seconds(now),
  exp: seconds(now) + 3_600,
  scope: 'read'
})

const hmac = (signed: string, secret: string | Buffer, hash = 'sha256'): string =>
  `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`

export const hs256 = (claims: object, header: object = {}, secret: string | Buffer = SECRET): string =>
  hmac(`${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claims)}`, secret)

/** Signed by our secret whatever it is made of. */
const signedAsItIs = (claims: Buffer, header = Buffer.from('{"alg":"HS256"}')): string =>
  hmac(`${header.toString('base64url')}.${claims.toString('base64url')}`, SECRET)

export function eddsa(claims: object, header: object = { kid: 'one' }, key: KeyObject = pair.privateKey): string {
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT', ...header })}.${part(claims)}`
  return `${signed}.${sign(undefined, Buffer.from(signed), key).toString('base64url')}`
}

const unsigned = (claims: object, alg: string, tail = ''): string => `${part({ alg, typ: 'JWT' })}.${part(claims)}.${tail}`

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The same bytes: the last letter of a signature holds bits that nobody reads. */
export const respelled = (token: string): string => token.slice(0, -1) + LETTERS[LETTERS.indexOf(token.at(-1) ?? '') ^ 1]

const without = (claims: object, name: string): object =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))

/** None of them may be let in. Each says what is wrong with it. */
export function forgedAt(now: number): [what: string, token: string][] {
  const right = claimsAt(now)
  const stranger = generateKeyPairSync('ed25519')
  const own = { ...stranger.publicKey.export({ format: 'jwk' }), kid: 'one' }
  const [head = '', , tail = ''] = hs256(right).split('.')
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' })
  return [
    ['algorithm none', unsigned(right, 'none')],
    ['algorithm None', unsigned(right, 'None')],
    ['algorithm nOnE with a signature', unsigned(right, 'nOnE', tail)],
    ['another secret', hs256(right, {}, 'another secret that is long enough too')],
    ['an empty secret', hs256(right, {}, '')],
    ['the public key as a secret, in PEM', hs256(right, { kid: 'one' }, pem)],
    ['the public key as a secret, its bytes', hs256(right, { kid: 'one' }, Buffer.from(jwk.x ?? '', 'base64url'))],
    ['a key of its own in jwk', eddsa(right, { jwk: own }, stranger.privateKey)],
    ['a key of its own under our id', eddsa(right, { kid: 'one' }, stranger.privateKey)],
    ['an address of keys in jku', eddsa(right, { kid: 'one', jku: 'https://evil.example/jwks.json' })],
    ['a chain of certificates in x5c', eddsa(right, { kid: 'one', x5c: ['MIIB'] })],
    ['a path in kid', hs256(right, { kid: '../../../../dev/null' }, '')],
    ['a query in kid', eddsa(right, { kid: "one' union select '" })],
    ['an extension that must be understood', hs256(right, { crit: ['b64'], b64: false })],
    ['expired', hs256({ ...right, exp: seconds(now) - 1 })],
    ['no end', hs256(without(right, 'exp'))],
    ['an end in words', hs256({ ...right, exp: '9999999999' })],
    ['not yet begun', hs256({ ...right, nbf: seconds(now) + 600 })],
    ['for somebody else', hs256({ ...right, aud: 'another' })],
    ['for nobody', hs256(without(right, 'aud'))],
    ['of another issuer', hs256({ ...right, iss: 'https://evil.example' })],
    ['of nobody', hs256(without(right, 'sub'))],
    ['claims changed after signing', `${head}.${part({ ...right, scope: 'admin' })}.${tail}`],
    ['cut', hs256(right).slice(0, -5)],
    ['without a signature', `${hs256(right).split('.').slice(0, 2).join('.')}.`],
    ['a fourth part', `${hs256(right)}.x`],
    ['60 kB', hs256({ ...right, more: 'x'.repeat(44_000) })],
    ['claims that are no UTF-8', signedAsItIs(Buffer.from(JSON.stringify({ ...right, sub: 'ann\u00ff' }), 'latin1'))],
    ['claims behind a byte order mark', signedAsItIs(Buffer.from(`\ufeff${JSON.stringify(right)}`))],
    ['an end past all numbers', signedAsItIs(Buffer.from(JSON.stringify(right).replace(String(right.exp), '1e400')))],
    ['no token at all', 'null']
  ]
}

/** Nor any of these: what a library might let pass that reads them kindly. */
export function strangeAt(now: number): [what: string, token: string][] {
  const right = claimsAt(now)
  return [
    ['a header behind a byte order mark', signedAsItIs(Buffer.from(JSON.stringify(right)), Buffer.from('\ufeff{"alg":"HS256"}'))],
    ['claims that are a list', signedAsItIs(Buffer.from('[]'))],
    ['the right secret under another algorithm', hmac(`${part({ alg: 'HS512' })}.${part(right)}`, SECRET, 'sha512')],
    ['the right key under another name of its algorithm', eddsa(right, { alg: 'Ed25519', kid: 'one' })],
    ['an extension that jose understands', hs256(right, { crit: ['b64'], b64: true })],
    ['an address of certificates in x5u', eddsa(right, { kid: 'one', x5u: 'https://evil.example/x5u.pem' })],
    ['an id that is no text', hs256(right, { kid: 1 })],
    ['a type that is none', hs256(right, { typ: ['JWT'] })],
    ['another type', hs256(right, { typ: 'secevent+jwt' })],
    ['its signature spelled otherwise', respelled(hs256(right))],
    ['its signature padded', `${hs256(right)}=`],
    ['issued later than now', hs256({ ...right, iat: seconds(now) + 600 })],
    ['issued past all numbers', signedAsItIs(Buffer.from(JSON.stringify(right).replace(String(right.iat), '1e400')))],
    ['issued at nothing', hs256({ ...right, iat: null })],
    ['begun in words', hs256({ ...right, nbf: 'now' })],
    ['of somebody with too long a name', hs256({ ...right, sub: 'a'.repeat(129) })],
    ['of somebody without a name', hs256({ ...right, sub: '' })],
    ['of a number', hs256({ ...right, sub: 7 })],
    ['no issuer', hs256(without(right, 'iss'))]
  ]
}
