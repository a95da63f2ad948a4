/** What is asked of every HTTP request before a route sees it: not too many, a token where one is needed, and its scope. */
import type { Dialect } from '../dialects/dialect.ts'
import type { AddressOf } from './address.ts'
import { tokenIn, tokenOf, type Auth, type Scope } from './auth.ts'
import { RequestError } from './errors.ts'
import type { Quotas } from './quotas.ts'
import type { App } from './rest.ts'
import type { Visitor, Visitors } from './visitors.ts'

export type PermitOptions = {
  auth: Auth
  addressOf: AddressOf
  quotas: Quotas
  visitors: Visitors
  dialects: readonly Dialect<any>[]
  clock: () => number
}

/** Without a token: the page, the documents, and whether we are alive. */
const OPEN = /^\/(?:health|api\/core\/health|ready|docs(?:\/.*)?|assets\/.*|[^/]*\.[a-z0-9]+)?$/
/** Never counted: whoever watches over us must not be sent away. */
const PROBES = /^\/(?:health|ready)$/
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Our own commands change what everybody sees; a replay is seen by who ordered it. By the route that was found: its address may be written in many ways. */
const scopeFor = (method: string, route: string | undefined): Scope =>
  READS.has(method) || route?.startsWith('/v1/') === false || route?.startsWith('/v1/replays') === true ? 'read' : 'admin'

const late = (message: string, wait: number): RequestError => new RequestError('RATE_LIMITED', message, undefined, wait)

export function permit(app: App, { auth, addressOf, quotas, visitors, dialects, clock }: PermitOptions): void {
  const known = new WeakMap<object, Visitor>()

  app.addHook('onRequest', (request, _reply, done) => {
    const { remoteAddress } = request.raw.socket
    const visitor: Visitor = { address: addressOf(remoteAddress, request.headers['x-forwarded-for']), who: undefined }
    known.set(request, visitor)
    const wait = PROBES.test(request.url) ? 0 : quotas.request({ address: visitor.address })
    return wait > 0 ? done(late('too many requests of this address', wait)) : done()
  })

  /** The clients of a dialect bring the token in its places, and are refused in its words. */
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    if (!auth.required || OPEN.test(path)) return
    const keys = dialects.find(({ under }) => under !== undefined && path.startsWith(under))?.keys
    const own = keys && tokenIn(keys, request.headers, request.query as Record<string, string | string[]>)
    const token = own ?? tokenOf(request.headers)
    const visitor = known.get(request)
    const tried = token === undefined ? {} : await auth.try(token, visitor?.address ?? '', clock)
    // Whoever went meanwhile will not be told so again: a stream for him would never end.
    if (reply.raw.destroyed) throw new RequestError('UNAVAILABLE', 'gone')
    if (tried.wait !== undefined) throw late('too many wrong tokens', tried.wait)
    if (visitor && tried.who) {
      const scope = scopeFor(request.method, request.routeOptions.url)
      if (!tried.who.scopes.has(scope)) throw new RequestError('FORBIDDEN', `this token lacks the scope ${scope}`)
      visitor.who = tried.who
      const wait = quotas.request({ user: tried.who.user })
      if (wait > 0) throw late('too many requests of this user', wait)
      return
    }
    if (!keys) throw new RequestError('UNAUTHORIZED', 'send a token: Authorization: Bearer …')
    const { status, body, headers = {} } = keys.refusal(token !== undefined)
    await reply.status(status).headers(headers).send(body)
  })

  // Last before the route: what reads a body would lose it.
  app.addHook('preHandler', (request, _reply, done) => {
    const visitor = known.get(request)
    return visitor ? visitors.run(visitor, done) : done()
  })
}
