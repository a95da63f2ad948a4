/** The OpenAPI document, made of the routes' schemas; what is true of all of them is said here once. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { errorSchema } from './errors.ts'
import type { App } from './rest.ts'

const DESCRIPTION = `Market data as it is now. The streams are on /v1/ws (WebSocket, PROTOCOL.md) and /v1/events (server-sent events).

Who polls sends back the ETag of the answer before as If-None-Match, and gets 304 while nothing differs; /v1/last also tells only
what is new since a cursor, and holds the request until there is something. Whatever is wrong is told as {"error": {…}}.`

const ERRORS: Readonly<Record<number, string>> = {
  400: 'What was asked for is not of its form; the text names the field.',
  401: 'A token is needed, or this one is not valid.',
  403: 'Not with this token, from this page’s origin or under this host name; or its source forbids redistribution.',
  404: 'Nobody lists it, or there is no value yet.',
  422: 'More topics than one stream may have.',
  429: 'Too many requests or connections; Retry-After says when to come back.',
  503: 'The server or every provider of this is down; Retry-After says when to come back.'
}
/** They come of what every request meets, whatever it asks for. */
const OF_ALL = [401, 403, 429, 503]
const TAG = { type: 'string', description: 'send it back as If-None-Match' }
const IF_NONE_MATCH = { type: 'string', description: 'the ETag of the answer that you have' }
const NOT_MODIFIED = { description: 'It is as it was when you got that ETag.', type: 'null', headers: { ETag: TAG } }

type Json = Record<string, unknown>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const partOf = (whole: Json, name: string): Json => {
  const part = whole[name]
  return isJson(part) ? part : {}
}

function errorsIn(response: Json): Json {
  const schema = z.toJSONSchema(errorSchema, { target: 'draft-2020-12' })
  delete schema.$schema
  const own = Object.keys(response).filter((status) => Number(status) >= 400)
  const all = [...new Set([...own.map(Number), ...OF_ALL])]
  return Object.fromEntries(all.map((status) => [status, { ...schema, description: ERRORS[status] ?? 'An error.' }]))
}

/** Adds to a route of our own what every one of them has. */
function complete(schema: Json, method: string): Json {
  const response = partOf(schema, 'response')
  const status = '201' in response ? '201' : '200'
  const success = partOf(response, status)
  const described = 'content' in success ? success : { description: 'What was asked for.', ...success }
  const all: Json = { ...response, [status]: described, ...errorsIn(response) }
  // A stream is never as it was.
  if (method !== 'GET' || 'text/event-stream' in partOf(success, 'content')) return { ...schema, response: all }
  const headers = partOf(schema, 'headers')
  const asked = { type: 'object', ...headers, properties: { ...partOf(headers, 'properties'), 'If-None-Match': IF_NONE_MATCH } }
  const tagged = { ...described, headers: { ETag: TAG } }
  return { ...schema, headers: asked, response: { ...all, 200: tagged, 304: NOT_MODIFIED } }
}

/** What `*` matches goes by the name that the route gives it, where it does. */
function named<Made extends { schema: unknown; url: string }>(made: Made): Made {
  const [name] = isJson(made.schema) ? Object.keys(partOf(partOf(made.schema, 'params'), 'properties')) : []
  return name !== undefined && made.url.endsWith('/*') ? { ...made, url: made.url.replace(/\*$/, `:${name}`) } : made
}

export function describe(app: App, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tickwire', description: DESCRIPTION, version },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'an API key of ours (tw_…), or a JWT' },
          key: { type: 'apiKey', in: 'header', name: 'X-API-Key' }
        }
      },
      // The last: a gateway without any key lets in everybody.
      security: [{ bearer: [] }, { key: [] }, {}]
    },
    transform(document) {
      const made = named(jsonSchemaTransform(document))
      const isOurs = made.url.startsWith('/v1/') && isJson(made.schema) && made.schema.hide !== true
      return isOurs ? { ...made, schema: complete(made.schema as Json, String(document.route.method)) } : made
    }
  })
  void app.register(swaggerUi, { routePrefix: '/docs' })
}
