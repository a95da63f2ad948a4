/** `tickwire keys` where the disk is full, or fails: nothing is half written, and what was there can be read. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKeyStore } from '@tickwire/server/store/keys.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CLI, ended, tickwire, type Told } from './plant.ts'

// Whole programs are started.
vi.setConfig({ testTimeout: 150_000 })

let directory: string
let isMounted = false
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-keys-'))
  isMounted = false
})
afterEach(() => {
  if (isMounted) execFileSync('umount', ['-l', directory])
  rmSync(directory, { recursive: true, force: true })
})

const pathOf = () => join(directory, 'keys.db')
const keys = (...args: string[]) => ['keys', ...args, '--set', `auth.store=${pathOf()}`]
const within = (bytes: number, args: readonly string[]): Promise<Told> =>
  ended('prlimit', [`--fsize=${bytes}`, process.execPath, CLI, ...args]).told

/** A disk of its own, of 8 MB; false where this user may not mount one. */
function mounted(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory], { stdio: 'ignore' })
    return (isMounted = true)
  } catch {
    return false
  }
}

function fill(): void {
  const left = join(directory, 'left')
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1)
    for (let isRoom = true; isRoom;)
      try {
        writeFileSync(left, Buffer.alloc(bytes), { flag: 'a' })
      } catch {
        isRoom = false
      }
}

function twoKeys(): { id: string; bytes: Buffer; list: string } {
  const store = openKeyStore(pathOf())
  const { stored } = store.create({ name: 'first', user: 'ann', scopes: ['read'] }, 1)
  store.create({ name: 'second', user: 'bob', scopes: ['read', 'admin'] }, 2)
  const list = JSON.stringify(store.list())
  store.close()
  return { id: stored.id, bytes: readFileSync(pathOf()), list }
}

function isAsItWas({ bytes, list }: ReturnType<typeof twoKeys>): void {
  const store = openKeyStore(pathOf())
  expect(JSON.stringify(store.list())).toBe(list)
  store.close()
  expect(readFileSync(pathOf()).equals(bytes)).toBe(true)
}

test('[B5] a disk that is full: no key is shown, none is revoked, in words; those there are can be read, and it goes on with room', async () => {
  const own = mounted()
  const before = twoKeys()
  if (own) fill()
  // Where none may be mounted, no file may be written instead.
  const command = keys('create', '--name', 'third')
  const { code, out, err } = own ? await tickwire(command) : await within(0, command)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(
    own ? /^auth\.store: there is no room to write .*keys\.db: nothing was changed\n$/ : /: nothing was changed\n$/
  )
  isAsItWas(before)
  const store = openKeyStore(pathOf())
  if (own) {
    expect(() => store.revoke(before.id, 3)).toThrow(/no room to write .*: nothing was changed/)
    expect(() => store.end('bob', 3)).toThrow(/no room to write .*: nothing was changed/)
    expect(JSON.stringify(store.list())).toBe(before.list)
  }
  rmSync(join(directory, 'left'), { force: true })
  expect(store.revoke(before.id, 4)).toBe(true)
  expect(store.create({ name: '', user: 'ann', scopes: ['read'] }, 5).key).toMatch(/^tw_/)
  store.close()
})

test.runIf(process.platform === 'linux')(
  '[B5] a disk that fails while it is written, before and after the file itself is touched: it is as it was',
  async () => {
    const before = twoKeys()
    const { size } = statSync(pathOf())
    for (const [bytes, name] of [
      [8_192, 'third'],
      [size, 'n'.repeat(30_000)]
    ] as const) {
      const { code, out, err } = await within(bytes, keys('create', '--name', name))
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/^auth\.store: .*keys\.db cannot be read or written \(.*\): nothing was changed\n$/)
      isAsItWas(before)
    }
  }
)
