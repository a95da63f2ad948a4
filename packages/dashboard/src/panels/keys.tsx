/** The keys of the page. */
import { useDesk } from '../model/desk.ts'
import { Dialog } from './dialog.tsx'

const KEYS: [string[], string][] = [
  [['↑', '↓', 'j', 'k'], 'Move in the grid'],
  [['Enter'], 'Open the instrument'],
  [['/', 'Ctrl K'], 'Find an instrument'],
  [['f'], 'Filter the grid'],
  [['Home', 'End'], 'First and last row'],
  [['r'], 'Replay a recording'],
  [['p'], 'Replay: play, pause'],
  [['.', ','], 'Replay: a step on, a step back'],
  [['[', ']'], 'Replay: slower, faster'],
  [['Shift ←', 'Shift →'], 'Replay: 10 s back, 10 s on'],
  [['l'], 'Replay: again and again'],
  [['?'], 'Show these keys'],
  [['Esc'], 'Close, or back to the grid']
]

export function Keys() {
  return (
    <Dialog label="Keys" onClose={() => useDesk.setState({ keys: false })}>
      <h2 className="caption border-b border-line px-4 py-3">Keys</h2>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2.5 px-4 py-4">
        {KEYS.map(([keys, what]) => (
          <div key={what} className="contents">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd key={key} className="key">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" className="px-4 pb-4 text-right">
        <button type="button" className="chip border border-edge px-3! py-1!" onClick={() => useDesk.setState({ keys: false })}>
          Close
        </button>
      </form>
    </Dialog>
  )
}
