/** The figures of the last run, as the table in docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Line } from './fanout-scenarios.ts'

export type Machine = { cores: number; model: string; node: string; load: number }

const FILE = join(import.meta.dirname, '../docs/performance.md')
const [BEGIN, END] = ['<!-- figures: begin -->', '<!-- figures: end -->']

const short = (value: unknown): string => {
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value)
  return value >= 1_000_000 ? `${(value / 1_000_000).toFixed(2)} M` : value.toLocaleString('en-US', { maximumFractionDigits: 3 })
}
/** Those that a reader compares; the rest is in the lines of JSON. */
const SHOWN = [
  'updates_s',
  'calm_updates_s',
  'floor_updates_s',
  'of_floor',
  'offered_s',
  'p99_ms',
  'floor_p99_ms',
  'p99_ms_stalled',
  'times',
  'kept',
  'kb_per_connection',
  'connected_ms'
]
const MORE = ['streaming_ms', 'rss_mb', 'recovered_ms', 'us_per_client', 'us_per_contract', 'user_us_per_event', 'absent', 'note']
const told = (figures: object): string =>
  [...SHOWN, ...MORE]
    .filter((name) => (figures as Record<string, unknown>)[name] !== undefined)
    .map((name) => `${name} ${short((figures as Record<string, unknown>)[name])}`)
    .join(', ') + ('sustained' in figures && !figures.sustained ? ' (not sustained)' : '')
const peersOf = (peers: Line['peers']): string =>
  Object.entries(peers)
    .map(([name, { ...figures }]) => {
      const calm = 'calm_updates_s' in figures ? ` (calm ${short(figures.calm_updates_s)})` : ''
      const speed = 'updates_s' in figures ? `${short(figures.updates_s)}${calm}` : told(figures)
      return `${name} ${speed}${'updates_s' in figures && 'note' in figures ? ` (${String(figures.note)})` : ''}`
    })
    .join('; ') || '–'
const verdict = ({ ok }: Line): string => (ok === undefined ? '–' : ok ? 'yes' : '**no**')
const goalOf = ({ goal = {} }: Line): string =>
  Object.entries(goal)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(', ') || '–'

const rowOf = (line: Line): string =>
  `| \`${line.scenario}\` | ${line.what} | ${told(line.ours)} | ${peersOf(line.peers)} | ${line.ratio ?? '–'} | ${goalOf(line)} | ${verdict(line)} |`

type Point = { x: number; user_us: number; system_us: number }
function curves(line: Line | undefined): string[] {
  const ours = line?.ours as { by_clients: Point[]; by_contracts: Point[] } | undefined
  if (!ours) return []
  const rows = (name: string, points: Point[]) =>
    points.map(({ x, user_us, system_us }) => `| ${short(x)} ${name} | ${user_us} | ${system_us} |`)
  return [
    '',
    '| Processor time of one event | in the program, µs | in the kernel, µs |',
    '| --- | --- | --- |',
    ...rows('clients, one contract', ours.by_clients),
    ...rows('contracts, 400 clients', ours.by_contracts)
  ]
}

export function writeFigures(lines: readonly Line[], machine: Machine): void {
  const text = readFileSync(FILE, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${FILE} has no place for the figures`)
  const { model, cores, node, load } = machine
  const table = [
    `${new Date().toISOString().slice(0, 10)}, ${model}, ${cores} cores, Node ${node}; load of the machine before it began: ${load}.`,
    load > 0.5 ? 'The machine was **not idle**: these figures are only indicative.' : '',
    '',
    '| Scenario | What | Ours | Peers, updates/s | Ours to the best peer | Goal | Met |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines.map(rowOf),
    ...curves(lines.find(({ scenario }) => scenario === 'curve'))
  ]
  writeFileSync(FILE, `${text.slice(0, from)}${BEGIN}\n\n${table.join('\n')}\n\n${text.slice(to)}`)
}
