/** The HTTP server: fastify with our limits, our errors, the OpenAPI document, and every route mounted on it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyReply } from 'fastify'
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Hop } from '../feed/hops.ts'
import type { Log } from '../ops/log.ts'
import { topicsOf } from './asked.ts'
import type { Admission } from './admission.ts'
import { tokenIn, tokenOf, type Auth } from './auth.ts'
import { answerErrors, errorBody, errorSchema, RequestError } from './errors.ts'
import { mountArbitration } from './arbitration.ts'
import { mountBooks } from './books.ts'
import { mountConfidence } from './confidence.ts'
import { mountGaps } from './gaps.ts'
import { mountHealth, type HealthOptions } from './health.ts'
import { mountListings } from './listings.ts'
import { mountPage } from './page.ts'
import { mountLatency } from './latency.ts'
import { mountMoves } from './moves.ts'
import { mountRest, type App, type RestOptions } from './rest.ts'
import type { createSse } from './sse.ts'
import { findRoute } from './door.ts'

/** Answers in place of a dialect's route: how the street injects its HTTP faults. */
export type Tamper = (route: string) => { status: number; body: unknown; headers?: Record<string, string> } | undefined

export type HttpOptions = RestOptions &
  Omit<HealthOptions, 'epoch'> & {
    sse: ReturnType<typeof createSse>
    auth: Auth
    admission: Admission
    page: string | undefined
    tamper: Tamper | undefined
    log: Log
    /** All stages, that of the gateway too. */
    hops: () => readonly Hop[]
  }

/** Without a token: the page, the documents, and whether we are alive. */
const OPEN = /^\/(?:health|ready|docs(?:\/.*)?|assets\/.*|[^/]*\.[a-z0-9]+)?$/
const MAX_BODY = 64 * 1024

