/** The providers that are reached by their SDK, by name. */
import type { OpenShell } from './shell.ts'

export const shells: Readonly<Record<string, OpenShell>> = {}
