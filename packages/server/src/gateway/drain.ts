/** HTTP answers under way: at shutdown newcomers are sent elsewhere, and whoever waits for an answer is given the time to get it. */
import { CLOSES } from '@tickwire/protocol'
import type { Timers } from '../timers.ts'
import { RequestError } from './errors.ts'
import { countAnswer, type Meters } from './meters.ts'
import type { App } from './rest.ts'

/** Whoever watches over us sees us go. */
const STILL_ANSWERED = /^\/(?:health|metrics)$/

export function createDrain(app: App, timers: Timers, meters: Meters) {
  let draining = false
  let underWay = 0
  let onLast: (() => void) | undefined

  app.addHook('onRequest', (request, reply, done) => {
    if (!draining || STILL_ANSWERED.test(request.url)) return done()
    reply.header('connection', 'close')
    return done(new RequestError('UNAVAILABLE', CLOSES[1001].meaning, undefined, 5))
  })
  // By the response's end, whatever brings it about: streams are taken out of the framework's hands.
  app.server.on('request', (_request, response) => {
    underWay++
    response.once('close', () => {
      countAnswer(meters, response.statusCode)
      if (--underWay === 0) onLast?.()
    })
  })

  return {
    begin: (): void => void (draining = true),
    /** Resolves when all have their answer, or after `within` milliseconds. */
    finished: (within: number): Promise<void> =>
      new Promise((resolve) => {
        const cancel = timers.after(within, resolve)
        const end = (onLast = () => {
          cancel()
          resolve()
        })
        if (underWay === 0) end()
      })
  }
}
