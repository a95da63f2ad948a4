/** Who wants what of a channel, for providers whose one channel carries several kinds (a ticker with its quote in it). */
import type { DataKind } from '@tickwire/protocol'
import type { Subscription } from './adapter.ts'

/** Kinds wanted, by channel and symbol. */
export type Wants = Map<string, Map<string, Set<DataKind>>>

/** True when nobody wanted this channel of this symbol before. */
export function want(wants: Wants, channel: string, symbol: string, kind: DataKind): boolean {
  let symbols = wants.get(channel)
  if (!symbols) wants.set(channel, (symbols = new Map()))
  const kinds = symbols.get(symbol)
  if (kinds) return kinds.add(kind) && false
  symbols.set(symbol, new Set([kind]))
  return true
}

/** True when nobody wants this channel of this symbol any more. */
export function leave(wants: Wants, channel: string, symbol: string, kind: DataKind): boolean {
  const kinds = wants.get(channel)?.get(symbol)
  if (!kinds) return true
  kinds.delete(kind)
  return kinds.size === 0 && wants.get(channel)!.delete(symbol)
}

/** The kinds wanted of a channel, or all that it carries when nothing is on record. */
export const kindsOf = (wants: Wants, channel: string, symbol: string, carried: readonly DataKind[]): Iterable<DataKind> =>
  wants.get(channel)?.get(symbol) ?? carried

/** Lists of at most `size`. */
export function batches<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}

/** Symbols to ask for, a list a frame, by channel. */
export function frames(
  subscriptions: readonly Subscription[],
  channelOf: (subscription: Subscription) => string,
  size: number
): readonly (readonly [channel: string, symbols: readonly string[]])[] {
  const channels = new Map<string, Set<string>>()
  for (const one of subscriptions) {
    const symbols = channels.get(channelOf(one)) ?? new Set()
    channels.set(channelOf(one), symbols.add(one.symbol))
  }
  return [...channels].flatMap(([channel, symbols]) => batches([...symbols], size).map((batch) => [channel, batch] as const))
}
