import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { run, until, type Program } from '../e2e/program.ts'

const at = (path: string) => new URL(`../../${path}`, import.meta.url)
const read = (path: string) => readFileSync(at(path), 'utf8')
type Rule = { alert: string; expr: string; annotations: { summary: string; runbook: string }; labels: { severity: string } }
const rules = (parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules
)
type Panel = { id: number; type: string; title: string; gridPos: Box; targets?: { expr: string; refId: string }[] }
type Box = { x: number; y: number; w: number; h: number }
const dashboard = JSON.parse(read('deploy/grafana/dashboards/tickwire.json')) as {
  uid: string
  title: string
  schemaVersion: number
  panels: Panel[]
  templating: { list: { name: string; query: string | { query: string } }[] }
}

let program: Program
let scraped: string
beforeAll(async () => {
  program = await run(['--demo', '--port', '0', '--set', 'street.control=0'], /Tickwire {2}(http:\S+)/)
  const scrape = async () => (await fetch(`${program.found[1]}/metrics`)).text()
  const wanted = [
    /^tickwire_provider_clock_offset_seconds\{/m,
    /^tickwire_provider_latency_seconds\{/m,
    /^tickwire_http_answers_total\{/m
  ]
  scraped = await until('a scrape of a server that has measured and answered', async () => {
    const text = await scrape()
    return wanted.every((pattern) => pattern.test(text)) && text
  })
})
afterAll(() => program?.kill('SIGKILL'))

/** Names that PromQL asks for, each with the labels that it selects or groups by. */
const namesIn = (expr: string): string[] => [...expr.matchAll(/\btickwire_\w+/g)].map(([name]) => name)
const labelsIn = (expr: string): string[] => [
  ...[...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside]) =>
    [...inside!.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label!)
  ),
  ...[...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, inside]) => inside!.split(',').map((label) => label.trim()))
]
const seriesOf = (name: string): string[] => scraped.split('\n').filter((line) => new RegExp(`^${name}(?:\\{|\\s)`).test(line))
/** Told of when there is something to tell. */
const SELDOM = new Set(['tickwire_provider_refused_frames_total'])
/** What Prometheus adds. */
const ADDED = new Set(['instance', 'job'])

function expectKnown(expr: string): void {
  const names = namesIn(expr)
  expect(names.length + Number(expr.startsWith('up{')), expr).toBeGreaterThan(0)
  for (const name of names) {
    expect(scraped, `${name} in ${expr}`).toMatch(new RegExp(`^# TYPE ${name.replace(/_bucket$/, '')} `, 'm'))
    if (!SELDOM.has(name)) expect(seriesOf(name), `${name} in ${expr}`).not.toEqual([])
  }
  const series = names.flatMap(seriesOf).join('\n')
  for (const label of labelsIn(expr))
    if (!ADDED.has(label) && !names.some((name) => SELDOM.has(name)))
      expect(series, `${label} in ${expr}`).toMatch(new RegExp(`[{,]${label}="`))
}

describe('what the dashboard and the alerts ask for is in a scrape of the running program', () => {
  test.for(rules.map(({ alert, expr }) => [alert, expr] as const))('alert %s', ([, expr]) => expectKnown(expr))
  test.for(dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)))(
    'panel %s: %s',
    ([, expr]) => expectKnown(expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'))
  )
  test('the variables of the dashboard', () => {
    for (const { query } of dashboard.templating.list)
      if (typeof query !== 'string') for (const name of namesIn(query.query)) expect(seriesOf(name)).not.toEqual([])
  })
})

describe('what is in a scrape', () => {
  test('a count of defects, though there was none: else the first one would be no increase', () => {
    expect(seriesOf('tickwire_http_answers_total')).toContain('tickwire_http_answers_total{status="500"} 0')
    expect(rules.find(({ alert }) => alert === 'TickwireErrors')?.expr).toContain('increase(')
  })
  test('[S11] is in the table of docs/operations.md, with nothing more there', () => {
    const told = [...scraped.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!)
    const documented = [...read('docs/operations.md').matchAll(/^\| `(tickwire_\w+)/gm)].map(([, name]) => name!)
    expect(documented.sort()).toEqual(told.sort())
  })
  test('is Prometheus text: every line a comment or a series with a number', () => {
    for (const line of scraped.split('\n').filter(Boolean))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (?:NaN|[+-]?Inf|[-+\d.e]+))$/)
  })
  test('every counter ends with _total, every duration is in seconds', () => {
    for (const [, name, type] of scraped.matchAll(/^# TYPE (\S+) (\S+)/gm)) {
      expect([name, type === 'counter']).toEqual([name, name!.endsWith('_total')])
      expect(name).not.toMatch(/milliseconds|_ms\b/)
    }
  })
})

describe('the alerts', () => {
  test('each says what to do: its heading stands in docs/operations.md', () => {
    const headings = [...read('docs/operations.md').matchAll(/^#+ (.+)$/gm)].map(([, text]) => text!.toLowerCase())
    for (const { alert, annotations, labels } of rules) {
      expect(headings).toContain(alert.toLowerCase())
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`)
      expect(annotations.summary.length).toBeGreaterThan(10)
      expect(['critical', 'warning']).toContain(labels.severity)
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  })
  const promtool = spawnSync('promtool', ['--version']).status === 0
  test('Prometheus takes them, and its configuration', ({ skip }) => {
    skip(!promtool, 'promtool is not installed here: only Prometheus itself can say whether it takes them')
    for (const args of [
      ['check', 'rules', 'deploy/prometheus/alerts.yml'],
      ['check', 'config', 'deploy/prometheus/prometheus.yml'],
      ['test', 'rules', 'deploy/prometheus/alerts.test.yml']
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: fileURLToPath(at('.')), encoding: 'utf8' })
      expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
    }
  })
})

