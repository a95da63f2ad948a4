/** The version of this release, as in every package.json; a test keeps them equal. */
export const VERSION = '0.1.0'
