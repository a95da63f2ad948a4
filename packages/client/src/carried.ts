/** The protocol of the WebSocket, spoken to our own machine by whatever carries it over HTTP: the greeting, tokens and names. */
import { PROTOCOL_VERSION, type ClientMessage, type DataFrame, type ServerMessage, type TopicResult } from '@tickwire/protocol'
import { closeFor, refusalIn, type Http } from './http.ts'
import type { Hello } from './state.ts'

export type Ground = {
  http: Http
  epoch: string
  now: () => number
  after: (ms: number, act: () => void) => () => void
  say: (message: ServerMessage | DataFrame) => void
  /** The end of it. `blocked`: not of the server's doing, so that another road may be better. */
  fail: (code: number, reason: string, blocked?: boolean) => void
}
export type Subscribe = Extract<ClientMessage, { op: 'subscribe' }>
export type Refused = Extract<TopicResult, { ok: false }>
/** The name under which its events come, or why there are none. */
export type Names = ReadonlyMap<string, string | Refused>

export type Carrier = {
  /** Answers with a `subscribed`, and then with data. */
  subscribe: (message: Subscribe, names: Names) => void
  unsubscribe: (topics: readonly string[]) => void
  stop: () => void
}

const OF_HEALTH = ['mode', 'version', 'epoch']
/** What a server of ours tells whoever may come in. */
const OPEN = '/v1/watched'
const OF_OPEN = ['instruments']

type Health = { mode: Hello['mode']; version: string; epoch: string }
/** What the server says of itself, and whether it wants a token; nothing where it does not answer, or is none of ours. */
export async function greet(http: Http): Promise<Hello | undefined> {
  const [health, open] = await Promise.all([http.get('/health', OF_HEALTH), http.get(OPEN, OF_OPEN)])
  const { mode, version, epoch } = (health?.body ?? {}) as Partial<Health>
  if (!open || mode === undefined || version === undefined || epoch === undefined) return undefined
  return {
    op: 'hello',
    version: PROTOCOL_VERSION,
    server: `tickwire/${version}`,
    epoch,
    now: 0,
    mode,
    session: '',
    encoding: 'json',
    heartbeat: { interval: 25_000, timeout: 60_000 },
    auth: open.status === 401 ? 'required' : 'none',
    limits: { message: 65_536, topics: 1_000 }
  }
}

/** Topics in one address. */
export const MOST = 100
export const listed = (topics: readonly string[]): string => topics.map(encodeURIComponent).join(',')

type Last = {
  last: Record<string, unknown>
  errors: { topic: string; code: Refused['code']; message: string; nearest: string[] }[]
}

const NAMED = ['last', 'errors']
/** What the server calls these topics; or the code with which it is over, where that cannot be known. */
async function resolve(http: Http, asked: readonly string[]): Promise<Map<string, string | Refused> | number> {
  const answer = await http.get(`/v1/last?topics=${listed(asked)}&since=-`, NAMED)
  if (!answer) return 1006
  const { status, body } = answer
  if (status === 401 || status === 403) return closeFor(status)
  const refusal = refusalIn(body)
  // For now, or of the only one there is.
  if (refusal && (refusal.retry || asked.length === 1))
    return new Map(asked.map((topic) => [topic, { asked: topic, ok: false, ...refusal }]))
  if (!refusal) {
    const { last, errors } = body as Last
    const refused = new Map(errors.map(({ topic, ...why }) => [topic, { asked: topic, ok: false as const, ...why }]))
    const [good, names] = [asked.filter((topic) => !refused.has(topic)), Object.keys(last)]
    if (good.length === names.length)
      return new Map(asked.map((topic) => [topic, refused.get(topic) ?? names[good.indexOf(topic)] ?? topic]))
    if (asked.length === 1) return 1011
  }
  // Two names of one topic, or nothing but errors: which is whose is known one by one.
  const each = await Promise.all(asked.map((topic) => resolve(http, [topic])))
  const failed = each.find((names) => typeof names === 'number')
  return failed ?? new Map(each.flatMap((names) => (typeof names === 'number' ? [] : [...names])))
}

/** Takes the messages of our machine as a server would. */
export function createCarried(ground: Ground, hello: Hello, carrier: Carrier) {
  const { http, say, fail, now } = ground

  const authenticate = async (token: string): Promise<void> => {
    http.authorize(token)
    const answer = await http.get(OPEN, OF_OPEN)
    if (!answer) fail(1006, http.stranger())
    else if (answer.status === 200) say({ op: 'authenticated', user: '' })
    else fail(closeFor(answer.status), 'the token was refused')
  }
  const subscribe = async (message: Subscribe): Promise<void> => {
    const names = new Map<string, string | Refused>()
    for (let at = 0; at < message.topics.length; at += MOST) {
      const some = await resolve(http, message.topics.slice(at, at + MOST))
      if (typeof some === 'number') return fail(some, http.stranger())
      for (const [asked, name] of some) names.set(asked, name)
    }
    carrier.subscribe(message, names)
  }
  const pong = async (): Promise<void> => {
    if (await http.get('/health', OF_HEALTH)) say({ op: 'pong', now: now() })
  }

  return (message: ClientMessage): void => {
    if (message.op === 'hello') say({ ...hello, now: now() })
    else if (message.op === 'auth') void authenticate(message.token)
    else if (message.op === 'subscribe') void subscribe(message)
    else if (message.op === 'unsubscribe') carrier.unsubscribe(message.topics)
    else if (message.op === 'ping') void pong()
  }
}
