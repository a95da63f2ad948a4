/** Text from outside as a terminal may have it: nothing in it moves a cursor, changes a colour or turns the reading direction. Pure. */

/** C0, DEL, C1; the marks that turn text around; what has no width and so hides; line and paragraph separators; halves of pairs. */
const UNFIT = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]' +
    '|\\p{Cs}|[\\u{e0000}-\\u{e007f}]',
  'gu'
)

/** Each unfit character is seen as one replacement character, so that it does not go unnoticed. */
export const plain = (text: string): string => text.replace(UNFIT, '\ufffd')

/** JSON that means the same, without any character that a terminal could obey. */
export const plainJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNFIT, (found) =>
    [...Array(found.length).keys()].map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
  )

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

const cells = (character: string): number => (/\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1)

/** How many cells of a terminal plain text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += cells(character)
  return width
}

/** At most so many cells; what is cut off is told by an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let [kept, taken] = ['', 0]
  for (const character of text) {
    if (taken + cells(character) > width - 1) break
    kept += character
    taken += cells(character)
  }
  return `${kept}…`
}

/** All its digits, and never an exponent. */
export function decimal(value: number): string {
  const [digits = '', exponent] = String(value).split('e')
  if (exponent === undefined) return digits
  const power = Number(exponent)
  if (power > 0) return BigInt(value).toString()
  const [sign, bare] = digits.startsWith('-') ? ['-', digits.slice(1)] : ['', digits]
  return `${sign}0.${'0'.repeat(-power - 1)}${bare.replace('.', '')}`
}
