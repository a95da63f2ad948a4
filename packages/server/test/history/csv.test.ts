/** CSV that every reader takes for what it is, and no spreadsheet for a formula. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cell, header, rows, TRADES, type Column } from '../../src/history/csv.ts'

/** RFC 4180, read strictly. */
function parse(text: string): string[][] {
  const lines: string[][] = []
  let at = 0
  while (at < text.length) {
    const line: string[] = []
    for (;;) {
      const [found, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(text.slice(at))!
      line.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
      at += found.length
      if (text[at] !== ',') break
      at++
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no end of line at ${at}: ${JSON.stringify(text.slice(at, at + 9))}`)
    at += 2
    lines.push(line)
  }
  return lines
}

const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom(',', '"', '\r', '\n', '=', '+', '-', '@', 'a', '\t', ' ') })
)
const columns: readonly Column<readonly string[]>[] = [0, 1, 2].map((i) => ({ name: `c${i}`, of: (row) => row[i] }))

test('what is written is read back by RFC 4180; a text that a spreadsheet would run has an apostrophe before it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, texts, texts), { maxLength: 8 }), (all) => {
      const told = parse(header(columns) + rows(columns, all))
      expect(told[0]).toEqual(['c0', 'c1', 'c2'])
      expect(told.slice(1)).toEqual(all.map((row) => row.map((text) => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text))))
      for (const text of told.flat()) expect(text).not.toMatch(/^[=+\-@]/)
    })
  )
})

test.each([
  [-1.5, '-1.5'],
  ['-1.5', "'-1.5"],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  [true, 'true'],
  [undefined, ''],
  ['a,b', '"a,b"']
])('%j is written as %s', (value, told) => {
  expect(cell(value)).toBe(told)
})

test('a trade is told with its time in milliseconds and in words, and what it does not say is empty', () => {
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time: 1_795_273_846_292.5, received: 1_795_273_846_300 }
  const line = rows(TRADES, [{ type: 'trade', ...stamp, price: 0.1, size: 1e-7, side: 'buy', conditions: ['@', 'I'] }])
  const expected = 'BTC-USDT,1795273846292.5,2026-11-21T15:10:46.292Z,0.1,1e-7,buy,,alpha,,"\'@,I",,,,1795273846300,,,'
  expect(line).toBe(`${expected}\r\n`)
})
