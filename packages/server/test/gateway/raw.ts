/** A WebSocket client that chooses every bit, typed for the tests: the client of the conformance tool. */
import type { Socket } from 'node:net'
// @ts-expect-error -- plain JavaScript, kept as it is
import * as rawws from '../conformance/rawws.mjs'

export type Frame = {
  op: number
  fin?: boolean
  /** 4: the first reserved bit, 2, 1. */
  rsv?: number
  payload?: string | Uint8Array
  form?: '7' | '16' | '64'
  /** The length that is written, if not the true one. */
  declare?: number
}
export type Conn = {
  s: Socket
  up: boolean
  res: { status: number; headers: Record<string, string> } | undefined
  msgs: readonly (string | Buffer)[]
  close: { code: number; reason: string } | null
  ended: boolean
  write: (bytes: Uint8Array) => boolean
  until: <T>(look: () => T, within: number) => Promise<T | null>
  kill: () => void
  rst: () => void
}

const raw = rawws as {
  frame: (frame: Frame) => Buffer
  closePayload: (code: number) => Buffer
  open: (url: string, options: { extensions?: string }) => Promise<Conn>
}
export const { frame, closePayload, open } = raw
