/** PROTOCOL.md is normative, so it must not fall behind the types it speaks of. */
import { readFileSync } from 'node:fs'
import {
  CLOSES,
  ERRORS,
  INTERVALS,
  isTopicError,
  KINDS,
  mayReconnect,
  narrow,
  parseTopic,
  topicOf,
  type MarketEvent,
  type Published,
  type TopicResult
} from '@tickwire/protocol'
import { readMessage } from '@tickwire/server/dialects/native-schema.ts'
import { describe, expect, test } from 'vitest'

const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')
const wire = readFileSync(new URL('../../protocol/src/wire.ts', import.meta.url), 'utf8')

const section = (heading: string): string => page.split(/^## \d+\. /m).find((part) => part.startsWith(heading)) ?? ''
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    )

type Frame = { op: string } & Record<string, unknown>
const frames = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(([, text]) => JSON.parse(text!) as Frame | Frame[])
const serverOnly = (frame: Frame) => 'server' in frame || 'now' in frame || 'digests' in frame
const isEvent = (frame: Frame) => frame.op === undefined

/** The operations that wire.ts defines, from its text: types leave nothing behind at run time. */
const opsOf = (type: string): string[] => {
  const [, body = ''] = wire.split(`export type ${type} =`)
  return [...body.split(/^export type/m)[0]!.matchAll(/\bop: '(\w+)'/g)].map(([, op]) => op!)
}

describe('PROTOCOL.md', () => {
  test('its error table is the one that servers and clients use', () => {
    const expected = Object.entries(ERRORS).map(([code, { status, retry, meaning }]) => [
      `\`${code}\``,
      String(status),
      retry ? 'yes' : 'no',
      meaning
    ])
    expect(rows(section('Errors'))).toEqual(expected)
  })

  test('its close codes are the ones that servers use, and its reconnect column is what clients do', () => {
    const expected = Object.entries(CLOSES).map(([code, { name, meaning }]) => [
      code,
      name,
      mayReconnect(Number(code)) ? 'yes' : 'no',
      meaning
    ])
    expect(rows(section('Close codes'))).toEqual(expected)
  })

  test('the standard codes it says to come back after are those that clients come back after', () => {
    const [, list = ''] = /reconnect after ([\d, ]+)/.exec(section('Close codes'))!
    const standard = Array.from({ length: 1_000 }, (_, i) => 1_000 + i).filter(mayReconnect)
    expect(list.split(',').flatMap((code) => (code.trim() === '' ? [] : [Number(code)]))).toEqual(standard)
  })

  test.each(['ClientMessage', 'ServerMessage'])('it shows a frame of every operation of %s, and of no other', (type) => {
    const ops = opsOf(type)
    expect(ops.length).toBeGreaterThan(5)
    const shown = new Set(frames.flat().map((frame) => frame.op))
    expect(ops.filter((op) => !shown.has(op))).toEqual([])
    const known = new Set([...opsOf('ClientMessage'), ...opsOf('ServerMessage'), undefined])
    expect([...shown].filter((op) => !known.has(op))).toEqual([])
  })

  test('a server accepts every client frame that it shows', () => {
    const clientOps = new Set(opsOf('ClientMessage'))
    const shown = frames.filter((frame): frame is Frame => !Array.isArray(frame) && clientOps.has(frame.op) && !serverOnly(frame))
    expect(shown.map((frame) => frame.op).sort()).toEqual([
      'auth',
      'digest',
      'hello',
      'ping',
      'pong',
      'subscribe',
      'subscribe',
      'subscribe',
      'unsubscribe'
    ])
    for (const frame of shown) expect(readMessage(JSON.stringify(frame))).toEqual({ ok: true, message: frame })
  })

  test('it names every field that comes whichever were asked for', () => {
    const [, list = ''] = /\| These, where an event has them\. ([^|]*?) always comes?/.exec(page) ?? []
    const named = new Set([...list.matchAll(/`(\w+)`/g)].map(([, field]) => field))
    const whole = { topic: 't', type: 'trade', seq: 1, published: 2, replay: 'r', price: 3, time: 4, received: 5, provider: 'p' }
    expect(new Set(Object.keys(narrow(whole as unknown as Published, ['nothing'])))).toEqual(named)
  })

  test('every topic it names is one, and every kind and interval is named', () => {
    const topics = rows(section('Topics')).map(([topic]) => topic!.replaceAll('`', ''))
    for (const topic of topics) expect(isTopicError(parseTopic(topic))).toBe(false)
    expect(KINDS.filter((kind) => !topics.some((topic) => topic.startsWith(`${kind}:`)))).toEqual([])
    for (const interval of INTERVALS) expect(section('Topics')).toMatch(new RegExp(`\\b${interval}\\b`))
    const data = frames.filter(Array.isArray).flat().filter(isEvent)
    for (const event of data) expect(event['topic']).toBe(topicOf(event as unknown as MarketEvent))
    const results = frames.flat().find((frame) => frame.op === 'subscribed')!['results'] as TopicResult[]
    for (const result of results) expect(result.ok || result.code in ERRORS).toBe(true)
  })
})
