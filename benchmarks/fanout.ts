/**
 * How many updates per second one core delivers to many clients, how late, and what that costs; peers in the same run. Prints a
 * line of JSON per scenario. Needs gcc; uses taskset where it is. docs/performance.md says what is measured.
 *
 *   node benchmarks/fanout.ts --all [--write]      node benchmarks/fanout.ts --scenario equal-1000 --scenario idle [--only]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS, type Line } from './fanout-scenarios.ts'
import { writeFigures } from './fanout-write.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true, default: [] },
    all: { type: 'boolean', default: false },
    /** Without the peers. */
    only: { type: 'boolean', default: false },
    /** Puts the table into docs/performance.md. */
    write: { type: 'boolean', default: false }
  }
})

const load = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10
const names = values.all ? Object.keys(SCENARIOS) : values.scenario
const unknown = names.find((name) => !(name in SCENARIOS))
if (names.length === 0 || unknown !== undefined) {
  console.error(
    `${unknown === undefined ? 'Name a --scenario, or --all' : `There is no scenario ${unknown}`}: ${Object.keys(SCENARIOS).join(', ')}`
  )
  process.exit(1)
}

const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.versions.node, load: load() }
const directory = mkdtempSync(join(tmpdir(), 'fanout-'))
const done = new Map<string, Line>()
try {
  const fanload = join(directory, 'fanload')
  execFileSync('gcc', ['-O2', '-Wall', '-o', fanload, join(import.meta.dirname, 'fanload.c')], { stdio: 'inherit' })
  for (const name of names) {
    const scenario = SCENARIOS[name]
    if (!scenario) continue
    const start = performance.now()
    const context = { fanload, peers: !values.only, done }
    const outcome = await scenario.run(context).catch((error: Error) => ({ ours: { failed: error.message }, ok: false }))
    const line: Line = { scenario: name, what: scenario.what, peers: {}, ...outcome }
    done.set(name, line)
    const secs = Math.round((performance.now() - start) / 1_000)
    process.stdout.write(`${JSON.stringify({ benchmark: 'fanout', ...line, load: load(), secs })}\n`)
  }
  if (values.write) writeFigures([...done.values()], machine)
} finally {
  rmSync(directory, { recursive: true })
}
