/** What is said, on WebSockets and by REST, of a service that this server does not have yet: never an acknowledgement. Pure. */
import { z } from 'zod'
import { absentAsks } from './asks.ts'
import type { Asks, Command, HttpAnswer } from './dialect.ts'
import { fail, say, type Message } from './ziggy.messages.ts'

const CODE = 'SERVICE_NOT_AVAILABLE'
const absence = (service: string): string => `the ${service} service is not part of this server yet`

/** The first message of a connection, so that nobody waits for what cannot come. */
export const greeting = (service: string, now: number): Command =>
  say('service_status', { data: { service, available: false, code: CODE, message: absence(service) } }, now)

export const notHere = (service: string, now: number): Command => fail(CODE, absence(service), { service }, now)

/** The same answer to each of these actions. */
export const allNotHere = (service: string, actions: readonly string[]) =>
  Object.fromEntries(
    actions.map((action) => [action, (_message: Message, _memory: unknown, now: number) => [notHere(service, now)]])
  )

const absent = z.object({
  error: z.object({ code: z.literal(CODE), message: z.string(), retry: z.literal(false), service: z.string() })
})

const asksOf = (route: string): Asks => {
  if (route.endsWith('*')) return { path: absentAsks.path }
  return route.startsWith('POST ') ? { body: absentAsks.body } : {}
}

/** 503 on each of these routes. */
export const missingRoutes = (service: string, routes: readonly string[]) =>
  routes.map((route) => ({
    route,
    answers: { 503: absent },
    asks: asksOf(route),
    answer: (): HttpAnswer => ({
      status: 503,
      body: { error: { code: CODE, message: absence(service), retry: false, service } }
    })
  }))
