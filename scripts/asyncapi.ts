/** The native protocol as an AsyncAPI 3 document, made of the types of packages/protocol. */
import { createSchemas, readTypes, type Schema } from './types.ts'

const types = readTypes(new URL('../packages/protocol/src/', import.meta.url))
const { named, value } = createSchemas(types)

type Properties = Record<string, Schema>
const propertiesOf = (schema: Schema) => schema['properties'] as Properties
const constOf = (schema: Schema, key: string): string => String(propertiesOf(schema)[key]!['const'])
const capital = (text: string): string => text.replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
const choices = (schema: Schema): Schema[] => (schema['anyOf'] as Schema[] | undefined) ?? [schema]
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const message = (name: string): Schema => ({ $ref: `#/components/messages/${name}` })

/** One schema for each variant of a union that `key` tells apart; variants with the same value are one. */
function variants(name: string, key: string, suffix: string, description?: (value: string) => string): Properties {
  const out: Properties = {}
  for (const each of choices(named(name))) {
    const kind = constOf(each, key)
    const id = `${capital(kind)}${suffix}`
    const more = description?.(kind)
    out[id] = out[id] ? { anyOf: [...choices(out[id]), each] } : { ...each, ...(more && { description: more }) }
  }
  return out
}

const commands = variants('ClientMessage', 'op', 'Command')
const answers = variants('ServerMessage', 'op', 'Notice')
/** Of each type of event the comment that it has in the vocabulary. */
const comments = new Map(
  [...types.aliases].flatMap(([name, { comment }]) => {
    if (comment === undefined) return []
    const type = /^(?:Holding|OrderUpdate)$/.test(name)
      ? { Holding: 'position', OrderUpdate: 'order' }[name]!
      : { ProviderStatus: 'provider', GapFilled: 'gap_filled' }[name]
    return [[type ?? name.toLowerCase(), comment] as const]
  })
)
const events = variants('Published', 'type', 'Event', (type) => comments.get(type) ?? '')

/** Of a contract with `fields` an event has these and what was asked for. */
const selected: Schema = {
  type: 'object',
  description: 'An event under a contract with `fields`: what every event has, and of the rest what was asked for.',
  properties: { topic: { type: 'string' }, type: { enum: Object.values(events).map((each) => constOf(each, 'type')) } },
  required: value('ALWAYS')
}

const messages: Properties = {
  ...Object.fromEntries(
    Object.entries({ ...commands, ...answers }).map(([name, schema]) => [
      name,
      { name: constOf(choices(schema)[0]!, 'op'), title: name, contentType: 'application/json', payload: ref(name) }
    ])
  ),
  Data: { name: 'data', title: 'Data', contentType: 'application/json', payload: ref('DataFrame') }
}

const topics = Object.keys(messages)
const sent = topics.filter((name) => name in commands)
const received = topics.filter((name) => !(name in commands))
const inChannel = (name: string): Schema => ({ $ref: `#/channels/native/messages/${name}` })

export const asyncApi = {
  asyncapi: '3.0.0',
  info: {
    title: 'Tickwire native protocol',
    version: `${String(value('PROTOCOL_VERSION'))}.0.0`,
    description:
      'Market data over one WebSocket. PROTOCOL.md is the normative text; this document is made of the types it names. Both sides ignore fields they do not know. The same events come as server-sent events from /v1/events, which the OpenAPI document describes.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' }
  },
  defaultContentType: 'application/json',
  servers: {
    local: { host: 'localhost:8000', protocol: 'ws', description: 'As it starts; wss where TLS ends before it.' }
  },
  channels: {
    native: {
      address: '/v1/ws',
      title: 'The native stream',
      description: 'Objects with an `op` are control messages, arrays are data.',
      servers: [{ $ref: '#/servers/local' }],
      messages: Object.fromEntries(topics.map((name) => [name, message(name)]))
    }
  },
  operations: {
    command: {
      action: 'receive',
      channel: { $ref: '#/channels/native' },
      summary: 'What a client says to the server',
      messages: sent.map(inChannel)
    },
    tell: {
      action: 'send',
      channel: { $ref: '#/channels/native' },
      summary: 'What the server says to a client',
      messages: received.map(inChannel)
    }
  },
  components: {
    messages,
    schemas: {
      ...commands,
      ...answers,
      ...events,
      SelectedEvent: selected,
      Event: { anyOf: Object.keys(events).map(ref), description: 'Told apart by `type`.' },
      DataFrame: {
        type: 'array',
        description: 'Events and lost notices, oldest first.',
        items: { anyOf: [ref('Event'), ref('LostNotice'), ref('SelectedEvent')] }
      }
    }
  },
  'x-errors': value('ERRORS'),
  'x-closes': value('CLOSES')
}
