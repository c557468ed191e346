/**
 * `npm run build`: one file for each process, under dist/. Type stripping and hundreds of small files cost start-up
 * time and memory that an image need not pay. koffi stays outside, as it brings a native library of its own, and re2js, as
 * it is only loaded where a route has a regex. The source map beside it is for whoever reads a profile; no process loads
 * it.
 *
 * CommonJS, because an ES module that imports a builtin reads every one of its exports: `node:http` alone then loads
 * undici, web streams and worker threads (+16 MB, +40 ms of CPU).
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as esbuild from 'esbuild'
import { buildPage } from '../control-plane/dashboard/build-page.ts'

const root = path.join(import.meta.dirname, '..')

/** By its name in dist/. `init` and `await` run once in a pod, before and beside the sidecar. */
const entries = {
  proxy: 'proxy/main.ts',
  'control-plane': 'control-plane/main.ts',
  injector: 'injector/main.ts',
  init: 'cli/init.ts',
  await: 'cli/await.ts',
} as const

export type ProcessName = keyof typeof entries

/** What can be started from dist/, and from /weft in the image. */
export const processes = Object.keys(entries) as readonly ProcessName[]

/** Parts of packages that are never called, and would be loaded or at least parsed at each start. */
const unused: readonly { readonly of: string; readonly path: RegExp }[] = [
  { of: 'prom-client', path: /^\.\/lib\/(pushgateway|cluster|defaultMetrics)$/ },
  { of: '@grpc/grpc-js', path: /^@grpc\/proto-loader$/ },
]

/** Puts an empty module in the place of what is unused. */
const leaveOutUnused: esbuild.Plugin = {
  name: 'leave-out-unused',
  setup(build) {
    for (const { of, path: filter } of unused) {
      build.onResolve({ filter }, ({ path: name, importer }) =>
        importer.includes(`/node_modules/${of}/`)
          ? { path: `${of} ${name}`, namespace: 'unused' }
          : undefined,
      )
    }
    build.onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: '' }))
  },
}

/** Where the bundle of a process is written. */
export function bundleOf(name: ProcessName): string {
  return path.join(root, 'dist', `${name}.cjs`)
}

/** In one step: somebody else may be starting a process from it. */
function putInPlace(file: string, contents: Uint8Array): void {
  const fresh = `${file}.${process.pid}`
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(fresh, contents)
  renameSync(fresh, file)
}

/** Bundles one process, with `plugins` beside our own; its size in bytes. Rejects with what esbuild has to say. */
export async function bundle(
  name: ProcessName,
  outfile: string,
  plugins: readonly esbuild.Plugin[] = [],
): Promise<number> {
  const { metafile, outputFiles } = await esbuild.build({
    entryPoints: [path.join(root, entries[name])],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    // Only of ES modules can esbuild leave out what nobody imports.
    mainFields: ['module', 'main'],
    external: ['koffi', 're2js'],
    define: {
      'import.meta.main': 'true',
      'import.meta.url': '__filename',
      'import.meta.dirname': '__dirname',
    },
    plugins: [leaveOutUnused, ...plugins],
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    write: false,
  })
  for (const { path: file, contents } of outputFiles) putInPlace(file, contents)
  const [, output] = Object.entries(metafile.outputs).find(([file]) => file.endsWith('.cjs')) ?? []
  return output?.bytes ?? 0
}

/** Bundles every process; the sizes in bytes. Rejects with what esbuild has to say. */
export async function bundleProcesses(): Promise<ReadonlyMap<ProcessName, number>> {
  const sizes = await Promise.all(processes.map((name) => bundle(name, bundleOf(name))))
  // It would wait for more until we end.
  await esbuild.stop()
  return new Map(processes.map((name, i) => [name, sizes[i] as number]))
}

/** Builds the dashboard's page to where the control plane's bundle looks for it; its size in bytes. */
export async function bundleDashboard(): Promise<number> {
  const files = await buildPage()
  const folder = path.join(root, 'dist/dashboard')
  rmSync(folder, { recursive: true, force: true })
  for (const { path: name, text } of files) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
}

if (import.meta.main) {
  for (const [name, bytes] of await bundleProcesses()) {
    process.stdout.write(`dist/${name}.cjs  ${Math.round(bytes / 1024)} KiB\n`)
  }
  process.stdout.write(`dist/dashboard  ${Math.round((await bundleDashboard()) / 1024)} KiB\n`)
}
