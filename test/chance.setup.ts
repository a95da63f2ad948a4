/** Every run of the tests draws the same examples, so that a failure is of the change; `SEED=7 npm test` draws others. */
import { configureGlobal } from 'fast-check'

const seed = Number(process.env['SEED'] ?? 20_261_121)
if (!Number.isSafeInteger(seed)) throw new Error(`SEED is "${process.env['SEED']}": a whole number is wanted, such as SEED=7`)
configureGlobal({ seed })
