/** What sorts of data there are, and how each is treated. */

/** Kinds of which one provider leads per instrument, as the arbiter decides. */
export const ARBITRATED_KINDS = ['trade', 'quote', 'ticker', 'book'] as const
/** Kinds that are passed on from whoever sends them: `provider` says who that is. */
export const PASSED_KINDS = ['candle', 'index', 'mark', 'halt', 'band', 'correction'] as const
/** Streams that are not of one instrument: they are subscribed as `kind:all`, or filtered as `kind:<instrument>`. */
export const WHOLE_KINDS = ['news', 'position', 'account', 'order'] as const
/** What is told of a user's own account. */
export const ACCOUNT_KINDS = ['position', 'account', 'order'] as const

/** What we make of the data; `breadth` is of all instruments, or of a sector. */
export const DERIVED_KINDS = ['liquidity', 'change', 'breadth'] as const

export type ArbitratedKind = (typeof ARBITRATED_KINDS)[number]
export type WholeKind = (typeof WHOLE_KINDS)[number]
export type DataKind = ArbitratedKind | (typeof PASSED_KINDS)[number] | WholeKind
export type DerivedKind = (typeof DERIVED_KINDS)[number]
export type Kind = DataKind | DerivedKind | 'status' | 'arbitration' | 'gap' | 'provider' | 'replay'

export const DATA_KINDS: readonly DataKind[] = [...ARBITRATED_KINDS, ...PASSED_KINDS, ...WHOLE_KINDS]
export const KINDS: readonly Kind[] = [...DATA_KINDS, ...DERIVED_KINDS, 'status', 'arbitration', 'gap', 'provider', 'replay']

export const isArbitrated = (kind: Kind): kind is ArbitratedKind => (ARBITRATED_KINDS as readonly Kind[]).includes(kind)
export const isWhole = (kind: Kind): kind is WholeKind => (WHOLE_KINDS as readonly Kind[]).includes(kind)
