/** Colours where the reader is a terminal that shows them and the person wants them. Pure. */

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36', up: '30;42', down: '37;41' } as const
export type Colour = keyof typeof CODES
export type Paint = (colour: Colour | undefined, text: string) => string

export const noPaint: Paint = (_colour, text) => text
const paint: Paint = (colour, text) => (colour === undefined || text === '' ? text : `\x1b[${CODES[colour]}m${text}\x1b[0m`)

type Environment = Readonly<Record<string, string | undefined>>

/** A terminal that can move its cursor. */
export const isScreen = (out: { isTTY?: boolean }, env: Environment): boolean => out.isTTY === true && env.TERM !== 'dumb'

/** https://no-color.org: any value but the empty one. FORCE_COLOR wins over what the stream is, never over NO_COLOR. */
export function paintFor(out: { isTTY?: boolean }, env: Environment): Paint {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return noPaint
  const { FORCE_COLOR: forced } = env
  if (forced !== undefined) return forced === '0' || forced === 'false' ? noPaint : paint
  return isScreen(out, env) ? paint : noPaint
}
