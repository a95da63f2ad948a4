/** The text of each topic's last value, made once for all the clients who join while it stands. */
import type { Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import { pendingOf, textOf, type Member } from './member.ts'

/** Past this many topics all are forgotten: they come back as they are asked for. */
const MAX_KNOWN = 50_000

type Snapshot = { event: Published; text: string | undefined; bytes: number }

export function createSnapshots() {
  const known = new Map<Dialect<any>, Map<string, Snapshot>>()
  return {
    /** A dialect that is not shared renders for each client anew. */
    textOf(member: Member, event: Published, now: number): string | undefined {
      const { dialect } = member
      if (!dialect.shared) return textOf(member, pendingOf(event), now)
      let snapshots = known.get(dialect)
      if (!snapshots) known.set(dialect, (snapshots = new Map()))
      const found = snapshots.get(event.topic)
      if (found?.event === event) return found.text
      const text = textOf(member, pendingOf(event), now)
      if (snapshots.size >= MAX_KNOWN) snapshots.clear()
      // Measured also because reading a text makes it one piece: else all who join it to others would walk its parts.
      snapshots.set(event.topic, { event, text, bytes: Buffer.byteLength(text ?? '') })
      return text
    }
  }
}
