/** Builds the dashboard's page with Vite, in memory. As a program it prints the files as JSON, for a control plane in a source tree. */
import path from 'node:path'
import type { PageFile } from './page-files.ts'

const source = path.join(import.meta.dirname, 'page')

/** The page's files by their path below /dashboard/. Rejects with what Vite has to say. */
export async function buildPage(): Promise<readonly PageFile[]> {
  // Only a source tree has it.
  const { build } = await import('vite')
  const result = await build({
    root: source,
    // Relative, so that it loads behind a proxy that serves it under another path.
    base: './',
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    // The page's policy allows no data: addresses and no script in the HTML.
    build: { write: false, assetsInlineLimit: 0, modulePreload: false, target: 'es2022' },
  })
  if ('close' in result) throw new Error('Vite watches instead of building')
  const outputs = Array.isArray(result) ? result : [result]
  return outputs.flatMap(({ output }) =>
    output.map((file) => ({
      path: file.fileName,
      text: file.type === 'chunk' ? file.code : Buffer.from(file.source).toString('utf8'),
    })),
  )
}

if (import.meta.main) process.stdout.write(JSON.stringify(await buildPage()))
