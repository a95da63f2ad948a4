/** The shell of CCXT: each exchange that is dialled is an object of the library, renewed with each connection. */
import { connect, TIMING, type Timing } from './ccxt.connection.ts'
import { createDesk } from './ccxt.rest.ts'
import type { Shell, ShellOptions } from './shell.ts'

export function openCcxt({ readAccess }: ShellOptions, timing: Timing = TIMING): Shell {
  const desk = createDesk(readAccess)
  return {
    // ccxt://bybit
    dial: ({ url }, hooks) => connect(() => desk.make(new URL(url).hostname), hooks, timing),
    rest: desk
  }
}
