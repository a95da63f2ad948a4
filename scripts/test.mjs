// npm test: install what is missing (the browser included), then every check and every test; one line of counts at the end.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { install, root, run } from './bootstrap.mjs'
import { buildPage } from './start.mjs'

const report = join(root, 'test-results', 'vitest.json')
const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

/** Debian's chromium, where there is none and we may. Playwright's own path and CHROMIUM_PATH count too. */
async function installBrowser() {
  if (process.env.CHROMIUM_PATH || has('chromium') || has('chromium-browser') || has('google-chrome')) return 0
  console.log('Installing chromium for the browser tests …')
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args) =>
    run([...sudo, 'apt-get', ...args][0], [...sudo, 'apt-get', ...args].slice(1), {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    })
  await apt('update', '-qq')
  const code = await apt('install', '-y', '-qq', '--no-install-recommends', 'chromium')
  if (code !== 0) console.error('No browser: install chromium, or name one in CHROMIUM_PATH. The browser tests fail without it.')
  return code
}

install()
rmSync(report, { force: true })
mkdirSync(join(root, 'test-results'), { recursive: true })
let passed = 0
let failed = 0
const check = async (name, action) => {
  console.log(`\n── ${name}`)
  const ok = (await action()) === 0
  if (ok) passed++
  else failed++
  if (!ok) console.error(`✗ ${name} failed`)
}

await check('browser', installBrowser)
await check('lint', () => run('oxlint', ['--type-aware', '--deny-warnings']))
await check('format', () => run('oxfmt', ['--check', '.']))
await check('types', () => run('tsc', ['-b']))
await check('dead code', () => run('knip', []))
await check('page', async () => (await buildPage(), 0))
await check('tests', () =>
  run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)])
)
if (existsSync(report)) {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
  passed += numPassedTests
  failed += numFailedTests
}
await check('capabilities.md and tested.md are what this run showed', () =>
  run('node', ['scripts/capabilities.ts', '--check', report])
)

console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
