/** What options are made of: durations, lists, addresses, weights. */
import { z } from 'zod'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** `'250ms'`, `'10s'`, `'5m'`, `'24h'`, `'7d'`; inside, milliseconds. */
export const duration = (fallback: string, description: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'a duration is a number and a unit (ms, s, m, h, d), as in "10s"')
    .transform((text) => Number.parseFloat(text) * UNITS[text.replace(/^[\d.]+/, '') as keyof typeof UNITS])
    .prefault(fallback)
    .describe(description)

export const weight = (fallback: number, what: string) =>
  z.coerce.number().min(0).max(1_000).default(fallback).describe(`Weight of ${what}.`)

export const list = (fallback: string[], description: string) => z.array(z.string()).default(fallback).describe(description)

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
