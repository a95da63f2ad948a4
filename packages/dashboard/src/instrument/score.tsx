/** What a provider's score is made of, as small bars: each from 0 to 1, the taller the better. */
import type { ScoreInputs } from '@tickwire/client'

export const INPUTS: { name: keyof ScoreInputs; hint: string }[] = [
  { name: 'freshness', hint: 'How young its last word is against how often it usually speaks' },
  { name: 'latency', hint: 'How fast its events come, against the fastest' },
  { name: 'uptime', hint: 'Share of the time in which it was connected and spoke' },
  { name: 'completeness', hint: 'Share of what it should have sent that it did send' },
  { name: 'reliability', hint: 'How often its prices held a little later' }
]

/** Below this an input costs its provider something that can be felt. */
const WEAK = 0.8

const words = (inputs: ScoreInputs): string => INPUTS.map(({ name }) => `${name} ${inputs[name].toFixed(2)}`).join(', ')

export function Bars({ score, inputs }: { score: number; inputs: ScoreInputs }) {
  return (
    <span className="inline-flex items-end gap-1.5" title={`Score ${score.toFixed(3)}: ${words(inputs)}`}>
      <span aria-hidden className="inline-flex h-3 items-end gap-px">
        {INPUTS.map(({ name }) => (
          <i
            key={name}
            className={`w-[3px] ${inputs[name] < WEAK ? 'bg-amber' : 'bg-accent'}`}
            style={{ height: `${Math.max(8, inputs[name] * 100).toFixed(0)}%` }}
          />
        ))}
      </span>
      <span className="leading-3">{score.toFixed(2)}</span>
      <span className="sr-only">{words(inputs)}</span>
    </span>
  )
}

/** The leader's inputs with their names: what the decision was made of. */
export function Inputs({ inputs }: { inputs: ScoreInputs }) {
  return (
    <dl data-testid="inputs" className="grid grid-cols-5 gap-x-3 text-[11px]">
      {INPUTS.map(({ name, hint }) => (
        <div key={name} title={hint} className="min-w-0">
          <dt className="truncate text-[10.5px] text-muted">{name}</dt>
          <dd className="flex items-center gap-1.5">
            <span aria-hidden className="h-[3px] flex-1 rounded-full bg-edge">
              <i
                className={`block h-full rounded-full ${inputs[name] < WEAK ? 'bg-amber' : 'bg-accent'}`}
                style={{ width: `${(inputs[name] * 100).toFixed(0)}%` }}
              />
            </span>
            {inputs[name].toFixed(2)}
          </dd>
        </div>
      ))}
    </dl>
  )
}
