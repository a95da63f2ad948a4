/** A journal whose disk is full, or whose directory somebody else writes to. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { holderOf, openRun, takeLock } from '../../src/journal/lock.ts'
import { openReader } from '../../src/journal/reader.ts'
import { openWriter } from '../../src/journal/writer.ts'
import { entryAt, newDirectory, readAll, written } from './kit.ts'

const WRITING = new URL('writing.ts', import.meta.url).pathname
type Said = { n: number; state: string; lost: number; events: number; run: string }

function write(directory: string, before: readonly string[] = [], pace = 200) {
  const all = [...before, process.execPath, WRITING, directory, String(pace)]
  const command = all.shift() ?? process.execPath
  const child: ChildProcess = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: Said[] = []
  const listeners = new Set<() => void>()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    said.push(JSON.parse(line) as Said)
    for (const listener of listeners) listener()
  })
  const until = (is: (last: Said) => boolean): Promise<Said> =>
    new Promise((resolve) => {
      const look = () => {
        const last = said.at(-1)
        if (!last || !is(last)) return
        listeners.delete(look)
        resolve(last)
      }
      listeners.add(look)
      look()
    })
  return { child, said, until }
}

async function killed({ child }: ReturnType<typeof write>): Promise<void> {
  const ended = Promise.all([once(child.stdout!, 'close'), once(child, 'exit')])
  child.kill('SIGKILL')
  await ended
}

describe('one writer per directory', () => {
  test('[B10] a second one is refused in words, and does no damage', async () => {
    const directory = newDirectory()
    const writing = write(directory)
    const { run } = await writing.until(() => true)
    expect(() => openWriter({ directory, what: ['events'], epoch: 'b' })).toThrow(
      new RegExp(`being written by process ${writing.child.pid} since .*: one writer per directory`)
    )
    expect(openRun(directory)).toBe(run)
    const { n } = await writing.until(({ n: now }) => now > 1_000)
    await killed(writing)
    expect((await readAll(openReader({ directory }), { run, what: 'events' })).length).toBeGreaterThanOrEqual(n)
  })

  test('[B10] the lock of a killed process is taken over, that of this one is not', async () => {
    const directory = newDirectory()
    const writing = write(directory)
    await writing.until(() => true)
    await killed(writing)
    expect(holderOf(directory)?.pid).toBe(writing.child.pid)
    const { run } = await written([entryAt(1)], { directory })
    expect(
      openReader({ directory })
        .runs()
        .map((each) => each.run)
    ).toContain(run)
    expect(holderOf(directory)).toBeUndefined()
    const lock = takeLock(directory, 'a', 0)
    expect(() => takeLock(directory, 'b', 0)).toThrow(/one writer per directory/)
    lock.release()
    takeLock(directory, 'b', 0).release()
  })

  test.runIf(process.platform === 'linux')('[B10] another process with the number of the old one is not taken for it', () => {
    const directory = newDirectory()
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: process.pid, started: 'another boot:1', run: 'old', since: 0 }))
    takeLock(directory, 'new', 0).release()
  })
})

const hasPrlimit = (() => {
  try {
    execFileSync('prlimit', ['--version'])
    return true
  } catch {
    return false
  }
})()

describe.runIf(hasPrlimit)('a disk that is full', () => {
  test('[B4] recording stops and says so, the process goes on, and it resumes by itself', { timeout: 60_000 }, async () => {
    const directory = newDirectory()
    const writing = write(directory)
    await writing.until(({ n }) => n > 1_000)
    execFileSync('prlimit', ['--pid', String(writing.child.pid), '--fsize=64:unlimited'])
    const full = await writing.until(({ state }) => state === 'full')
    const still = await writing.until(({ n }) => n > full.n + 5_000)
    expect(still).toMatchObject({ state: 'full' })
    expect(still.lost).toBeGreaterThan(full.lost)
    execFileSync('prlimit', ['--pid', String(writing.child.pid), '--fsize=unlimited:unlimited'])
    const again = await writing.until(({ state, n }) => state === 'recording' && n > still.n)
    const last = await writing.until(({ events }) => events > again.events + 1_000)
    await killed(writing)
    const reader = openReader({ directory })
    const found = await readAll(reader, { run: last.run, what: 'events' })
    expect(found.length).toBeGreaterThanOrEqual(last.events)
    expect(last.events + last.lost).toBe(last.n)
    for (const entry of found) if (entry.type === 'event') expect(entry).toEqual(entryAt(entry.event.seq - 1))
    expect(reader.runs()).toMatchObject([{ damaged: 0 }])
    const holes = await reader.holes({ run: last.run, what: 'events' })
    const there = new Set(found.map(({ time }) => time))
    const gone = Array.from({ length: last.n }, (_, n) => entryAt(n).time).filter((time) => !there.has(time))
    expect(gone.length).toBeGreaterThan(5_000)
    expect(gone.filter((time) => time <= found.at(-1)!.time && !holes.some(({ from, to }) => time >= from && time < to))).toEqual(
      []
    )
    const lost = holes.filter(({ why }) => why === 'lost')
    expect(lost.reduce((sum, { entries = 0 }) => sum + entries, 0)).toBe(last.lost)
    expect(holes).toEqual(lost)
  })

  test('[B4] a limit on the size of a file is met by the next file', { timeout: 60_000 }, async () => {
    const directory = newDirectory()
    const writing = write(directory, ['prlimit', '--fsize=12000'])
    const last = await writing.until(({ n }) => n > 5_000)
    await killed(writing)
    expect(last).toMatchObject({ state: 'recording', lost: 0 })
    expect((await readAll(openReader({ directory }), { run: last.run, what: 'events' })).length).toBeGreaterThanOrEqual(last.n)
  })
})
