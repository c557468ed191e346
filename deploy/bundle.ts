/**
 * `npm run build`: one .js file for each process, under dist/. Type stripping and hundreds of small files cost start-up
 * time and memory that an image need not pay. koffi stays outside: it brings a native library of its own.
 */
import path from 'node:path'
import { build } from 'esbuild'

const root = path.join(import.meta.dirname, '..')
const processes = ['proxy', 'control-plane'] as const

/** Packages that are CommonJS ask for `require`, which a module does not have. */
const requireBanner =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"

for (const name of processes) {
  const outfile = path.join(root, 'dist', `${name}.js`)
  const { metafile } = await build({
    entryPoints: [path.join(root, name, 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    external: ['koffi'],
    banner: { js: requireBanner },
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    logLevel: 'warning',
  })
  const bytes = Object.values(metafile.outputs)[0]?.bytes ?? 0
  process.stdout.write(`dist/${name}.js  ${Math.round(bytes / 1024)} KiB\n`)
}
