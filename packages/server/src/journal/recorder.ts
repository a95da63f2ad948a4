/** What is written down of a running server: wraps what the feed is handed, so that the feed knows nothing of it. */
import { nameOf, type Topic } from '@tickwire/protocol'
import type { Reply, Request, Transport } from '../connection/http.ts'
import type { Dial, Hooks, Link, Target } from '../connection/link.ts'
import type { Plant } from '../plant/plant.ts'
import type { Conceal } from './conceal.ts'
import type { Entry } from './journal.ts'

type Append = (entry: Entry) => void
type Want = (topic: Topic) => { upstream: 'live' | 'pending'; release: () => void }

/** What the feed publishes; services publish into the plant itself, since a replay makes theirs anew. */
export const recordEvents = (plant: Plant, append: Append): Plant => ({
  ...plant,
  publish(topic, event, now) {
    const published = plant.publish(topic, event, now)
    append({ type: 'event', time: now, event: published })
    return published
  }
})

/** Connections count up over all that is recorded, by provider. */
export function recordTraffic(append: Append, conceal: Conceal, clock: () => number) {
  const connections = new Map<string, number>()

  const dialOf =
    (provider: string, dial: Dial): Dial =>
    (target: Target, hooks: Hooks): Link => {
      const connection = (connections.get(provider) ?? 0) + 1
      connections.set(provider, connection)
      const at = () => ({ time: clock(), provider, connection })
      const link = dial(target, {
        ...hooks,
        onOpen() {
          append({ type: 'opened', ...at(), url: conceal.address(target.url) })
          hooks.onOpen()
        },
        onFrame(frame) {
          append({ type: 'frame', ...at(), frame: conceal.received(frame) })
          hooks.onFrame(frame)
        },
        onClose(ending) {
          append({ type: 'closed', ...at(), reason: conceal.text(ending.reason) })
          hooks.onClose(ending)
        }
      })
      return {
        ...link,
        send(frame) {
          append({ type: 'sent', ...at(), frame: conceal.sent(frame) })
          link.send(frame)
        },
        close() {
          append({ type: 'closed', ...at(), reason: 'closed by us' })
          link.close()
        }
      }
    }

  const transportOf =
    (provider: string, transport: Transport): Transport =>
    async (request: Request): Promise<Reply> => {
      const reply = await transport(request)
      const path = conceal.address(request.path)
      if (reply.ok) {
        const { status, headers, body } = reply
        append({
          type: 'answer',
          time: clock(),
          provider,
          path,
          status,
          headers: conceal.headers(headers),
          body: conceal.body(body)
        })
      }
      return reply
    }

  const wanting =
    (want: Want): Want =>
    (topic) => {
      const name = nameOf(topic)
      append({ type: 'want', time: clock(), topic: name })
      const { upstream, release } = want(topic)
      return {
        upstream,
        release() {
          append({ type: 'release', time: clock(), topic: name })
          release()
        }
      }
    }

  return { dialOf, transportOf, wanting }
}
