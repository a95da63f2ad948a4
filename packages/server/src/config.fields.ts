/** What options are made of: durations, lists, addresses, weights. */
import { z } from 'zod'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** A timer of Node that is longer fires at once. */
const LONGEST = 24
/** Ten years. */
const EVER = 3_650
const lengthOf = (text: string): number => Number.parseFloat(text) * UNITS[text.replace(/^[\d.]+/, '') as keyof typeof UNITS]
/** `'250ms'`, `'10s'`, `'5m'`, `'24h'`, `'7d'`; inside, milliseconds. `most`: in days. */
const span = (fallback: string, description: string, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'a duration is a number and a unit (ms, s, m, h, d), as in "10s"')
    .refine((text) => !(lengthOf(text) > most * UNITS.d), `a duration is at most ${most}d`)
    .transform(lengthOf)
    .prefault(fallback)
    .describe(description)

export const duration = (fallback: string, description: string) => span(fallback, description, LONGEST)
/** Of something that is compared with a time, and sets no timer. */
export const age = (fallback: string, description: string) => span(fallback, description, EVER)

export const weight = (fallback: number, what: string) =>
  z.coerce.number().min(0).max(1_000).default(fallback).describe(`Weight of ${what}.`)

export const list = (fallback: string[], description: string, item: z.ZodString = z.string()) =>
  z.array(item).default(fallback).describe(description)

const addresses = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
export const network = z
  .string()
  .refine((text) => addresses.safeParse(text).success, 'it takes addresses and networks, as in 10.0.0.0/8')
/** As a browser writes it; of any scheme, for pages of extensions and apps. */
export const origin = z
  .string()
  .regex(/^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@A-Z]+)$/, 'it takes origins, as in https://desk.example, or *')
export const hash = z.string().regex(/^[0-9a-f]{64}$/i, 'each must be a SHA-256 in 64 hex digits')
export const budget = z.string().regex(/^\s*[1-9]\d*\/[1-9]\d*[smhd]\s*$/, 'a REST budget is calls per time, as in "25/1d"')
export const timeOfDay = z.string().regex(/^\s*([01]?\d|2[0-3]):[0-5]\d\s*$/, 'it takes times of day, as in "05:30"')

export const url = (schemes: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
      `an address starting with ${schemes.join('// or ')}//`
    )

export const isAddress =
  (schemes: readonly string[]) =>
  (text: string): boolean =>
    text === '' || (URL.canParse(text) && schemes.includes(new URL(text).protocol))

/** What the confidence of one class is held to. */
export const target = (kind: string, bps: number, horizon: string) =>
  z
    .strictObject({
      bps: z.coerce
        .number()
        .positive()
        .max(1_000)
        .default(bps)
        .describe(
          `Confidence of a ${kind} is the chance that it is within so many basis points, or more where the market moves more,`
        ),
      horizon: duration(horizon, `of the consensus so much after the ${kind}.`)
    })
    .prefault({})
