#!/usr/bin/env node
// The command. The guard stands before the first import, so that an old Node says why instead of failing on syntax.
const major = Number.parseInt(process.versions.node, 10)
if (major < 24) {
  console.error(
    `tickwire needs Node 24 or newer; this is ${process.versions.node}. In a checkout, npm start brings the right one.`
  )
  process.exit(1)
}
await import('../src/cli.ts')
