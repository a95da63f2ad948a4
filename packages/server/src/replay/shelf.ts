/** Playings as they stood on the way, so that whoever is sent elsewhere goes on from the nearest and not from the beginning. */
import type { Goal, Mark } from './player.ts'
import type { KeptStage } from './stage.ts'

/** `marks`: the last places before it, for steps back; `size`: values and references of its world. */
export type Place = KeptStage & { marks: readonly Mark[]; size: number }

/** One each so many entries at least. */
const SPACING = 4_096
/** To play an entry takes as long as to copy a hundred values: so a tenth of the time goes into copies. */
const VALUES = 10
/** Values and references in all of them, of some ten bytes each: where there is no room for more, every other one goes. */
const ROOM = 8_000_000
const MOST = 256

const sizeOf = ({ size, plant, marks }: Place): number => {
  let all = size + marks.length
  for (const { ring } of plant.values()) all += 2 * ring.length
  return all
}

/** Whether a playing that stands there comes to its goal by going on. */
export const isBefore = (place: Pick<Place, 'at' | 'moves'>, goal: Goal): boolean =>
  'time' in goal ? place.at < goal.time : place.moves < goal.moves

export type Shelf = ReturnType<typeof openShelf>

export function openShelf({ spacing = SPACING, values = VALUES, room = ROOM, most = MOST } = {}) {
  /** In order: whoever plays begins at one of them, so that none is ever missing between two. */
  let places: { place: Place; size: number }[] = []
  let filled = 0
  let every = spacing
  let next = spacing

  function thin(): void {
    every *= 2
    places = places.filter((_, i) => (places.length - i) % 2 === 1)
    filled = places.reduce((all, { size }) => all + size, 0)
  }

  return {
    /** Whether one is wanted that has played so many entries. */
    wants: (entries: number): boolean => entries >= next,
    put(place: Place): void {
      const size = sizeOf(place)
      places.push({ place, size })
      filled += size
      while (places.length > 1 && (filled > room || places.length > most)) thin()
      next = place.bookmark.played + Math.max(every, size / values)
    },
    /** The last one before. */
    before: (goal: Goal): Place | undefined => places.findLast(({ place }) => isBefore(place, goal))?.place,
    count: (): number => places.length
  }
}
