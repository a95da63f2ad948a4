/** What runs with us: few packages of our own choosing, each of one version, and none that runs anything when it is installed. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const at = (path: string) => new URL(`../../${path}`, import.meta.url)
const json = (path: string) => JSON.parse(readFileSync(at(path), 'utf8')) as Manifest
type Names = Record<string, string>
type Manifest = { dependencies?: Names; optionalDependencies?: Names; allowScripts?: Record<string, boolean> }
type Locked = { version?: string; integrity?: string; resolved?: string; link?: true; dev?: true; hasInstallScript?: true }

const manifests = ['package.json', ...readdirSync(at('packages')).map((name) => `packages/${name}/package.json`)].map(json)
const chosen = manifests.flatMap(({ dependencies = {}, optionalDependencies = {} }) =>
  Object.entries({ ...dependencies, ...optionalDependencies })
)
const foreign = chosen.filter(([name]) => !name.startsWith('@tickwire/'))
const { packages } = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }
const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true)

/** They bring a script (native speed-ups, a notice), work without it, and are not allowed to run it by `allowScripts`. */
const DECLINED = ['bufferutil', 'ccxt', 'utf-8-validate']

test('[S18] at most 25 packages of our own choosing run with us, each of one version', () => {
  expect(new Set(foreign.map(([name]) => name)).size).toBeLessThanOrEqual(25)
  for (const [name, version] of foreign) expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
})

test('[S18] of all that is installed to run, only node may run a script of its own at the installation', () => {
  const scripts = installed.filter(([, { hasInstallScript, dev }]) => hasInstallScript && dev !== true).map(([path]) => path)
  const allowed = manifests.flatMap(({ allowScripts = {} }) =>
    Object.entries(allowScripts).flatMap(([name, may]) => (may ? [name] : []))
  )
  expect(allowed.map((name) => name.replace(/(?<=.)@.*$/, ''))).toEqual(['node'])
  expect(installed.length).toBeGreaterThan(100)
  expect(scripts.map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)).filter((name) => name !== 'node')).toEqual(
    DECLINED
  )
})
test('[S18] the lock file names each package by its content', () => {
  for (const [path, { integrity, version }] of installed)
    expect([path, version, integrity]).toEqual([path, expect.any(String), expect.stringMatching(/^sha512-/)])
})
