/** What is wrong with a simulated provider as a whole. */
import type { Weather } from './pipe.ts'

export type Trouble = {
  weather: Weather
  /** New connections are refused (`slam`), or never answered (`hang`). */
  door: 'open' | 'slam' | 'hang'
  /** REST answers with this status; 0: not at all. */
  rest: number | undefined
  /** How far its clock is ahead, ms. */
  skew: number
  /** The only token it takes. */
  token: string
}
