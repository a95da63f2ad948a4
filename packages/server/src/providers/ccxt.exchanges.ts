/** What is known of single exchanges of the library, by its names for them: where its own reading of them has to be mended. */

/** Their trades come with the side of the maker, which the library (4.5.84) passes on as it is. */
export const MAKER_SIDE: ReadonlySet<string> = new Set(['coinbase', 'coinbaseadvanced'])
