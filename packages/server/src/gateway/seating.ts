/** Moves members from group to group: what waits in a lane that they keep goes with them. */
import type { createGroups } from './groups.ts'
import type { Group, Lane, Member } from './member.ts'

/** Where a member begins in the lanes that have something pending: of a new one it is given what comes. */
function startsIn(group: Group | undefined, old: Group | undefined, before: Member['starts']): Member['starts'] {
  const starts = new Map<Lane, number>()
  for (const lane of group?.lanes.values() ?? []) {
    if (lane.pending.length === 0) continue
    const start = old?.lanes.get(lane.topic) === lane ? before?.get(lane) : lane.seq
    if (start !== undefined) starts.set(lane, start)
  }
  return starts.size > 0 ? starts : undefined
}

export function createSeating(groups: Pick<ReturnType<typeof createGroups>, 'find' | 'close'>) {
  const leave = (member: Member): void => {
    const { group } = member
    member.group = undefined
    if (group?.members.delete(member) && group.members.size === 0) groups.close(group)
  }

  /** To the group of what it holds now. */
  const move = (member: Member): void => {
    const { group: old, starts } = member
    const group = member.topics.size > 0 ? groups.find(member) : undefined
    // The new one first, so that lanes of both stay open.
    group?.members.add(member)
    if (old !== group) leave(member)
    member.group = group
    member.starts = startsIn(group, old, starts)
  }

  return { move, leave }
}
