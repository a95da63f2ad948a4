/** What a broken or hostile provider can write in place of a message, kind by kind. */
import type { Frame } from '../../src/providers/adapter.ts'

/** What it is, and what is sent. */
export type Malformed = readonly [name: string, frame: Frame]
export type Path = readonly (string | number)[]
export type Field = 'price' | 'size' | 'time' | 'name'

/** Texts that are none of any provider's messages; `good` is a message that is. */
export const TEXTS: Record<string, (good: string) => string> = {
  nothing: () => '',
  blanks: () => ' \n\t ',
  null: () => 'null',
  true: () => 'true',
  'a number': () => '0',
  'a string': () => '"hello"',
  'a list of null': () => '[null]',
  'a list of numbers': () => '[1,2]',
  'a list of lists': () => '[[]]',
  'a list of strings': () => '["x"]',
  'an object of unknown words': () => '{"what":"ever"}',
  'a list of an object of unknown words': () => '[{"what":"ever"}]',
  'cut in the middle': (good) => good.slice(0, good.length / 2),
  'without its last character': (good) => good.slice(0, -1),
  'a comma too many': (good) => good.replace(/([}\]])$/, ',$1'),
  'single quotes': (good) => good.replaceAll('"', "'"),
  'names without quotes': (good) => good.replaceAll(/"([^"]+)":/g, '$1:'),
  'NaN as a word': (good) => good.replace(/100\.5"?/, 'NaN').replace(/"NaN/, 'NaN'),
  'Infinity as a word': (good) => good.replace(/"?100\.5"?/, 'Infinity'),
  'undefined as a word': (good) => good.replace(/"?100\.5"?/, 'undefined'),
  'a byte order mark': (good) => `\uFEFF${good}`,
  'a NUL inside': (good) => good.replace(':', ':\0'),
  'an open string': (good) => good.replace(/"([^"]*)$/, '$1'),
  'a comment': (good) => `${good} // so it is`,
  'two messages in one': (good) => good + good,
  'a web page': () => '<!doctype html><html><body>502 Bad Gateway</body></html>',
  xml: () => '<?xml version="1.0"?><trade price="1"/>',
  'bytes of something else': () => '\x81\xa7\x00\x7f\uFFFD\uFFFD',
  'fifty thousand lists in each other': () => '['.repeat(50_000) + ']'.repeat(50_000),
  'twenty million characters': () => `"${'x'.repeat(20_000_000)}"`,
  'a prototype': () => '{"__proto__":{"price":1},"constructor":{"prototype":{"size":1}}}'
}
const GONE = Symbol('gone')
const NO_NUMBER = [
  null,
  GONE,
  '',
  ' ',
  'abc',
  'NaN',
  'Infinity',
  '-Infinity',
  true,
  [],
  {},
  [[1]],
  '1,234.5',
  '0x10',
  '1e400',
  -1,
  '-1'
]
export const VALUES: Record<Field, readonly unknown[]> = {
  price: [...NO_NUMBER, 0, '0', '-0', '1.2.3', '１００'],
  size: [...NO_NUMBER, '1.2.3'],
  time: [null, GONE, '', ' ', 'noon', 'NaN', {}, [], true, -1, '2024-13-45T99:00:00Z'],
  name: [null, GONE, '', 5, true, [], {}, 'NOBODY/KNOWS', 'x'.repeat(5_000), '__proto__']
}

export function withValue(whole: object, path: Path, value: unknown): string {
  const copy = structuredClone(whole) as Record<string | number, any>
  const parent = path.slice(0, -1).reduce<Record<string | number, any>>((at, key) => at[key], copy)
  if (value === GONE) delete parent[path.at(-1)!]
  else parent[path.at(-1)!] = value
  return JSON.stringify(copy)
}
const shown = (value: unknown): string =>
  value === GONE ? 'absent' : typeof value === 'string' ? JSON.stringify(value.slice(0, 20)) : JSON.stringify(value)

/** Texts, and impossible values in the fields that are named, as JSON writes them. */
export function malformed(good: object, fields: Partial<Record<Field, Path>>): Malformed[] {
  return [
    ...texts(JSON.stringify(good)),
    ...(['price', 'size', 'time', 'name'] as const).flatMap((field) => {
      const path = fields[field]
      return path === undefined
        ? []
        : VALUES[field].map((value): Malformed => [`${field} ${shown(value)}`, withValue(good, path, value)])
    })
  ]
}
/** Of a form in which some of them change nothing, the others. */
export const texts = (good: string): Malformed[] =>
  Object.entries(TEXTS).flatMap(([name, make]) => (make(good) === good ? [] : [[name, make(good)]]))
/** Those that are made of no good one. */
export const foreign = (): Malformed[] =>
  Object.entries(TEXTS).flatMap(([name, make]) => (make.length === 0 ? [[name, make('')]] : []))
