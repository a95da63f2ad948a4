/** Whoever sees simulated or recorded prices must know it without looking for it; live prices carry no banner. */
import { FlaskConical, History } from 'lucide-react'
import { useDesk } from '../model/desk.ts'

export function Banner() {
  const mode = useDesk((desk) => desk.mode)
  const abouts = useDesk((desk) => desk.abouts)
  if (mode === undefined || mode === 'live') return null
  const names = abouts.map((one) => one.title ?? one.provider).join(', ')
  const Icon = mode === 'demo' ? FlaskConical : History
  return (
    <p
      role="note"
      data-testid="banner"
      className="flex flex-none items-center justify-center gap-2 border-b border-amber/25 bg-amber/10 px-3 py-1 text-center text-[12px] text-amber"
    >
      <Icon size={13} aria-hidden className="flex-none" />
      <span>
        {mode === 'demo' ? (
          <>
            <strong className="font-semibold">Simulated prices</strong>: a seeded street, no real market
          </>
        ) : (
          <>
            <strong className="font-semibold">Recorded session</strong> of {names || 'a provider'}, replayed
          </>
        )}
      </span>
    </p>
  )
}
