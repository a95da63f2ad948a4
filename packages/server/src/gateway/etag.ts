/**
 * ETags, for those who poll: an answer that they have already is 304 without a body. A route that knows what its answer
 * depends on sets the tag itself, which costs no body; all others are tagged by the hash of what they would send.
 */
import { hash } from 'node:crypto'
import type { Published } from '@tickwire/protocol'
import type { FastifyInstance } from 'fastify'
import { encodeCursor, encodeSeq } from './cursor.ts'

/** Whether the client has one of these: `If-None-Match` is compared weakly (RFC 9110, 13.1.2). */
export function isHeld(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = tag.replace(/^W\//, '')
  return ifNoneMatch.match(/"[^"]*"/g)?.includes(opaque) === true
}

/** Of an answer that is made of the last events of these topics: the same tag is the same bytes. */
export const tagOf = (epoch: string, topics: readonly string[], events: readonly (Published | undefined)[]): string => {
  const cursor = encodeCursor(
    epoch,
    topics,
    events.map((event) => encodeSeq(event?.seq ?? 0))
  )
  return cursor.length > 64 ? bodyTag(cursor) : `"${cursor}"`
}

export const bodyTag = (body: string): string => `"${hash('sha1', body, 'base64url')}"`

/** What watches over us must see us as we are now, and is another thing each time. */
const UNTAGGED = /^\/(?:health|ready|metrics|api\/core\/health|ws\/status)$/
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export function tagAnswers(
  app: FastifyInstance<any, any, any, any>,
  { auth, keyHeaders }: { auth: { required: boolean }; keyHeaders: readonly string[] }
): void {
  const personal = ['Authorization', 'X-API-Key', ...keyHeaders].join(', ')

  // Before the body is made, where the route knows its tag without it.
  app.addHook('preSerialization', (request, reply, payload, done) => {
    const tag = reply.getHeader('etag')
    const held = typeof tag === 'string' && reply.statusCode === 200 && isHeld(request.headers['if-none-match'], tag)
    if (held) reply.status(304)
    done(null, held ? '' : payload)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    if (auth.required) reply.header('vary', `${String(reply.getHeader('vary') ?? 'Origin')}, ${personal}`)
    const isText = typeof payload === 'string'
    const path = request.url.split('?')[0] ?? ''
    const canBeHeld = READS.has(request.method) && (reply.statusCode === 200 || reply.statusCode === 304) && isText
    if (!canBeHeld || UNTAGGED.test(path) || reply.getHeader('cache-control') === 'no-store') {
      // A stream is a file of the page, which knows best.
      if (isText && !reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
      return done(null, payload)
    }
    // Kept, but asked for each time; by whoever asked alone where answers may be of one user.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', auth.required ? 'private, no-cache' : 'no-cache')
    const tag = String(reply.getHeader('etag') ?? bodyTag(payload))
    reply.header('etag', tag)
    if (!isHeld(request.headers['if-none-match'], tag)) return done(null, payload)
    reply.status(304).removeHeader('content-type').removeHeader('content-length')
    return done(null, '')
  })
}
