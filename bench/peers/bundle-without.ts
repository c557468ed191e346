/** A sidecar's bundle with one layer taken out of every chain: what the layer costs is the difference, and nothing else is. */
import path from 'node:path'
import * as esbuild from 'esbuild'
import { bundle, bundleOf } from '../../deploy/bundle.ts'

/** What makes the layer, in `proxy/layers/<name>.ts`. */
const makers = { metrics: 'metrics', tap: 'tapped' } as const

export type RemovableLayer = keyof typeof makers

function takeOut(layer: RemovableLayer): esbuild.Plugin {
  return {
    name: `take-out-${layer}`,
    setup(build) {
      build.onLoad({ filter: new RegExp(`/proxy/layers/${layer}\\.ts$`) }, () => ({
        contents: `export const ${makers[layer]} = () => (next) => next`,
      }))
    },
  }
}

/** Builds it; resolves with its file. */
export async function bundleWithout(layer: RemovableLayer): Promise<string> {
  const file = path.join(path.dirname(bundleOf('proxy')), `proxy-without-${layer}.cjs`)
  await bundle('proxy', file, [takeOut(layer)])
  await esbuild.stop()
  return file
}
