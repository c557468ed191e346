/**
 * `npm run build`: one .js file for each process, under dist/. Type stripping and hundreds of small files cost start-up
 * time and memory that an image need not pay. koffi stays outside, as it brings a native library of its own, and re2js, as
 * it is only loaded where a route has a regex. The source map beside it is for whoever reads a profile; no process loads
 * it.
 */
import path from 'node:path'
import { build, stop } from 'esbuild'

const root = path.join(import.meta.dirname, '..')
const processes = ['proxy', 'control-plane'] as const

export type ProcessName = (typeof processes)[number]

/** Packages that are CommonJS ask for `require`, which a module does not have. */
const requireBanner =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"

/** Where the bundle of a process is written. */
export function bundleOf(name: ProcessName): string {
  return path.join(root, 'dist', `${name}.js`)
}

async function bundle(name: ProcessName): Promise<number> {
  const { metafile } = await build({
    entryPoints: [path.join(root, name, 'main.ts')],
    outfile: bundleOf(name),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    external: ['koffi', 're2js'],
    banner: { js: requireBanner },
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  })
  const [, output] = Object.entries(metafile.outputs).find(([file]) => file.endsWith('.js')) ?? []
  return output?.bytes ?? 0
}

/** Bundles every process; the sizes in bytes. Rejects with what esbuild has to say. */
export async function bundleProcesses(): Promise<ReadonlyMap<ProcessName, number>> {
  const sizes = await Promise.all(processes.map(bundle))
  // It would wait for more until we end.
  await stop()
  return new Map(processes.map((name, i) => [name, sizes[i] as number]))
}

if (import.meta.main) {
  for (const [name, bytes] of await bundleProcesses()) {
    process.stdout.write(`dist/${name}.js  ${Math.round(bytes / 1024)} KiB\n`)
  }
}
