/** The files of the dashboard's page: beside a bundle as `npm run build` wrote them, in a source tree built when first asked for. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** All of them are text; `path` is below /dashboard/. */
export type PageFile = { readonly path: string; readonly text: string }

const buildTimeoutMs = 120_000
const maxOutputBytes = 32 * 1024 * 1024

/** Those that were built before; undefined where nobody has, as in a source tree. */
export function builtPage(): readonly PageFile[] | undefined {
  const folder = path.join(import.meta.dirname, 'dashboard')
  if (!existsSync(path.join(folder, 'index.html'))) return undefined
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({
      path: path.relative(folder, file).replaceAll(path.sep, '/'),
      text: readFileSync(file, 'utf8'),
    }))
}

/** Builds them in a process of its own, which takes its memory with it. Rejects when that fails. */
export function buildFromSource(): Promise<readonly PageFile[]> {
  const program = path.join(import.meta.dirname, 'build-page.ts')
  if (!existsSync(program)) return Promise.reject(new Error('it was not built: npm run build'))
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program],
      { timeout: buildTimeoutMs, maxBuffer: maxOutputBytes },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as readonly PageFile[])
        else reject(new Error(stderr.trim() || error.message, { cause: error }))
      },
    )
  })
}
