import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { withSourcePositions } from './source-positions.ts'

test('a position in a bundle becomes the one in the source, what is not of the bundle stays', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'weft-positions-'))
  try {
    mkdirSync(path.join(root, 'proxy'))
    const entry = path.join(root, 'proxy', 'main.ts')
    writeFileSync(entry, '\n\nexport function answer(): number {\n  return Math.random()\n}\n')
    const outfile = path.join(root, 'dist', 'proxy.js')
    const { outputFiles } = await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: 'esm',
      minifyWhitespace: true,
      sourcemap: 'external',
      write: false,
    })
    mkdirSync(path.dirname(outfile))
    for (const { path: file, contents } of outputFiles) writeFileSync(file, contents)
    const columnNumber = outputFiles.find((file) => file.path === outfile)?.text.indexOf('answer') ?? -1
    const bundled = { functionName: 'answer', url: `file://${outfile}`, lineNumber: 0, columnNumber }
    const foreign = { functionName: 'write', url: 'node:net', lineNumber: 7, columnNumber: 1 }
    const profile = {
      nodes: [
        { id: 1, callFrame: bundled },
        { id: 2, callFrame: foreign },
      ],
      samples: [],
      timeDeltas: [],
    }
    const [own, other] = withSourcePositions(profile, outfile).nodes
    expect(own?.callFrame).toMatchObject({ functionName: 'answer', url: 'proxy/main.ts', lineNumber: 2 })
    expect(other?.callFrame).toEqual(foreign)
  } finally {
    rmSync(root, { recursive: true })
  }
})
