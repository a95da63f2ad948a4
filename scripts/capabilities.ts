/**
 * Writes what a test run showed: docs/capabilities.md (each requirement, its line, the tests that protect it, or "not yet") and
 * docs/providers/tested.md. `node scripts/capabilities.ts REPORT` writes; with `--check` it compares instead and exits 1 when a
 * page is not current.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tested } from 'tickwire/evidence.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const SEEDS: Record<string, string> = {
  S0: 'ZiggyAI live data integration',
  S1: 'ZiggyAI UI, API and streaming stabilisation',
  S2: 'FIML WebSocket streaming',
  S3: 'Fyers real-time streaming integration',
  S4: 'wrdata streaming library'
}

type Assertion = { title: string; ancestorTitles: string[]; status: string; meta: { decoded?: string[] } }
type Report = {
  testResults: { name: string; assertionResults: Assertion[] }[]
}

const check = process.argv.includes('--check')
const file = process.argv.slice(2).find((arg) => !arg.startsWith('--'))
if (!file) throw new Error('usage: node scripts/capabilities.ts [--check] test-results/vitest.json')
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
const requirements = JSON.parse(readFileSync(`${root}docs/requirements.json`, 'utf8')) as Record<string, string>

const tests = new Map<string, { title: string; file: string }[]>()
for (const { name, assertionResults } of report.testResults)
  for (const { title, ancestorTitles, status } of assertionResults)
    for (const id of new Set([...ancestorTitles, title].join(' ').match(/S[0-4]-\d\d/g))) {
      if (status !== 'passed') continue
      if (!(id in requirements)) throw new Error(`${name}: "${title}" names ${id}, which is no requirement`)
      const clean = title.replaceAll(/\[[^\]]*\]\s*/g, '').replaceAll('|', '\\|')
      tests.set(id, [...(tests.get(id) ?? []), { title: clean, file: relative(root, name) }])
    }

const row = ([id, line]: [string, string]) => {
  const mine = (tests.get(id) ?? []).toSorted((a, b) => (a.file + a.title < b.file + b.title ? -1 : 1))
  const shown = mine.map(({ title, file }) => `${title} ([${file.split('/').at(-1)}](../${file}))`).join('<br>')
  return `| ${id} | ${line.replaceAll('|', '\\|')} | ${shown || 'not yet'} |`
}
const lines = Object.entries(requirements).flatMap((entry, i, all) => {
  const seed = entry[0].slice(0, 2)
  const first = i === 0 || all[i - 1]![0].slice(0, 2) !== seed
  return first
    ? ['', `## ${seed}: ${SEEDS[seed]}`, '', '| id | requirement | protected by |', '|---|---|---|', row(entry)]
    : [row(entry)]
})
const text = [
  '# Capabilities',
  '',
  'Generated from the test run by `npm run capabilities`; `npm test` fails when it is not current. A requirement is claimed',
  'only by tests that name its id and passed; the rest says "not yet".',
  '',
  `${tests.size} of ${Object.keys(requirements).length} requirements are protected by tests.`,
  ...lines,
  ''
].join('\n')

const seen = report.testResults.flatMap(({ assertionResults }) =>
  assertionResults.flatMap(({ status, meta }) => (status === 'passed' ? (meta.decoded ?? []) : []))
)
const pages = { 'docs/capabilities.md': text, 'docs/providers/tested.md': tested(new Set(seen)) }
for (const [page, now] of Object.entries(pages)) {
  const path = root + page
  if (!check) writeFileSync(path, now)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== now) {
    console.error(`${page} is not what this test run showed: run \`npm run capabilities\` and commit it.`)
    process.exitCode = 1
  }
}
