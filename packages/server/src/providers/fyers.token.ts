/** What the access token, a JWT, says of itself: the key of the data socket and when it ends. */
import type { Access } from './adapter.ts'
import { isTime } from './time.ts'
import { isRecord } from './values.ts'

/** `APPID:TOKEN`, in the key alone, or the app in the key and the token in the secret. */
export const bearerOf = ({ key = '', secret }: Access): string => (secret === undefined ? key : `${key}:${secret}`)

export const authorization = (access: Access): Readonly<Record<string, string>> => ({ authorization: bearerOf(access) })

function claimsOf(access: Access): Record<string, unknown> {
  try {
    const payload = bearerOf(access).split(':').at(-1)?.split('.')[1] ?? ''
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return isRecord(claims) ? claims : {}
  } catch {
    return {}
  }
}

/** Nothing where the token is none of theirs. */
export function socketKey(access: Access): string | undefined {
  const { hsm_key: key } = claimsOf(access)
  return typeof key === 'string' && key !== '' ? key : undefined
}

const DAY = 86_400_000
/** 06:00 in India, which keeps one time all year, is 00:30 UTC. */
const ROLL = 1_800_000

/** Tokens roll at 06:00 in India: where the token does not say when it ends, it is the next such time after it was made. */
export function expiryOf(access: Access): number | undefined {
  const { exp, iat } = claimsOf(access)
  const end = Number(exp) * 1000
  if (typeof exp === 'number' && isTime(end)) return end
  const made = Number(iat) * 1000
  return typeof iat === 'number' && isTime(made) ? made - ((made - ROLL) % DAY) + DAY : undefined
}
