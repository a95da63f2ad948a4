/** How long each stage of an event's way takes: from the provider to us, to the plant, to the sockets. */
import { count, latency } from '../model/format.ts'
import { usePolled } from '../model/poll.ts'
import { fetchHops, type Hop } from '../model/rest.ts'

const NAMES: Record<string, string> = {
  provider_received: 'to us',
  received_published: 'Received to published',
  published_flushed: 'Published to socket'
}
const EVERY_MS = 3_000
const HEADS: [string, string][] = [
  ['Count', 'Events of the last one to two minutes; of the last stage, batches'],
  ['p50', 'Half take no longer'],
  ['p90', 'Nine of ten take no longer'],
  ['p99', 'Ninety-nine of a hundred take no longer']
]

const nameOf = ({ hop, provider, kind }: Hop): string =>
  provider === undefined ? (NAMES[hop] ?? hop) : `${provider} ${kind ?? ''} ${NAMES[hop] ?? hop}`
/** Our own stages first: there are two of them, and they are what a reader can change. */
const ordered = (hops: readonly Hop[]): Hop[] => [...hops].sort((a, b) => Number(!!a.provider) - Number(!!b.provider))

const Line = ({ hop }: { hop: Hop }) => (
  <tr className="h-[20px] text-[12px]">
    <th scope="row" className="pl-3 text-left font-medium text-text">
      {nameOf(hop)}
    </th>
    <td className="px-1.5 text-right text-muted">{count(hop.count)}</td>
    {[hop.p50, hop.p90, hop.p99].map((ms, i) => (
      <td key={HEADS[i + 1]![0]} className="px-1.5 text-right last:pr-3">
        {latency(ms)}
      </td>
    ))}
  </tr>
)

export function Latency() {
  const { value, trouble } = usePolled(fetchHops, EVERY_MS)
  if (!value) return <p className="note">{trouble ?? <span className="waiting">Loading latencies</span>}</p>
  if (value.length === 0) return <p className="note">Nothing was measured in the last two minutes.</p>
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Latency per hop">
      <table className="w-full" data-testid="latency">
        <thead>
          <tr className="h-6">
            <th scope="col" className="caption pl-3 text-left">
              Hop
            </th>
            {HEADS.map(([name, title]) => (
              <th key={name} scope="col" title={title} className="caption px-1.5 text-right last:pr-3">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ordered(value).map((hop) => (
            <Line key={nameOf(hop)} hop={hop} />
          ))}
        </tbody>
      </table>
    </div>
  )
}
