/** What another process writes to is refused before a server is even loaded, so that whoever starts a second one hears it at once. */
import type { Config } from '@tickwire/server/config.ts'
import { refuseHeld, refuseHeldFile } from '@tickwire/server/journal/lock.ts'
import { ConfigError } from '@tickwire/server/settings.ts'
import { load, type Flags } from './options.ts'

type Asked = Flags & { record?: string; directory?: string; logFile?: string; printConfig?: true }

function inWords(option: string, refuse: () => void): void {
  try {
    refuse()
  } catch (error) {
    throw new ConfigError(`${option}: ${(error as Error).message}`)
  }
}

/**
 * Throws where another process records into the same directory, or writes to the same log of events: whoever opens anything before the
 * recording asks this first. Two that ask at the same time are told apart by the locks.
 */
export function refuseRecorded({ journal: { record = 'off', directory, logFile } }: Config): void {
  if (record !== 'off') inWords('journal.directory', () => refuseHeld(directory))
  if (logFile !== undefined) inWords('journal.logFile', () => refuseHeldFile(logFile))
}

export const refuseBusy = (flags: Asked): void => {
  if (!flags.printConfig) refuseRecorded(load(recorded(flags)).config)
}

/** What the flags say of recording, as options. */
export const recorded = ({ record, directory, logFile, ...flags }: Asked): Flags => ({
  ...flags,
  set: [
    ...flags.set,
    ...(record === undefined ? [] : [`journal.record=${record}`]),
    ...(directory === undefined ? [] : [`journal.directory=${directory}`]),
    ...(logFile === undefined ? [] : [`journal.logFile=${logFile}`])
  ]
})
