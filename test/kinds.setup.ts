/**
 * For docs/providers/tested.md: which kinds of data each test decoded of each provider. Tests of adapters count where the frame
 * stands in captures/, tests of the street where it sent the frame, tests of dialects where the mirror wrote it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect } from 'vitest'
import { DATA_KINDS } from '@tickwire/protocol'
import type { Adapter, Frame, Meaning } from '@tickwire/server/providers/adapter.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** As in `captures kraken trade`. */
    decoded?: string[]
  }
}

const ORIGINS: readonly (readonly [RegExp, string])[] = [
  [/packages\/server\/test\/(providers|shells)\//, 'captures'],
  [/packages\/street\/test\//, 'street'],
  [/packages\/server\/test\/dialects\//, 'emulated']
]
const folder = new URL('../captures/', import.meta.url)
const LEAST = 20

const latin1 = (frame: Frame): string => (typeof frame === 'string' ? frame : Buffer.from(frame).toString('latin1'))
function partsOf(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    const inner = typeof value === 'object' && value !== null ? Object.values(value) : []
    return [value, ...inner]
      .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
      .filter((part) => part.length >= LEAST)
  } catch {
    return []
  }
}

/** All that is recorded of a provider: files, lines, and what lines hold, in hexadecimal too. */
function recordedOf(provider: string): Set<string> {
  const known = new Set<string>()
  const [family = ''] = provider.split('-')
  const walk = (path: string) => {
    for (const name of readdirSync(new URL(path, folder))) {
      const file = `${path}/${name}`
      if (statSync(new URL(file, folder)).isDirectory()) walk(file)
      else {
        const raw = readFileSync(new URL(file, folder))
        const bytes = name.endsWith('.gz') ? gunzipSync(raw) : raw
        known.add(bytes.toString('latin1')).add(bytes.toString())
        if (!/\.jsonl(\.gz)?$/.test(name)) continue
        for (const line of bytes.toString().split('\n')) {
          known.add(line.trim())
          for (const part of partsOf(line)) {
            known.add(part)
            if (/^[0-9a-f]+$/i.test(part)) known.add(Buffer.from(part, 'hex').toString('latin1'))
          }
        }
      }
    }
  }
  for (const name of readdirSync(folder)) if (name === provider || name === family) walk(name)
  return known
}

function listen(provider: string, adapter: Adapter, origin: string, heard: (what: string) => void): void {
  const { decode } = adapter
  let recorded: Set<string> | undefined
  const isRecorded = (frame: Frame): boolean => {
    recorded ??= recordedOf(provider)
    const text = latin1(frame)
    return recorded.has(text) || partsOf(text).some((part) => recorded!.has(part))
  }
  adapter.decode = (frame, ...rest): readonly Meaning[] => {
    const meanings = decode(frame, ...rest)
    const kinds = meanings
      .map(({ type }) => (type === 'delta' ? 'book' : type))
      .filter((type) => (DATA_KINDS as string[]).includes(type))
    if (kinds.length > 0 && (origin !== 'captures' || isRecorded(frame)))
      for (const kind of kinds) heard(`${origin} ${provider} ${kind}`)
    return meanings
  }
}

const origin = ORIGINS.find(([pattern]) => pattern.test(expect.getState().testPath ?? ''))?.[1]
if (origin !== undefined && !expect.getState().testPath!.endsWith('robustness.test.ts')) {
  const { providers } = await import('@tickwire/server/providers/index.ts')
  const fresh = new Set<string>()
  for (const [name, adapter] of Object.entries(providers)) listen(name, adapter, origin, (what) => fresh.add(what))
  afterEach(({ task }) => {
    if (fresh.size > 0) task.meta.decoded = [...fresh]
    fresh.clear()
  })
}
