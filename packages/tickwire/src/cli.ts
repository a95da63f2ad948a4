/** The tickwire command. Data goes to stdout, all else to stderr. */
import { endWithReader } from './output.ts'
import { createProgram } from './program.ts'

endWithReader()
try {
  await createProgram().parseAsync()
} catch (error) {
  if (!(error instanceof Error) || !['ConfigError', 'CommandError'].includes(error.name)) throw error
  console.error(error.message)
  process.exitCode = 2
}
