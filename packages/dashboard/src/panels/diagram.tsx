/** A reliability diagram: what confidence was said, and which share of it came true; on the diagonal both agree. */
import type { Calibration } from '@tickwire/client'
import { count, percentShare } from '../model/format.ts'

const WIDTH = 126
const HEIGHT = 122
const PAD = { left: 12, right: 9, top: 10, bottom: 14 }
const x = (share: number): number => PAD.left + share * (WIDTH - PAD.left - PAD.right)
const y = (share: number): number => HEIGHT - PAD.bottom - share * (HEIGHT - PAD.top - PAD.bottom)

const short = (n: number): string => (n < 1_000 ? String(Math.round(n)) : `${(n / 1_000).toFixed(1)}k`)

function Axes() {
  return (
    <g className="fill-muted text-[8.5px]">
      <path d={`M${x(0)} ${y(1)}V${y(0)}H${x(1)}`} fill="none" stroke="#2b3646" />
      <path d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} fill="none" stroke="#4a5a70" strokeDasharray="2 3" />
      {[0, 1].map((share) => (
        <text key={share} x={x(0) - 4} y={y(share) + 3} textAnchor="end">
          {share}
        </text>
      ))}
      <text x={x(0)} y={HEIGHT - 3}>
        said
      </text>
      <text x={x(1)} y={HEIGHT - 3} textAnchor="end">
        1
      </text>
      <text x={x(0) + 4} y={y(1) + 3}>
        came true
      </text>
    </g>
  )
}

export function Diagram({ bins, provider }: { bins: Calibration['bins']; provider: string }) {
  const filled = bins.filter((bin) => bin.count > 0)
  const most = Math.max(...filled.map((bin) => bin.count))
  return (
    <svg
      width={WIDTH}
      height={HEIGHT}
      role="img"
      className="flex-none"
      data-testid="diagram"
      aria-label={`Reliability of ${provider}: ${filled.map((bin) => `said ${percentShare(bin.mean)}, came true ${percentShare(bin.hits)}, of ${count(bin.count)}`).join('; ')}`}
    >
      <Axes />
      {filled.map((bin) => (
        <g key={bin.from}>
          <title>{`Said ${percentShare(bin.mean)}, came true ${percentShare(bin.hits)}, of ${count(bin.count)} forecasts`}</title>
          <path d={`M${x(bin.mean)} ${y(bin.mean)}V${y(bin.hits)}`} stroke="#7cb7ff" strokeOpacity={0.35} />
          <circle cx={x(bin.mean)} cy={y(bin.hits)} r={2 + 3 * Math.sqrt(bin.count / most)} fill="#7cb7ff" />
          <text
            x={x(bin.mean)}
            y={y(bin.hits) + (bin.hits < 0.2 ? -8 : 14)}
            textAnchor="middle"
            className="fill-muted text-[8.5px]"
          >
            {short(bin.count)}
          </text>
        </g>
      ))}
    </svg>
  )
}
