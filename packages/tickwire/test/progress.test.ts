import { expect, test } from 'vitest'
import { createProgress } from '../src/progress.ts'
import { span } from '../src/terminal/span.ts'

function bench(isTTY: boolean, env = {}, columns = 60) {
  const written: string[] = []
  const time = { now: 0 }
  const out = { isTTY, columns, write: (text: string) => written.push(text) }
  const progress = (total?: number) =>
    createProgress({ label: 'exported', out, clock: () => time.now, env, ...(total === undefined ? {} : { total }) })
  return { written, time, progress }
}

test('on a terminal the bar is drawn over itself, at most ten times a second, and is gone at the end', () => {
  const { written, time, progress } = bench(true)
  const bar = progress(100)
  for (let done = 0; done < 50; done++) {
    time.now += 10
    bar.set(done)
  }
  bar.end('50 rows')
  const draws = written.filter((text) => text.includes('░'))
  expect(draws).toHaveLength(5)
  expect(written.filter((text) => text.includes('\n'))).toEqual(['50 rows\n'])
  expect(written.at(-2)).toBe('\r\x1b[2K')
})

test('it never grows beyond the terminal, however narrow', () => {
  const { written, time, progress } = bench(true, {}, 20)
  const bar = progress(10)
  time.now = 60_000
  bar.set(3, 'a note that is far too long for it')
  expect(written.join('').length).toBeLessThan(20)
})

test.for([[false, {}] as const, [true, { TERM: 'dumb' }] as const])(
  'elsewhere it is a plain line every 5 s, with what is left: %o',
  ([isTTY, env]) => {
    const { written, time, progress } = bench(isTTY, env)
    const bar = progress(100)
    for (time.now = 0; time.now <= 12_000; time.now += 100) bar.set(time.now / 1_000)
    bar.end()
    expect(written).toEqual(['exported 5 %, 5 s, 1:35 left\n', 'exported 10 %, 10 s, 1:30 left\n'])
  }
)

test('where nobody knows the end it tells what is done', () => {
  const { written, time, progress } = bench(false)
  const bar = progress()
  time.now = 5_000
  bar.set(12_345, 'events')
  expect(written).toEqual(['exported 12,345, 5 s, events\n'])
})

test('[S10] a note from outside does not move the cursor', () => {
  const { written, time, progress } = bench(false)
  const bar = progress()
  time.now = 5_000
  bar.set(1, '\x1b[2Jgone')
  expect(written.join('')).not.toContain('\x1b')
})

test('spans are read at a glance', () => {
  expect([4_000, 187_000, 3_729_000].map(span)).toEqual(['4 s', '3:07', '1:02:09'])
})
