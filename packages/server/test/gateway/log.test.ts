import { expect, test } from 'vitest'
import { createLog } from '../../src/ops/log.ts'

test('[T18] secrets never reach the log, wherever in the fields they stand', () => {
  const lines: string[] = []
  const log = createLog({ destination: { write: (line: string) => void lines.push(line) } })
  log.info(
    {
      token: 's3cret',
      access: { key: 's3cret', deep: { secret: 's3cret' } },
      headers: { authorization: 's3cret', 'x-api-key': 's3cret' }
    },
    'hello'
  )
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'hello', token: '[redacted]' })
  expect(lines[0]).not.toContain('s3cret')
})
