/** Recorded traffic in the place of the network, and a script that is read while it is written. */
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../src/journal/journal.ts'
import type { Request } from '../../src/connection/http.ts'
import { createTraffic, plainPath } from '../../src/replay/recorded.ts'
import { createSchedule } from '../../src/replay/schedule.ts'
import { openScript } from '../../src/replay/script.ts'
import { journalOf, RUN, tradesEvery } from './kit.ts'

const traffic = { provider: 'one', connection: 1 }
const opened = (connection = 1): Entry => ({ type: 'opened', time: 0, ...traffic, connection, url: 'wss://one.example' })
const frame = (text: string, connection = 1): Entry => ({ type: 'frame', time: 0, ...traffic, connection, frame: text })
const closed = (connection = 1): Entry => ({ type: 'closed', time: 0, ...traffic, connection, reason: 'closed 1006' })
const answer = (path: string, text: string): Entry => ({
  type: 'answer',
  time: 0,
  provider: 'one',
  path,
  status: 200,
  headers: {},
  body: new TextEncoder().encode(text)
})

function open() {
  const schedule = createSchedule(0)
  const recorded = createTraffic(schedule)
  const { dial, transport } = recorded.of('one')
  const until = (time: number) => schedule.run(time, () => true)
  const call = () => {
    const heard: string[] = []
    const link = dial(
      { url: 'wss://one.example' },
      {
        onOpen: () => heard.push('open'),
        onFrame: (text) => heard.push(String(text)),
        onClose: ({ reason }) => heard.push(reason)
      }
    )
    return { heard, link }
  }
  const ask = (path: string) => {
    const told: string[] = []
    const request = { path, base: '', headers: {}, timeout: 1_000, maxBytes: 1, stop: new AbortController().signal, roams: false }
    void transport(request satisfies Request).then((reply) => told.push(reply.ok ? reply.body.toString() : reply.reason))
    return told
  }
  return { hear: (entry: Entry) => recorded.hear(entry), call, ask, until }
}

describe('a recorded connection', () => {
  test('says what was said, when it was said, to who dialled before', async () => {
    const { hear, call, until } = open()
    const { heard } = call()
    hear(opened())
    await until(1)
    hear(frame('a'))
    hear(closed())
    expect(heard).toEqual(['open', 'a', 'closed 1006'])
  })

  test('says at once what was said before, to who dials late', async () => {
    const { hear, call, until } = open()
    hear(opened())
    hear(frame('a'))
    const { heard } = call()
    expect(heard).toEqual([])
    await until(1)
    hear(frame('b'))
    expect(heard).toEqual(['open', 'a', 'b'])
  })

  test('is taken in its order, each once; who hangs up hears no more', async () => {
    const { hear, call, until } = open()
    const [first, second] = [call(), call()]
    for (const connection of [1, 2]) hear(opened(connection))
    await until(1)
    hear(frame('of the second', 2))
    first.link.close()
    hear(frame('of the first', 1))
    expect([first.heard, second.heard]).toEqual([['open'], ['open', 'of the second']])
  })

  test('that was closed before anybody dialled is nobody’s', async () => {
    const { hear, call, until } = open()
    for (const entry of [opened(1), closed(1)]) hear(entry)
    const { heard } = call()
    hear(opened(2))
    await until(1)
    hear(frame('of the second', 2))
    expect(heard).toEqual(['open', 'of the second'])
  })
})

describe('a recorded answer', () => {
  test('comes when it came, at once where that has passed, and once', async () => {
    const { hear, ask, until } = open()
    const waiting = ask('/depth?symbol=A')
    await until(10)
    expect(waiting).toEqual([])
    for (const text of ['1', '2']) hear(answer('/depth?symbol=A', text))
    const again = ask('/depth?symbol=A')
    await until(20)
    expect([waiting, again]).toEqual([['1'], ['2']])
    const third = ask('/depth?symbol=A')
    const other = ask('/depth?symbol=B')
    await until(5_000)
    expect([third, other]).toEqual([['not in the recording'], ['not in the recording']])
  })

  test('is known by its address, whatever key and time it was asked with', async () => {
    expect(plainPath('/a?symbol=X&apikey=mine&timestamp=5')).toBe(plainPath('/a?timestamp=9&symbol=X&apikey=[concealed]'))
    expect(plainPath('/a?symbol=X')).not.toBe(plainPath('/a?symbol=Y'))
    const { hear, ask, until } = open()
    hear(answer('/list', 'all'))
    const told = ask('/list?page=1')
    await until(1)
    expect(told).toEqual(['all'])
    // Recorded of a street, asked of the provider.
    hear(answer('/products?page=2', 'two'))
    const elsewhere = [ask('https://api.example/v3/products?page=3'), ask('https://api.example/v3/products?page=2')]
    await until(2)
    expect(elsewhere).toEqual([[], ['two']])
  })
})

test('a run that is still written is read on, each entry once, those of the same time too', async () => {
  const entries = tradesEvery(0, 5)
  const script = openScript(journalOf(entries), { run: RUN, what: 'events', from: 0, to: Infinity })
  const ids: unknown[] = []
  const readAll = async (): Promise<void> => {
    while (await script.more()) {
      const entry = script.take()
      if (entry?.type === 'event') ids.push((entry.event as { id?: string }).id)
    }
  }
  await readAll()
  entries.push(...tradesEvery(0, 12).slice(5))
  await readAll()
  entries.push(...tradesEvery(1, 15).slice(12))
  await readAll()
  expect(ids).toEqual(Array.from({ length: 15 }, (_, i) => String(i)))
  expect(await script.more()).toBe(false)
})
