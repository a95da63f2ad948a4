import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { FAULTS } from '@tickwire/street'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = ['.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
)

describe('the pages', () => {
  test.each(pages)('%s links only to what is there', (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!)
    const inside = targets.filter((target) => !/^[a-z]+:/.test(target))
    expect(inside.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
  })

  test('README names faults that the street has', () => {
    const [, list] = /Other faults: ([^.]+)\./.exec(read('README.md'))!
    const named = [...list!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((name) => !Object.hasOwn(FAULTS, name))).toEqual([])
  })

  test('README names npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read('README.md').matchAll(/npm (?:run )?(start|test|[a-z:]+)\b/g)].map(([, name]) => name!)
    expect(named.filter((name) => !Object.hasOwn(scripts, name) && name !== 'run')).toEqual([])
  })
})
