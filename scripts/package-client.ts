/**
 * Makes the directory from which @tickwire/client is published: `node scripts/package-client.ts <directory>`, then `npm publish
 * <directory>`. JavaScript and types as tsc writes them, with the protocol inside: the package depends on nothing.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const home = join(root, 'packages/client')

type Manifest = Record<string, unknown> & { exports: Record<string, string> }

/** Sources are run as they are in the workspace; who installs the package is given what was made of them. */
function manifest(): object {
  const { exports, ...rest } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest
  const built = Object.entries(exports).map(([path, source]) => {
    const stem = source.replace('./src/', './client/src/').replace(/\.tsx?$/, '')
    return [path, { types: `${stem}.d.ts`, default: `${stem}.js` }]
  })
  const kept = Object.entries(rest).filter(([name]) => !['dependencies', 'devDependencies', 'private', 'scripts'].includes(name))
  return { ...Object.fromEntries(kept), exports: Object.fromEntries(built) }
}

/** `@tickwire/protocol` is the directory beside; tsc leaves `.ts` in the imports of its types. */
function relink(file: string, out: string): void {
  const protocol = relative(dirname(file), join(out, 'protocol/src/index.js')).replaceAll('\\', '/')
  const text = readFileSync(file, 'utf8')
    .replaceAll(/(from |import\()'@tickwire\/protocol'/g, `$1'${protocol}'`)
    .replaceAll(/(from |import\()'(\.[^']+)\.tsx?'/g, "$1'$2.js'")
  writeFileSync(file, text)
}

function packageClient(directory: string): void {
  const out = resolve(directory)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const tsc = join(root, 'node_modules/.bin/tsc')
  execFileSync(tsc, ['-p', join(home, 'tsconfig.build.json'), '--outDir', out], { stdio: 'inherit' })
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }))
    if (/\.(js|d\.ts)$/.test(name)) relink(join(out, name), out)
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`)
  cpSync(join(home, 'README.md'), join(out, 'README.md'))
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
}

const [, , target] = process.argv
if (target === undefined) throw new Error('say where to: node scripts/package-client.ts <directory>')
packageClient(target)