test('the dashboard: panels have ids of their own and do not overlap', () => {
  const { panels, schemaVersion, uid } = dashboard
  expect([schemaVersion >= 36, uid]).toEqual([true, 'tickwire'])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const overlap = (a: Box, b: Box) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
  for (const [i, one] of panels.entries()) {
    expect(one.gridPos.x + one.gridPos.w).toBeLessThanOrEqual(24)
    for (const other of panels.slice(i + 1))
      expect([one.title, other.title, overlap(one.gridPos, other.gridPos)]).toContain(false)
  }
})

describe('the containers', () => {
  type Service = { [key: string]: any }
  const { services, volumes } = parse(read('deploy/compose.yaml')) as { services: Record<string, Service>; volumes: object }
  const lines = read('deploy/Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const stages = lines.join('\n').split(/^(?=FROM )/m)

  test('the image is made in stages, runs as nobody of note, tells its health and stops by SIGTERM', () => {
    expect(stages.length).toBeGreaterThanOrEqual(2)
    const last = stages.at(-1)!
    expect(last).toMatch(/^USER \d+:\d+$/m)
    expect(last).not.toMatch(/^USER (?:root|0)/m)
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m)
    expect(last).toMatch(/^HEALTHCHECK .*\/health/m)
    expect(last).toMatch(/^(?:ENTRYPOINT|CMD) \["/m)
    expect(last.indexOf('USER ')).toBeGreaterThan(last.lastIndexOf('COPY '))
    expect(last).not.toMatch(/npm (?:ci|install)|apt-get/)
  })
  test('every instruction is one that there is, no image is :latest, and nothing secret is built in', () => {
    for (const line of lines.filter((each) => !/^\s/.test(each)))
      expect(line).toMatch(/^(?:FROM|RUN|COPY|WORKDIR|ENV|USER|EXPOSE|VOLUME|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD|LABEL|ARG) /)
    for (const [, image] of read('deploy/Dockerfile').matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/^[a-z]+$|:\d|@sha256:/)
    for (const { image } of Object.values(services)) expect(image).toMatch(/:v?\d|^tickwire:/)
    expect(lines.join('\n')).not.toMatch(/^(?:ENV|ARG).*(?:KEY|SECRET|TOKEN|PASSWORD)\w*=/im)
  })
  test('what is copied is there', () => {
    for (const [, sources] of lines.join('\n').matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm))
      for (const source of sources!.split(' ').filter((each) => !each.includes('*')))
        expect(() => readFileSync(at(source))).not.toThrow(/ENOENT/)
  })
  test('Tickwire runs without rights: nothing written but /data and /tmp, no capability, ports on loopback', () => {
    const { tickwire } = services
    expect(tickwire).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped'
    })
    expect(Number.parseInt(String(tickwire!['stop_grace_period']), 10)).toBeGreaterThanOrEqual(10)
    for (const { ports = [] } of Object.values(services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
  test('the demo, which records into /tmp, has room there for minutes, and not more memory than it may use', () => {
    const [, size] = /^\/tmp:size=(\d+)m$/.exec(String(services['tickwire']!['tmpfs']))!
    expect(Number(size)).toBeGreaterThanOrEqual(128)
    expect(Number(size)).toBeLessThanOrEqual(Number.parseInt(String(services['tickwire']!['mem_limit']), 10) * 256)
  })
  test('the token that Prometheus is told to read lies in a folder that it is given, and never in the repository', () => {
    const [, path] = /credentials_file: (\S+)/.exec(read('deploy/prometheus/prometheus.yml'))!
    const mounts = (services['prometheus']!['volumes'] as string[]).map((mount) => mount.split(':') as [string, string])
    const [source, target] = mounts.find(([, into]) => path!.startsWith(`${into}/`)) ?? []
    expect(source).toMatch(/^\.\//)
    expect(read('.gitignore').split('\n')).toContain(path!.replace(target!, `/deploy/${source!.slice(2)}`))
  })
  test('every file and volume that a service names is there', () => {
    for (const service of Object.values(services))
      for (const mount of (service['volumes'] ?? []) as string[]) {
        const [source] = mount.split(':')
        if (source!.startsWith('.')) expect(() => readFileSync(at(`deploy/${source}`))).not.toThrow(/ENOENT/)
        else expect(Object.keys(volumes)).toContain(source)
      }
  })
})
