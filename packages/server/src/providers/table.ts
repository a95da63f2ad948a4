/** docs/providers/README.md, made from the adapters: what each carries, needs, costs and forbids, and how it is tested. */
import { DATA_KINDS } from '@tickwire/protocol'
import { providers } from './index.ts'

export type Tested = {
  /** Providers with recorded or documented frames in captures/. */
  captured: ReadonlySet<string>
  /** Providers that the street speaks as. */
  street: ReadonlySet<string>
  /** Providers whose protocol is spoken under /emulate. */
  emulated: ReadonlySet<string>
  /** Pages in docs/providers: markets of one provider share one, named by the first word of theirs. */
  pages: ReadonlySet<string>
}

export const pageOf = (name: string, pages: ReadonlySet<string>): string => (pages.has(name) ? name : name.split('-')[0]!)

const table = (head: string[], body: string[][]) =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`)

export function providersPage({ captured, street, emulated, pages }: Tested): string {
  const rows = Object.entries(providers).map(([name, { title, kinds, needs, about }]) => {
    const marks = [captured.has(name) ? 'captures' : '', street.has(name) ? 'street' : '', emulated.has(name) ? 'emulated' : '']
    return [
      `[${title}](${pageOf(name, pages)}.md)`,
      kinds.join(', '),
      needs.join(', ') || 'nothing',
      about.cost,
      about.redistribution,
      marks.filter(Boolean).join(', ')
    ]
  })
  const kinds = DATA_KINDS.map((kind) => [
    kind,
    Object.keys(providers)
      .filter((name) => providers[name]!.kinds.includes(kind))
      .join(', ') || 'nobody yet'
  ])
  return [
    '# Providers',
    '',
    'Made from the adapters by `npm run docs`; a test keeps it true. "captures": its adapter is tested on recorded or documented frames;',
    '"street": it is also run against the simulated provider; "emulated": its protocol is spoken under `/emulate/<provider>`.',
    '',
    ...table(['provider', 'carries', 'needs', 'costs', 'redistribution', 'tested by'], rows),
    '',
    '## Who carries what',
    '',
    ...table(['kind', 'providers'], kinds),
    ''
  ].join('\n')
}
