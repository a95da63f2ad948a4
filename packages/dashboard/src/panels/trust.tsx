/** How good our own confidence was: per provider, what was said against what came true. */
import type { Calibration } from '@tickwire/client'
import { useState } from 'react'
import { age, count } from '../model/format.ts'
import { usePolled } from '../model/poll.ts'
import { fetchConfidence } from '../model/rest.ts'
import { Diagram } from './diagram.tsx'

const EVERY_MS = 4_000
/** Fewer forecasts than this say little: the figures are shown, but not as a verdict. */
const ENOUGH = 100
const WELL = 0.05

function Fact({ name, title, children, tone = '' }: { name: string; title: string; children: React.ReactNode; tone?: string }) {
  return (
    <div className="flex justify-between gap-1" title={title}>
      <dt className="text-muted">{name}</dt>
      <dd className={tone}>{children}</dd>
    </div>
  )
}

function Card({ calibration, holds }: { calibration: Calibration; holds: number | undefined }) {
  const { provider, bins, brier, ece, mean, hits } = calibration
  const enough = calibration.count >= ENOUGH
  const tone = !enough ? 'text-muted' : ece <= WELL ? 'text-up' : 'text-amber'
  return (
    <li className="flex items-center gap-2" data-calibration={provider}>
      <Diagram bins={bins} provider={provider} />
      <div className="w-[90px] text-[11.5px]">
        <h3 className="mb-1 text-[12px] font-semibold text-bright">{provider}</h3>
        <dl className="space-y-0.5">
          <Fact name="Brier" title="Mean squared error of the confidence; 0 is best">
            {brier.toFixed(3)}
          </Fact>
          <Fact name="ECE" title="Expected calibration error: how far what came true is from what was said" tone={tone}>
            {ece.toFixed(3)}
          </Fact>
          <Fact name="Said" title="Mean confidence">
            {mean.toFixed(3)}
          </Fact>
          <Fact name="Came true" title="Share of the forecasts that came true">
            {hits.toFixed(3)}
          </Fact>
          <Fact name="Forecasts" title="Forecasts resolved; old ones fade" tone={enough ? '' : 'text-amber'}>
            {count(calibration.count)}
          </Fact>
          {holds !== undefined && (
            <Fact name="Held" title="How often its prices held a little later; part of its score">
              {holds.toFixed(3)}
            </Fact>
          )}
        </dl>
      </div>
    </li>
  )
}

export function Trust() {
  const { value, trouble } = usePolled(fetchConfidence, EVERY_MS)
  const [picked, pick] = useState<string>()
  if (!value) return <p className="note">{trouble ?? <span className="waiting">Loading the calibration</span>}</p>
  const all = value.calibrations.filter((one) => one.count > 0)
  const classes = [...new Set(all.map((one) => one.class))].sort()
  const shown = picked !== undefined && classes.includes(picked) ? picked : classes[0]
  const cards = all.filter((one) => one.class === shown)
  const [first] = cards
  if (!first)
    return (
      <p className="note">No forecast has been resolved yet: that takes prices from at least two providers, and a few seconds.</p>
    )
  return (
    <div className="scroll px-3 py-1.5" tabIndex={0} role="region" aria-label="Trust" data-testid="trust">
      <div className="mb-1 flex flex-wrap items-center gap-1 text-[11.5px] text-muted" role="group" aria-label="Kind of data">
        {classes.map((name) => (
          <button key={name} type="button" className="chip" aria-pressed={name === shown} onClick={() => pick(name)}>
            {name}
          </button>
        ))}
        <p className="ml-2">
          {`Confidence is a forecast: within ${first.bps} bp of the consensus ${age(first.horizon)} later. Dots on the line: as often as said.`}
        </p>
      </div>
      <ul className="flex flex-wrap gap-x-4 gap-y-3">
        {cards.map((one) => (
          <Card key={one.provider} calibration={one} holds={value.reliability[one.provider]} />
        ))}
      </ul>
      {trouble && <p className="text-[11.5px] text-amber">{`Not renewed: ${trouble}`}</p>}
    </div>
  )
}
