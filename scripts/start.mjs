// npm start: install what is missing, build the page when its sources changed, run the tickwire command with the given flags.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { environment, install, root, run, stop } from './bootstrap.mjs'

const newest = (folder) =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((f) => f.isFile())
      .map((f) => statSync(join(f.parentPath ?? f.path, f.name)).mtimeMs)
  )

export async function buildPage() {
  const page = join(root, 'packages', 'dashboard')
  const sources = ['dashboard/src', 'client/src', 'protocol/src'].map((folder) => newest(join(root, 'packages', folder)))
  let built = 0
  try {
    built = statSync(join(page, 'dist', 'index.html')).mtimeMs
  } catch {
    // not built yet
  }
  if (built > Math.max(...sources, statSync(join(page, 'index.html')).mtimeMs)) return
  console.log('Building the page …')
  if ((await run('vite', ['build', '--logLevel', 'warn'], { cwd: page })) !== 0)
    stop('The page did not build: see the lines above.')
}

if (process.argv[1] === join(root, 'scripts', 'start.mjs')) {
  install()
  await buildPage()
  process.exitCode = await run('node', ['packages/tickwire/src/cli.ts', ...process.argv.slice(2)], { env: environment() })
}
