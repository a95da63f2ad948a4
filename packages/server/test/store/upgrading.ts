/** A process that brings one file of keys after the other up to date until it is killed; before each it says so with a letter. */
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { openKeyStore } from '../../src/store/keys.ts'

const [folder = '', count = '0'] = process.argv.slice(2)
flushCompileCache()
for (let n = 0; n < Number(count); n++) {
  writeSync(1, '.')
  openKeyStore(join(folder, `${n}.db`)).close()
}
// Whoever is to kill it comes late.
setInterval(() => {}, 60_000)
