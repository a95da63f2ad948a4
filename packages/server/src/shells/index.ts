/** The providers that are reached by their SDK, by name. */
import { openCcxt } from './ccxt.ts'
import { openInteractiveBrokers } from './interactive-brokers.ts'
import type { OpenShell } from './shell.ts'

export const shells: Readonly<Record<string, OpenShell>> = { ccxt: openCcxt, 'interactive-brokers': openInteractiveBrokers }
