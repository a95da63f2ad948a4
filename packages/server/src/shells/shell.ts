/**
 * The contract of a shell: a maintained SDK in place of a socket and REST. An adapter's frames are what to call, as JSON; what the
 * SDK tells comes back as frames, as JSON too, so that the adapter stays pure and its captures stay lines of text.
 */
import type { Dial } from '../connection/link.ts'
import type { Rest } from '../connection/rest.ts'
import type { Access } from '../providers/adapter.ts'

export type ShellOptions = { wsUrl: string; readAccess: () => Access }
export type Shell = {
  /** A connection of the SDK; `target.url` is what the adapter's `dial` said. The SDK is loaded with the first one. */
  dial: Dial
  /** Answers the adapter's needs (listing, history), where the SDK and not HTTP does. */
  rest?: Rest
}
export type OpenShell = (options: ShellOptions) => Shell