/** Refuses whom the WebSockets refuse by name, and lets the pages that may open one read the answers as well. */
function admit(app: App, { admission, dialects, clock }: HttpOptions): void {
  const named = dialects.flatMap(({ keys }) => keys?.headers ?? [])
  const allowed = ['authorization', 'content-type', 'last-event-id', 'x-api-key', ...named].join(', ')
  app.addHook('onRequest', (request, reply, done) => {
    const { origin, host } = request.headers
    // By the clock that we are handed: a street's may be wrong on purpose.
    reply.header('date', new Date(clock()).toUTCString())
    reply.header('x-content-type-options', 'nosniff').header('vary', 'Origin')
    if ((request.raw.headersDistinct.host?.length ?? 1) > 1)
      return done(new RequestError('BAD_MESSAGE', 'there is more than one Host header'))
    const fault = admission.hostFault(host)
    if (fault) return done(new RequestError('FORBIDDEN', fault))
    if (origin !== undefined && admission.allows(origin, host ?? '')) {
      reply.header('access-control-allow-origin', origin)
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

/** The clients of a dialect bring the token in its places, and are refused in its words. */
function requireToken(app: App, { auth, dialects }: HttpOptions): void {
  if (!auth.required) return
  app.addHook('onRequest', (request, reply, done) => {
    const path = request.url.split('?')[0]!
    if (OPEN.test(path)) return done()
    const keys = dialects.find(({ under }) => under !== undefined && path.startsWith(under))?.keys
    const own = keys && tokenIn(keys, request.headers, request.query as Record<string, string | string[]>)
    const token = own ?? tokenOf(request.headers)
    if (token !== undefined && auth.check(token) !== undefined) return done()
    if (!keys) return done(new RequestError('UNAUTHORIZED', 'send a token: Authorization: Bearer …'))
    const { status, body, headers = {} } = keys.refusal(token !== undefined)
    return void reply.status(status).headers(headers).send(body)
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
    const socket = findRoute(dialects, path) !== undefined
    const methods = socket ? ['GET'] : methodsOf(path)
    if (methods.length > 0 && !methods.includes(request.method)) {
      const message = `${path} answers ${methods.join(', ')}, not ${request.method}`
      return reply.status(405).header('allow', methods.join(', ')).send(errorBody('BAD_METHOD', message))
    }
    if (socket) {
      const message = `${path} is a WebSocket: connect to it with ws:// instead of http://`
      return reply
        .status(426)
        .headers({ upgrade: 'websocket', connection: 'upgrade' })
        .send(errorBody('UPGRADE_REQUIRED', message))
    }
    const isPage =
      request.method === 'GET' && (request.headers.accept ?? '').includes('text/html') && !/^\/(?:v1|ws|docs)\b/.test(path)
    if (hasPage && isPage) return reply.header('cache-control', 'no-cache').sendFile('index.html')
    return reply.status(404).send(errorBody('NOT_FOUND', `there is nothing at ${path}; see /docs`))
  })
}

function mountDialects(app: App, { dialects, desk, clock, tamper }: HttpOptions): void {
  for (const { name, http = [] } of dialects)
    for (const { route, answer } of http) {
      const [method = 'GET', url = '/'] = route.split(' ')
      app.route({
        method,
        url,
        schema: { tags: [name], summary: `As in the protocol of ${name}` },
        async handler(request, reply) {
          const query = request.query as Record<string, string | string[]>
          const path = decodeURIComponent(request.url.split('?')[0]!)
          const { status, body, headers } =
            tamper?.(route) ?? (await answer({ method: request.method, path, query, body: request.body }, desk, clock()))
          return reply
            .status(status)
            .headers(headers ?? {})
            .send(body)
        }
      })
    }
}

function mountSse(app: App, { sse, auth }: HttpOptions): void {
  app.get(
    '/v1/events',
    {
      schema: {
        tags: ['market'],
        summary: 'Events as a text/event-stream; Last-Event-ID resumes exactly',
        querystring: z.object({ topics: topicsOf('trade:BTC-USDT,quote:BTC-USDT') }),
        response: { 200: z.string().describe('text/event-stream'), 400: errorSchema, 404: errorSchema, 422: errorSchema }
      }
    },
    (request, reply) => {
      const topics = request.query.topics.split(',').filter((topic) => topic !== '')
      const last = request.headers['last-event-id']
      const token = tokenOf(request.headers)
      const user = token === undefined ? undefined : auth.check(token)
      const cors = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])
      sse.open(reply.raw, topics, typeof last === 'string' ? last : undefined, Object.fromEntries(cors), user)
      reply.hijack()
    }
  )
}

function describe(app: App, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tickwire', description: 'Market data as it is now. The streams are on /v1/ws and /v1/events.', version }
    },
    transform: jsonSchemaTransform
  })
  void app.register(swaggerUi, { routePrefix: '/docs' })
}

export function createHttp(options: HttpOptions): App {
  const app: App = fastify({
    bodyLimit: MAX_BODY,
    return503OnClosing: true,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    http: { connectionsCheckingInterval: 500, headersTimeout: 4_000, requestTimeout: 10_000, maxHeaderSize: 16_384 },
    frameworkErrors: (error, _request, reply: unknown) => {
      void (reply as FastifyReply).status(error.statusCode ?? 400).send(errorBody('BAD_MESSAGE', error.message))
    }
  })
  app.setValidatorCompiler(validatorCompiler)
  // Answers are ours: their schemas describe them, and are held to them by tests, not at run time.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  answerErrors(app, options.log)
  const methodsOf = watchRoutes(app)
  admit(app, options)
  requireToken(app, options)
  describe(app, options.sources.build.version)
  // After the OpenAPI plugin, which only sees routes that come later.
  void app.register((scope, _options, done) => {
    const routes = scope as unknown as App
    mountListings(routes, options)
    mountRest(routes, options)
    mountConfidence(routes, options)
    mountArbitration(routes, options)
    mountGaps(routes, options)
    mountBooks(routes, options)
    mountSse(routes, options)
    mountMoves(routes, options)
    mountLatency(routes, options.hops)
    mountHealth(routes, { ...options, epoch: options.desk.epoch })
    mountDialects(routes, options)
    done()
  })
  answerNotFound(app, options, methodsOf, mountPage(app, options.page))
  return app
}
