/** `tickwire replay`, as the command line knows it. */
import { Option, type Command } from 'commander'
import type { ReplayFlags } from '../replay.ts'
import { configured, withExamples } from './words.ts'

export function addReplay(program: Command): void {
  const replay = configured(
    program
      .command('replay')
      .description('play a recording through the whole road, in a process of its own: page, REST and WebSocket tell the past')
      .argument('[run]', 'as GET /v1/recordings and tickwire record name it (default: the newest)')
  )
    .option('-d, --directory <directory>', 'the journal (default: data/journal)')
    .option('--from <time>', 'as in 2026-01-31T14:30:00Z, or epoch milliseconds (default: its beginning)')
    .option('--to <time>', 'the same, exclusive (default: its end)')
    .option('--speed <n>', '1 is as it was, from 0.1 on; max is as fast as it goes (default: 1; max with --digest)')
    .addOption(
      new Option('--what <what>', 'events as they were published, or raw frames, which are decided anew').choices([
        'events',
        'frames'
      ])
    )
    .option('--loop', 'begin anew at its end')
    .option('-p, --port <port>', 'port for page, REST and WebSocket (default: 8000; 0 takes a free one)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--capture <provider>', 'play a recorded session of the captures instead')
    .option('--digest', 'serve nothing: play it once, and print the SHA-256 of all that is published')
    .action(async (run: string | undefined, flags: ReplayFlags) => (await import('../replay.ts')).replay(run, flags))
  withExamples(replay, [
    ['tickwire replay', 'the newest recording, as it was'],
    ['tickwire replay --from 2026-01-31T14:30:00Z --speed 10', 'a part of it, ten times as fast'],
    ['tickwire replay --digest', 'the same bytes on every run: the SHA-256 of what comes out'],
    ['tickwire replay --capture <provider> --speed max', 'a recorded session that comes with Tickwire'],
    ['tickwire replay --what frames', 'raw frames, decoded and arbitrated anew']
  ])
}
