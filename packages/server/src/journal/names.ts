/** What runs and segments are called on the disk, and which names are refused before they touch a path. */

const RUN = /^[\w-]{1,64}$/
const SEGMENT = /^(\d{5,9})\.twj$/

export const isRunName = (text: string): boolean => RUN.test(text)

/** Sorts by start; ends with the plant's epoch, so that a reader knows which sequences belong together. */
export function runName(startedAt: number, epoch: string): string {
  const [day, time] = new Date(startedAt).toISOString().split(/[T.]/)
  return `${day?.replaceAll('-', '')}-${time?.replaceAll(':', '')}-${epoch.replaceAll(/[^\w-]/g, '_')}`.slice(0, 64)
}

export const segmentName = (number: number): string => `${String(number).padStart(5, '0')}.twj`

/** The number of a segment's file; nothing where the file is none. */
export function segmentNumber(file: string): number | undefined {
  const digits = SEGMENT.exec(file)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Days since 1970, UTC. */
export const dayOf = (time: number): number => Math.floor(time / 86_400_000)
