/** docs/providers: what each provider carries, needs, costs and forbids, made from the adapters; and which of it was seen in a test run. */
import { DATA_KINDS, type DataKind } from '@tickwire/protocol'
import { providers } from './index.ts'

/** Markets of one provider share a page, named by the first word of theirs. */
export const pageOf = (name: string, pages: ReadonlySet<string>): string => (pages.has(name) ? name : name.split('-')[0]!)

const table = (head: string[], body: string[][]) =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`)
const all = Object.entries(providers)
const linked = (name: string, pages: ReadonlySet<string>): string => `[${providers[name]!.title}](${pageOf(name, pages)}.md)`

export function providersPage(pages: ReadonlySet<string>): string {
  const rows = all.map(([name, { kinds, needs, about }]) => [
    linked(name, pages),
    kinds.join(', '),
    needs.join(', ') || 'nothing',
    about.cost,
    about.redistribution
  ])
  const kinds = DATA_KINDS.map((kind) => [
    kind,
    all
      .filter(([, adapter]) => adapter.kinds.includes(kind))
      .map(([name]) => name)
      .join(', ') || 'nobody yet'
  ])
  return [
    '# Providers',
    '',
    'Made from the adapters by `npm run docs`; a test keeps it true. What of it is tested, and how: [tested.md](tested.md).',
    '',
    ...table(['provider', 'carries', 'needs', 'costs', 'redistribution'], rows),
    '',
    '## Who carries what',
    '',
    ...table(['kind', 'providers'], kinds),
    ''
  ].join('\n')
}

/** `seen` holds lines of origin, provider and kind, one for each that a passed test decoded. */
export function testedPage(seen: ReadonlySet<string>, pages: ReadonlySet<string>): string {
  const cell = (name: string, kind: DataKind): string => {
    const marks = ORIGINS.flatMap(([origin, mark]) => (seen.has(`${origin} ${name} ${kind}`) ? [mark] : []))
    return marks.join(' ') || (providers[name]!.kinds.includes(kind) ? '–' : '')
  }
  return [
    '# What is tested, per provider and kind',
    '',
    'Made from the test run by `npm run capabilities`; `npm test` fails when it is not current. **C**: a recorded or documented frame',
    'in `captures/` was decoded to it. **S**: it came from the simulated provider on the street, through its adapter. **E**: our own',
    'rendering of it, as under `/emulate/<provider>`, was decoded by the adapter. –: carried, and tested on written frames only.',
    '',
    ...table(
      ['provider', ...DATA_KINDS],
      all.map(([name]) => [linked(name, pages), ...DATA_KINDS.map((kind) => cell(name, kind))])
    ),
    ''
  ].join('\n')
}
const ORIGINS = [
  ['captures', 'C'],
  ['street', 'S'],
  ['emulated', 'E']
] as const
