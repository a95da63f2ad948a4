import { afterEach, expect, test } from 'vitest'
import { startRig, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

type Parameter = { name: string; in: string; description?: string; schema: unknown }
type Answer = { description: string; headers?: Record<string, unknown>; content?: Record<string, { schema: unknown }> }
type Operation = { summary?: string; parameters?: Parameter[]; responses: Record<string, Answer> }

test('the OpenAPI document says of every GET under /v1 that it has an ETag, may be 304, and how it fails', async () => {
  rig = await startRig()
  const document = (await (await fetch(`${rig.base}/docs/json`)).json()) as { paths: Record<string, Record<string, Operation>> }
  const ours = Object.entries(document.paths).filter(([path]) => path.startsWith('/v1/'))
  expect(ours.length).toBeGreaterThan(15)
  for (const [path, methods] of ours)
    for (const [method, { summary, responses, parameters = [] }] of Object.entries(methods)) {
      expect(summary, path).toBeTruthy()
      for (const status of ['401', '403', '429', '503'])
        expect(responses[status]?.content?.['application/json']?.schema, `${path} ${status}`).toMatchObject({
          properties: { error: {} }
        })
      for (const [status, answer] of Object.entries(responses))
        expect(answer.description, `${path} ${status}`).not.toBe('Default Response')
      if (method !== 'get' || path === '/v1/events') continue
      expect(responses['304'], path).toMatchObject({ headers: { ETag: {} } })
      expect(responses['304']?.content, path).toBeUndefined()
      expect(responses['200']?.headers, path).toHaveProperty('ETag')
      expect(parameters.map(({ name }) => name)).toContain('If-None-Match')
    }
  const events = document.paths['/v1/events']!.get!
  expect(Object.keys(events.responses['200']!.content!)).toEqual(['text/event-stream'])
  expect(events.parameters!.map(({ name }) => name).toSorted()).toEqual([
    'delivery',
    'fields',
    'interval',
    'last-event-id',
    'lastEventId',
    'maxAge',
    'maxRate',
    'topics'
  ])
  const last = document.paths['/v1/last']!.get!.parameters!.map(({ name }) => name)
  expect(last.toSorted()).toEqual(['If-None-Match', 'fields', 'since', 'threshold', 'topics', 'wait'])
})
