/** A copy of a state that shares nothing that changes, made a piece at a time: what was published, and functions, never change. Pure. */

export type Fork<T> = {
  /** Goes on for about so many values; whether it is whole now. Until then the state may not change. */
  go: (values: number) => boolean
  copy: T
  /** Values and references that were copied. */
  size: () => number
}

/** An event in a plant is stamped once, and then read by many. */
const isPublished = (value: object): boolean =>
  (value as { seq?: unknown }).seq !== undefined && (value as { topic?: unknown }).topic !== undefined
const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null || isPublished(value)

/** With the values of the original, and how many they are. */
function shallow(value: object): { made: object; size: number } {
  if (Array.isArray(value)) return { made: value.slice(), size: value.length }
  if (value instanceof Map) return { made: new Map(value), size: 2 * value.size }
  if (value instanceof Set) return { made: new Set(value), size: value.size }
  if (value instanceof Float64Array) return { made: value.slice(), size: value.length }
  if (Object.getPrototypeOf(value) === Object.prototype) return { made: { ...value }, size: 8 }
  throw new TypeError(`a ${value.constructor.name} cannot be copied`)
}

const refuse = (key: unknown): void => {
  if (!isLeaf(key)) throw new TypeError('what an object is the key of cannot be copied')
}

/** What is one object in the state is one object in its copy. */
export function openFork<T extends object>(state: T): Fork<T> {
  const copies = new Map<object, object>()
  /** Copies that still hold values of the original. */
  const due: object[] = []
  let size = 0

  const copyOf = (value: object): object => {
    const known = copies.get(value)
    if (known) return known
    const { made, size: own } = shallow(value)
    size += own
    copies.set(value, made)
    due.push(made)
    return made
  }
  const part = (made: object): void => {
    if (made instanceof Float64Array) return
    if (made instanceof Set) return made.forEach(refuse)
    if (made instanceof Map) {
      for (const [key, each] of made as Map<unknown, unknown>) {
        refuse(key)
        if (!isLeaf(each)) made.set(key, copyOf(each as object))
      }
      return
    }
    const fields = made as Record<string, unknown>
    for (const name in fields) {
      const each = fields[name]
      if (!isLeaf(each)) fields[name] = copyOf(each as object)
    }
  }

  const copy = copyOf(state) as T
  return {
    copy,
    size: () => size,
    go(values) {
      const enough = size + values
      for (let made = due.pop(); made; made = due.pop()) {
        if (Array.isArray(made)) {
          for (let i = 0; i < made.length; i++) if (!isLeaf(made[i])) made[i] = copyOf(made[i] as object)
        } else part(made)
        if (size >= enough) return due.length === 0
      }
      return true
    }
  }
}

/** At once. */
export function fork<T extends object>(state: T): T {
  const { go, copy } = openFork(state)
  go(Infinity)
  return copy
}
