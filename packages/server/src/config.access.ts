/** The options of who may connect, how much of the gateway he may have, and what may be passed on to him. */
import { z } from 'zod'
import { hash, list } from './config.fields.ts'
import { providers } from './providers/index.ts'

/** What one address, or one user, may have over all connections. */
export const allowance = (whose: string, connections: number, topics: number, messages: number, requests: number) => {
  const most = (fallback: number, what: string) =>
    z.coerce.number().int().min(0).default(fallback).describe(`Most ${what} of one ${whose}; 0 is without limit.`)
  return z
    .strictObject({
      connections: most(connections, 'connections'),
      topics: most(topics, 'topics held at once'),
      messages: most(messages, 'messages a minute'),
      requests: most(requests, 'REST requests a minute')
    })
    .prefault({})
    .describe(`What one ${whose} may have.`)
}

export const auth = z
  .strictObject({
    keys: list([], "SHA-256 (hex) of each of the operator's own tokens; they may do everything.", hash),
    store: z
      .string()
      .default('tickwire.keys.db')
      .describe('File of the API keys that `tickwire keys` makes; once there is one, nobody comes in without a token.'),
    insecure: z
      .boolean()
      .default(false)
      .describe('Listen on an address that others reach although nobody needs a token there, as `--insecure` says.'),
    wrongTokens: z.coerce
      .number()
      .int()
      .min(1)
      .default(10)
      .describe('Wrong tokens a minute, of one address or account, after which 429 is the answer.'),
    jwt: z
      .strictObject({
        secret: z.string().optional().meta({ secret: true }).describe('Secret of tokens signed with HS256; 32 bytes or more.'),
        secretFile: z.string().optional().describe('File that holds it.'),
        jwks: z
          .string()
          .optional()
          .describe('File or https address of the JWKS with the Ed25519 keys of tokens signed with EdDSA.'),
        issuer: z.string().optional().describe('What `iss` must be; needed with a JWKS.'),
        audience: z.string().min(1).default('tickwire').describe('What `aud` must hold.')
      })
      .prefault({})
      .describe('JSON Web Tokens.')
  })
  .prefault({})
  .describe('Who may connect.')

const provider = z
  .string()
  .refine((name) => name === '*' || Object.hasOwn(providers, name), `it takes ${Object.keys(providers).join(', ')}, or *`)

export const redistribution = z
  .strictObject({
    owner: list(
      ['owner'],
      'Users to whom goes what a source forbids to pass on (docs/providers). Of a server on loopback without keys everybody is the owner.'
    ),
    allow: list([], 'Providers with whom you agreed otherwise: theirs goes to everybody. "*" is all.', provider)
  })
  .prefault({})
  .describe('What may be passed on, in live mode.')
