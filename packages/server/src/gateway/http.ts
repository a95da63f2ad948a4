/** The HTTP server: fastify with our limits, our errors, the OpenAPI document, and every route mounted on it. */
import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyReply } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Hop } from '../feed/hops.ts'
import type { Asks, Hands } from '../dialects/dialect.ts'
import type { Log } from '../ops/log.ts'
import { notLetIn, type Admission } from './admission.ts'
import { isWebSocket, refuseBytes, refuseExpectation } from './broken.ts'
import { answerErrors, errorBody, RequestError } from './errors.ts'
import { tagAnswers } from './etag.ts'
import { mountArbitration } from './arbitration.ts'
import { mountBooks } from './books.ts'
import { mountCandles } from './candles.ts'
import { mountConfidence } from './confidence.ts'
import { mountGaps } from './gaps.ts'
import { mountHealth, type HealthOptions } from './health.ts'
import { mountLast } from './last.ts'
import { mountListings } from './listings.ts'
import { mountPage } from './page.ts'
import { mountLatency } from './latency.ts'
import type { Meters } from './meters.ts'
import { mountMoves } from './moves.ts'
import { describe } from './openapi.ts'
import { permit, type PermitOptions } from './permit.ts'
import type { Polls } from './polls.ts'
import { mountRecordings } from './recordings.ts'
import { ADDRESS } from './halls.ts'
import { mountReplays, type ReplayRoutes } from './replays.ts'
import { mountRest, type App, type RestOptions } from './rest.ts'
import type { createShelves } from './shelf.ts'
import { mountSse } from './sse.route.ts'
import { mountTrades } from './trades.ts'
import type { createSse } from './sse.ts'
import { findRoute } from './door.ts'

/** Answers in place of a dialect's route: how the street injects its HTTP faults. */
export type Tamper = (route: string) => { status: number; body: unknown; headers?: Record<string, string> } | undefined

export type HttpOptions = RestOptions &
  Omit<HealthOptions, 'epoch'> &
  PermitOptions &
  ReplayRoutes & {
    sse: ReturnType<typeof createSse>
    polls: Polls
    admission: Admission
    meters: Meters
    shelves: ReturnType<typeof createShelves>
    page: string | undefined
    tamper: Tamper | undefined
    log: Log
    /** All stages, that of the gateway too. */
    hops: () => readonly Hop[]
  }

const MAX_BODY = 64 * 1024

const keyHeaders = (dialects: HttpOptions['dialects']): string[] => dialects.flatMap(({ keys }) => keys?.headers ?? [])

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A page of elsewhere cannot read the answer, but what a command does would be done: its browser says where it is from. */
function strangerIn({ method = '', headers }: IncomingMessage, admission: Admission): string | undefined {
  if (SAFE.has(method)) return undefined
  const { origin, host = '', 'sec-fetch-site': site } = headers
  if (origin === undefined)
    return site === 'cross-site' || site === 'same-site' ? 'pages of elsewhere may not command anything here' : undefined
  return admission.allows(origin, host) ? undefined : notLetIn(origin)
}

/** Refuses whom the WebSockets refuse by name, and lets the pages that may open one read the answers as well. */
function admit(app: App, { admission, dialects, clock }: HttpOptions): void {
  const allowed = ['authorization', 'content-type', 'if-none-match', 'last-event-id', 'x-api-key', ...keyHeaders(dialects)].join(
    ', '
  )
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, host } = request.headers
    // By the clock that we are handed: a street's may be wrong on purpose.
    reply.header('date', new Date(clock()).toUTCString())
    reply.header('x-content-type-options', 'nosniff').header('vary', 'Origin')
    // Not taken up; and Node reads no request that was sent right behind such an offer.
    if (request.headers.upgrade !== undefined) reply.header('connection', 'close')
    if ((request.raw.headersDistinct.host?.length ?? 1) > 1)
      return done(new RequestError('BAD_MESSAGE', 'there is more than one Host header'))
    if (host === undefined && request.raw.httpVersion === '1.1')
      return done(new RequestError('BAD_MESSAGE', 'the Host header is missing'))
    if (request.raw.httpVersionMajor < 1) return done(new RequestError('BAD_MESSAGE', 'a request names its version: HTTP/1.1'))
    // Where a path is both, an answer would hide from the client that its handshake lacks something.
    if (request.headers['sec-websocket-key'] !== undefined && request.method === 'GET')
      return done(new RequestError('UPGRADE_REQUIRED', 'a WebSocket handshake needs Connection: Upgrade and Upgrade: websocket'))
    const fault = admission.hostFault(host)
    if (fault) return done(new RequestError('FORBIDDEN', fault))
    const stranger = strangerIn(request.raw, admission)
    if (stranger !== undefined) return done(new RequestError('FORBIDDEN', stranger))
    if (origin !== undefined && admission.allows(origin, host ?? '')) {
      reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'ETag, Retry-After')
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined)
        return void reply
          .header('access-control-allow-methods', 'GET, HEAD, POST, PUT, DELETE')
          .header('access-control-allow-headers', allowed)
          .header('access-control-max-age', '600')
          .status(204)
          .send()
    }
    return done()
  })
}

/** Most of our own commands take nothing but their address: what somebody put into a body must not be thought to have counted. */
function refuseBodies(app: App): void {
  app.addHook('preValidation', (request, _reply, done) => {
    const { body, routeOptions } = request
    if (routeOptions.schema?.body !== undefined) return done()
    if (body === undefined || body === null || routeOptions.url?.startsWith('/v1/') !== true) return done()
    const [field = 'body'] = typeof body === 'object' ? Object.keys(body) : []
    done(new RequestError('BAD_MESSAGE', `${field}: not known here; ${routeOptions.url} takes no body`))
  })
}

