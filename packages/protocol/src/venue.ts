/** What a venue says beside its prices: indices, marks, halts, price bands, corrections. Passed on as they come: nobody arbitrates them. */
import type { Stamp } from './stamp.ts'

/** The value of an index: of a stock market, or the one under a derivative (then `instrument` is the derivative). */
export type Index = Stamp & {
  type: 'index'
  value: number
  open?: number
  high?: number
  low?: number
  prevClose?: number
  change?: number
  /** In percent: 1.5 is +1.5 %. */
  changePercent?: number
}

/** The price at which a derivative's positions are valued, and what holding one costs. */
export type Mark = Stamp & {
  type: 'mark'
  price: number
  /** The index price under it. */
  index?: number
  /** Share of the position's value paid at `nextFunding`: 0.0001 is one basis point; longs pay where it is positive. */
  fundingRate?: number
  nextFunding?: number
}

/** Whether an instrument trades now. */
export type Halt = Stamp & {
  type: 'halt'
  state: 'trading' | 'halted' | 'paused' | 'quoting' | 'closed' | 'unknown'
  /** The venue's own code and words. */
  code?: string
  reason?: string
}

/** Limit up, limit down: the prices between which an instrument may trade. */
export type Band = Stamp & { type: 'band'; up: number; down: number; indicator?: string }

/** A trade that was told before was wrong, or never was. */
export type Correction = Stamp & {
  type: 'correction'
  action: 'correct' | 'cancel'
  /** Id of the trade that is corrected or cancelled, as in its `trade` event. */
  id: string
  price?: number
  size?: number
  /** What is true instead; absent for a cancel. */
  corrected?: { id?: string; price: number; size: number; conditions?: readonly string[] }
}
