/** Liveness on simulated flows, thin to thick: false alarms an hour, and how soon a mute is noticed. Prints the table of docs/decisions/0013. */
import {
  detection,
  falseAlarms,
  FLOWS,
  quantile,
  RATES,
  type FlowName,
  type Mute,
  type Witness
} from '../packages/server/test/arbiter/flows.ts'

const RUNS = 50
/** Own words simulated for the false alarms of one row: thirty weeks of a thin flow, three minutes of the thickest. */
const WORDS = 200_000
const LEARNT = 600
const HOUR = 3_200_000

const short = (value: number): string =>
  value === 0 ? '0' : value < 0.001 ? value.toExponential(0) : Number(value.toPrecision(2)).toString()
const time = (ms: number): string => (ms < 60_000 ? `${short(ms / 1_000)} s` : `${short(ms / 60_000)} min`)

function alarms(flow: FlowName, perSecond: number, witness: Witness): string {
  const { alarms: count, time: took } = falseAlarms({ flow, perSecond, seed: 1, witness }, WORDS)
  return count === 0 ? `0 in ${short(took / HOUR)} h` : short((count / took) * HOUR)
}

function delays(flow: FlowName, perSecond: number, mute: Mute, witness: Witness): string {
  const runs = Array.from({ length: RUNS }, (_, seed) =>
    detection({ flow, perSecond, seed, witness, siblings: mute === 'socket' ? 9 : 0 }, mute, LEARNT)
  )
  const all = runs.map((run) => run.delay)
  return `${time(quantile(all, 0.5))} / ${time(quantile(all, 0.99))}`
}

console.log(
  '| flow | per s | false alarms/h: alone | beside another | in one market | symbol mute, beside another | in one market | socket of 10 mute | all mute |'
)
console.log('|---|---|---|---|---|---|---|---|---|')
for (const flow of Object.keys(FLOWS) as FlowName[])
  for (const perSecond of RATES) {
    const counts = (['alone', 'other', 'same market'] as const).map((witness) => alarms(flow, perSecond, witness))
    const mutes = [
      delays(flow, perSecond, 'symbol', 'other'),
      delays(flow, perSecond, 'symbol', 'same market'),
      delays(flow, perSecond, 'socket', 'other'),
      delays(flow, perSecond, 'all', 'other')
    ]
    console.log(`| ${[flow, perSecond, ...counts, ...mutes].join(' | ')} |`)
  }