/** Knows every route, so that a wrong method is told from a wrong address. */
function watchRoutes(app: App): (path: string) => string[] {
  const routes: { method: string; pattern: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    if (url === '*' || url === '/*') return
    const pattern = url
      .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll(/:[^/]+/g, '[^/]+')
      .replaceAll('*', '.*')
    for (const each of [method].flat()) routes.push({ method: each, pattern: new RegExp(`^${pattern}$`) })
  })
  return (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
}

function answerNotFound(app: App, { dialects }: HttpOptions, methodsOf: (path: string) => string[], hasPage: boolean): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const socket = findRoute(dialects, path) !== undefined || ADDRESS.test(path)
    const methods = socket ? ['GET'] : methodsOf(path)
    if (methods.length > 0 && !methods.includes(request.method)) {
      const message = `${path} answers ${methods.join(', ')}, not ${request.method}`
      return reply.status(405).header('allow', methods.join(', ')).send(errorBody('BAD_METHOD', message))
    }
    if (socket) {
      const message = `${path} is a WebSocket: connect to it with ws:// instead of http://`
      return reply
        .status(426)
        .headers({ upgrade: 'websocket', connection: request.headers.upgrade === undefined ? 'upgrade' : 'upgrade, close' })
        .send(errorBody('UPGRADE_REQUIRED', message))
    }
    const isPage =
      request.method === 'GET' && (request.headers.accept ?? '').includes('text/html') && !/^\/(?:v1|ws|docs)\b/.test(path)
    if (hasPage && isPage) return reply.header('cache-control', 'no-cache').sendFile('index.html')
    return reply.status(404).send(errorBody('NOT_FOUND', `there is nothing at ${path}; see /docs`))
  })
}

/** Somebody else's protocol: his own documents say more of it than we could. */
const THEIRS = { default: z.unknown().describe('As that protocol says, also what is wrong.') }

/** What is asked is looked at by the dialect alone, whose own words tell what is wrong. */
const asItCame = () => (value: unknown) => ({ value })
const askedOf = ({ query, path, body }: Asks) =>
  Object.fromEntries(Object.entries({ querystring: query, params: path, body }).filter(([, schema]) => schema !== undefined))

function mountDialects(app: App, { dialects, desk, clock, tamper, reader, shelves, visitors }: HttpOptions): void {
  for (const { name, http = [] } of dialects) {
    const handsOf = (): Hands => ({ read: (topic) => reader.last(topic), ...shelves.of(name, visitors.now()?.who?.user) })
    for (const { route, answer, answers = THEIRS, asks = {} } of http) {
      const [method = 'GET', url = '/'] = route.split(' ')
      app.route({
        method,
        url,
        schema: { tags: [name], summary: `As in the protocol of ${name}`, response: answers, ...askedOf(asks) },
        validatorCompiler: asItCame,
        async handler(request, reply) {
          const query = request.query as Record<string, string | string[]>
          const path = decodeURIComponent(request.url.split('?')[0]!)
          const asked = { method: request.method, path, query, body: request.body }
          const { status, body, headers } = tamper?.(route) ?? (await answer(asked, desk, clock(), handsOf()))
          return reply
            .status(status)
            .headers(headers ?? {})
            .send(body)
        }
      })
    }
  }
}

export function createHttp(options: HttpOptions): App {
  const app: App = fastify({
    bodyLimit: MAX_BODY,
    // Of the whole request, with its body: fastify's own, for it writes over what `http` says.
    requestTimeout: 5_000,
    return503OnClosing: true,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    http: {
      connectionsCheckingInterval: 500,
      headersTimeout: 4_000,
      maxHeaderSize: 16_384,
      // Looked at by us, so that it is refused in our words.
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocket
    },
    clientErrorHandler: refuseBytes(options.meters),
    frameworkErrors: (error, _request, reply: unknown) => {
      void (reply as FastifyReply).status(error.statusCode ?? 400).send(errorBody('BAD_MESSAGE', error.message))
    }
  })
  app.server.on('checkExpectation', refuseExpectation(options.meters))
  app.setValidatorCompiler(validatorCompiler)
  // Answers are ours: their schemas describe them, and are held to them by tests, not at run time.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  answerErrors(app, options.log)
  const methodsOf = watchRoutes(app)
  tagAnswers(app, { auth: options.auth, keyHeaders: keyHeaders(options.dialects) })
  admit(app, options)
  permit(app, options)
  refuseBodies(app)
  describe(app, options.sources.build.version)
  // After the OpenAPI plugin, which only sees routes that come later.
  void app.register((scope, _options, done) => {
    const routes = scope as unknown as App
    mountListings(routes, options)
    mountRest(routes, options)
    mountCandles(routes, options)
    mountTrades(routes, options)
    mountLast(routes, options)
    mountConfidence(routes, options)
    mountArbitration(routes, options)
    mountGaps(routes, options)
    mountBooks(routes, options)
    mountSse(routes, options)
    mountMoves(routes, options)
    mountReplays(routes, options)
    mountRecordings(routes, options)
    mountLatency(routes, options.hops)
    mountHealth(routes, { ...options, epoch: options.desk.epoch })
    mountDialects(routes, options)
    done()
  })
  answerNotFound(app, options, methodsOf, mountPage(app, options.page))
  return app
}
