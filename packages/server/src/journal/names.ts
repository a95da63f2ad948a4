/** What runs and segments are called on the disk, and which names are refused before they touch a path. */
import type { Mode } from '@tickwire/protocol'

const RUN = /^[\w-]{1,64}$/
const SEGMENT = /^(\d{5,9})\.twj$/

export const isRunName = (text: string): boolean => RUN.test(text)

/** Modes whose prices are not those of live providers: a run says so in its name, wherever it is shown or copied to. */
const SAID = /-(demo|capture)$/

/** Sorts by start; has the plant's epoch, so that a reader knows which sequences belong together. */
export function runName(startedAt: number, epoch: string, mode?: Mode): string {
  const [day, time] = new Date(startedAt).toISOString().split(/[T.]/)
  const name = `${day?.replaceAll('-', '')}-${time?.replaceAll(':', '')}-${epoch.replaceAll(/[^\w-]/g, '_')}`
  const end = mode === 'demo' || mode === 'capture' ? `-${mode}` : ''
  return name.slice(0, 64 - end.length) + end
}

/** Of a run of live providers: nothing. */
export function modeIn(run: string): 'demo' | 'capture' | undefined {
  const said = SAID.exec(run)?.[1]
  return said === 'demo' || said === 'capture' ? said : undefined
}

/** When a run began, by its name, to the second; nothing where that does not say so. */
export function startIn(run: string): number | undefined {
  const [, day, time] = /^(\d{8})-(\d{6})-/.exec(run) ?? []
  if (day === undefined || time === undefined) return undefined
  const at = Date.parse(`${day.replace(/(....)(..)/, '$1-$2-')}T${time.replace(/(..)(..)/, '$1:$2:')}Z`)
  return Number.isFinite(at) ? at : undefined
}

export const segmentName = (number: number): string => `${String(number).padStart(5, '0')}.twj`

/** After all others: that of what was lost at the end of a run (last-word.ts). */
export const LAST_SEGMENT = 999_999_999

/** The number of a segment's file; nothing where the file is none. */
export function segmentNumber(file: string): number | undefined {
  const digits = SEGMENT.exec(file)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Days since 1970, UTC. */
export const dayOf = (time: number): number => Math.floor(time / 86_400_000)
