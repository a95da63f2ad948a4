/** The page: grid and providers on the left, the chosen instrument on the right; one of them at a time on a phone. */
import { Activity, CandlestickChart, LayoutList, Newspaper, ScrollText, ShieldCheck } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Boundary } from './boundary.tsx'
import { Grid, useOrder } from './grid/grid.tsx'
import { Instrument } from './instrument/instrument.tsx'
import { serverNow } from './model/clock.ts'
import { rowOf } from './model/connection.ts'
import { show, useDesk, type View } from './model/desk.ts'
import { clockTime, price } from './model/format.ts'
import { Banner } from './panels/banner.tsx'
import { Header } from './panels/header.tsx'
import { useKeyboard } from './panels/keyboard.ts'
import { Keys } from './panels/keys.tsx'
import { Log, NoticeText, TONES } from './panels/log.tsx'
import { News } from './panels/news.tsx'
import { Palette } from './panels/palette.tsx'
import { Providers } from './panels/providers.tsx'
import { LiveAgain, ReplayBar } from './panels/replay.tsx'
import { Recordings } from './panels/recordings.tsx'
import { TokenDialog } from './panels/token.tsx'
import { Trust } from './panels/trust.tsx'

/** The tab's title shows the chosen price, also while the tab is in the background. */
function useTitle(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      const { chosen, replay } = useDesk.getState()
      const row = chosen === undefined ? undefined : rowOf(chosen)
      const plain = row?.last === undefined ? 'Tickwire' : `${price(row.last, row.digits)} ${row.id} · Tickwire`
      const title = replay === undefined ? plain : `REPLAY ${clockTime(serverNow())} · ${plain}`
      if (document.title !== title) document.title = title
    }, 1_000)
    return () => clearInterval(timer)
  }, [])
}

const TABS = [
  { view: 'providers', name: 'Providers' },
  { view: 'trust', name: 'Trust' },
  { view: 'news', name: 'News' },
  { view: 'log', name: 'Log' }
] as const

const PANELS = { providers: Providers, trust: Trust, news: News, log: Log } as const
const isLower = (view: View): view is keyof typeof PANELS => Object.hasOwn(PANELS, view)

/** Providers, trust, news and log share one place on a wide screen. */
function Lower() {
  const view = useDesk((desk) => desk.view)
  const unread = useDesk((desk) => desk.unread)
  const [shown, setShown] = useState<keyof typeof PANELS>('providers')
  if (isLower(view) && view !== shown) setShown(view)
  const Panel = PANELS[shown]
  return (
    <section aria-label="Providers, trust, news and log" className="panel h-full">
      <div className="panel-head gap-1! max-wide:hidden" role="group" aria-label="Choose between providers, trust, news and log">
        {TABS.map((tab) => (
          <button
            key={tab.view}
            type="button"
            className="chip caption"
            aria-pressed={shown === tab.view}
            onClick={() => show(tab.view)}
          >
            {tab.name}
            {tab.view === 'log' && unread > 0 && <span className="ml-1.5 text-amber">{unread}</span>}
          </button>
        ))}
        <Latest />
      </div>
      <Boundary what="This panel">
        <Panel />
      </Boundary>
    </section>
  )
}

/** The newest line of the log, so that nobody has to open it to see that something happened. */
function Latest() {
  const notice = useDesk((desk) => desk.notices[0])
  if (!notice) return null
  return (
    <p className="ml-3 truncate text-[11.5px] text-muted" title={notice.text}>
      {clockTime(notice.at)} <span className={TONES[notice.tone]}>{notice.kind}</span>{' '}
      {notice.instrument && <span className="text-text">{notice.instrument} </span>}
      <NoticeText notice={notice} />
    </p>
  )
}

const NAV: { view: View; name: string; Icon: typeof Activity }[] = [
  { view: 'markets', name: 'Markets', Icon: LayoutList },
  { view: 'instrument', name: 'Instrument', Icon: CandlestickChart },
  { view: 'providers', name: 'Providers', Icon: Activity },
  { view: 'trust', name: 'Trust', Icon: ShieldCheck },
  { view: 'news', name: 'News', Icon: Newspaper },
  { view: 'log', name: 'Log', Icon: ScrollText }
]

function Navigation() {
  const view = useDesk((desk) => desk.view)
  const unread = useDesk((desk) => desk.unread)
  return (
    <nav
      aria-label="Views"
      className="grid flex-none grid-cols-6 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] wide:hidden"
    >
      {NAV.map(({ view: one, name, Icon }) => (
        <button
          key={one}
          type="button"
          aria-current={view === one ? 'page' : undefined}
          className="relative flex h-12 flex-col items-center justify-center gap-0.5 text-[10.5px] text-muted aria-[current]:text-accent"
          onClick={() => show(one)}
        >
          <Icon size={17} aria-hidden />
          {name}
          {one === 'log' && unread > 0 && (
            <span className="absolute top-1 right-[26%] text-amber">{unread > 99 ? '99+' : unread}</span>
          )}
        </button>
      ))}
    </nav>
  )
}

export function App() {
  const view = useDesk((desk) => desk.view)
  const palette = useDesk((desk) => desk.palette)
  const keys = useDesk((desk) => desk.keys)
  const ids = useOrder()
  useKeyboard(ids)
  useTitle()
  // Prices that no longer move must not look alive.
  const replay = useDesk((desk) => desk.replay)
  const turn = useDesk((desk) => desk.turn)
  const picking = useDesk((desk) => desk.picking)
  const lost = useDesk((desk) => desk.mode !== undefined && desk.connection?.phase !== 'open')
  const dim = lost ? 'opacity-60' : ''
  const lower = isLower(view)
  return (
    <div className="flex h-full flex-col" data-replay={replay}>
      <ReplayBar />
      <LiveAgain />
      <Header />
      {replay === undefined && <Banner />}
      {/* What parts remember of prices goes with them. */}
      <main
        key={turn}
        className="grid min-h-0 flex-1 gap-px bg-line wide:grid-cols-[minmax(724px,1fr)_minmax(0,1fr)] wide:grid-rows-[minmax(0,1fr)_auto]"
      >
        <div className={`min-h-0 ${dim} ${view === 'markets' ? '' : 'max-wide:hidden'}`}>
          <Boundary what="The grid">
            <Grid ids={ids} />
          </Boundary>
        </div>
        <div className={`min-h-0 wide:row-span-2 ${dim} ${view === 'instrument' ? '' : 'max-wide:hidden'}`}>
          <Boundary what="The instrument">
            <Instrument />
          </Boundary>
        </div>
        <div className={`min-h-0 wide:h-[216px] ${lower ? '' : 'max-wide:hidden'}`}>
          <Lower />
        </div>
      </main>
      <Navigation />
      {palette && <Palette />}
      {keys && <Keys />}
      {picking && <Recordings />}
      <TokenDialog />
    </div>
  )
}
