/** Pages that are no part of the server: built as their authors would, and served over HTTP, as `python3 -m http.server` does. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

export type Files = { url: string; close: () => Promise<void> }

export async function serveFiles(directory: string): Promise<Files> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    readFile(join(directory, path)).then(
      (body) => response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(body),
      () => response.writeHead(404).end()
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Builds the page of a directory and says where it is now. React's own checks are those of its development form. */
export function buildPage(directory: string): string {
  const built = mkdtempSync(join(tmpdir(), 'tickwire-page-'))
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', directory, '--outDir', built],
    { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'development' } }
  )
  if (status !== 0) throw new Error(`the page could not be built: ${stderr}`)
  return built
}

/** Builds a page of these files, which find this repository's packages as installed ones. */
export function buildFrom(files: Record<string, string>): string {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  const directory = mkdtempSync(join(root, 'node_modules/.cache/tickwire-page-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  try {
    return buildPage(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
