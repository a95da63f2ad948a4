import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// What the many programs of the tests are compiled to is kept for the next of them.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'test-results', 'compiled')

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/kinds.setup.ts', 'test/chance.setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // One more than cores: a third of the time a file with sockets waits for something.
    maxWorkers: 3
  }
})
