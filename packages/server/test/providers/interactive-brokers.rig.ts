/** Sessions of the Interactive Brokers adapter, spoken to in the SDK's events; and the notebooks' values. */
import { expect } from 'vitest'
import type { Access, Meaning, Subscription } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { only, rows } from './captures.ts'

type Session = ReturnType<typeof adapter.open>
type Call = { call: string; args: unknown[] }
export const NOW = 1_577_811_902_127
export const DELAY = 900_000

export const callsOf = (meanings: readonly Meaning[]): Call[] =>
  only('reply', meanings).flatMap(({ frame }) => JSON.parse(frame as string) as Call | Call[])
export const subscribe = (session: Session, ...wanted: Subscription[]): Call[] =>
  adapter.subscribe(wanted, session).map((frame) => JSON.parse(frame as string) as Call)
export const hear = (session: Session, event: string, ...args: unknown[]): readonly Meaning[] =>
  adapter.decode(JSON.stringify({ event, args }), NOW, session)
export const hearAll = (session: Session, ...events: [string, ...unknown[]][]): readonly Meaning[] =>
  adapter.decode(JSON.stringify(events.map(([event, ...args]) => ({ event, args }))), NOW, session)
export const data = (meanings: readonly Meaning[]) => meanings.filter(({ type }) => type !== 'ack' && type !== 'reply')

const HOURS = {
  timeZoneId: 'US/Eastern',
  tradingHours: '20191231:0400-20191231:2000;20200101:CLOSED',
  liquidHours: '20191231:0930-20191231:1600;20200101:CLOSED'
}
let conIds = 265_598
/** A session in which the symbols are resolved and asked for; gives their request ids by `call`. */
export function asked(wanted: Subscription[], access: Access = {}) {
  const session = adapter.open(access)
  const calls: Call[] = []
  for (const { call, args } of subscribe(session, ...wanted)) {
    if (call !== 'reqContractDetails') {
      calls.push({ call, args })
      continue
    }
    const contract = { ...(args[1] as object), conId: conIds++ }
    expect(hear(session, 'contractDetails', args[0], { contract, ...HOURS })).toEqual([])
    calls.push(...callsOf(hear(session, 'contractDetailsEnd', args[0])))
  }
  const id = (call: string, nth = 0): number => calls.filter((one) => one.call === call)[nth]!.args[0] as number
  return { session, calls, id }
}

/** `Ticker(... bid=1.12245, bidSize=10700000, ...)` → numbers by name. */
export const field = (text: string, name: string): number => Number(new RegExp(`\\b${name}=(-?[\\d.]+)`).exec(text)![1])
export const cells = (name: string) =>
  rows<{ source: string; output: string }>(`interactive-brokers/ib-insync-notebook-${name}_data.jsonl`)
