/** What becomes of a command whose output nobody takes: whose reader has gone it ends as if it were done, else it says why not. */

/** Errors of stdout come as events, whichever command wrote. */
export function endWithReader(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(process.exitCode ?? 0)
    console.error(`stdout cannot be written: ${message}`)
    process.exit(2)
  })
  // Nobody listens to what is said beside it.
  process.stderr.on('error', () => {})
}
