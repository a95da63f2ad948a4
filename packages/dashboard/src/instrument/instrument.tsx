/** Everything about the chosen instrument: its price with its day, chart, book, trades and sources. */
import { ArrowLeft } from 'lucide-react'
import { Boundary } from '../boundary.tsx'
import { show, useDesk } from '../model/desk.ts'
import { useGaps } from '../model/gaps.ts'
import { Book } from './book.tsx'
import { Chart } from './chart.tsx'
import { Headline } from './headline.tsx'
import { Sources } from './sources.tsx'
import { Tape } from './tape.tsx'

function Unknown({ id }: { id: string }) {
  return (
    <section aria-label="Instrument" className="panel h-full">
      <p role="alert" className="note">
        {`No provider lists “${id}”. Press / to find an instrument.`}
      </p>
    </section>
  )
}

export function Instrument() {
  const id = useDesk((desk) => desk.chosen)
  const known = useDesk((desk) => desk.instruments === undefined || (desk.chosen !== undefined && desk.byId.has(desk.chosen)))
  if (id === undefined)
    return <section aria-label="Instrument" className="panel h-full" children={<p className="note">Choose an instrument.</p>} />
  if (!known) return <Unknown id={id} />
  return <Known key={id} id={id} />
}

function Known({ id }: { id: string }) {
  useGaps(id)
  return (
    <section
      aria-label={`Instrument ${id}`}
      data-instrument={id}
      className="flex h-full min-h-0 flex-col gap-px overflow-y-auto bg-line wide:overflow-hidden"
    >
      <header className="panel flex-none">
        <button
          type="button"
          className="flex items-center gap-1.5 self-start px-3 pt-2 text-muted hover:text-bright wide:hidden"
          onClick={() => show('markets')}
        >
          <ArrowLeft size={14} aria-hidden /> Markets
        </button>
        <Headline id={id} />
      </header>
      <div className="grid min-h-0 flex-none gap-px md:grid-cols-[minmax(0,1fr)_272px] wide:flex-1">
        <div className="flex min-h-0 min-w-0 flex-col gap-px">
          <div className="panel h-[340px] flex-none md:h-[420px] wide:h-auto wide:flex-[1.6]">
            <Boundary what="The chart">
              <Chart id={id} />
            </Boundary>
          </div>
          <div className="panel wide:flex-1">
            <Boundary what="The list of sources">
              <Sources id={id} />
            </Boundary>
          </div>
        </div>
        <div className="flex min-h-0 min-w-0 flex-col gap-px">
          <div className="panel flex-none">
            <Boundary what="The order book">
              <Book id={id} />
            </Boundary>
          </div>
          <div className="panel h-[320px] wide:h-auto wide:flex-1">
            <Boundary what="The trades">
              <Tape id={id} />
            </Boundary>
          </div>
        </div>
      </div>
    </section>
  )
}
