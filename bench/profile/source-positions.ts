/** Puts the positions in the sources into a profile of a bundle, by the source map beside the bundle. */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import path from 'node:path'
import type { CallFrame, CpuProfile } from './self-time.ts'

export function withSourcePositions(profile: CpuProfile, bundleFile: string): CpuProfile {
  const map = new SourceMap(JSON.parse(readFileSync(`${bundleFile}.map`, 'utf8')))
  const root = path.dirname(path.dirname(bundleFile))
  const located = (frame: CallFrame): CallFrame => {
    if (!frame.url.endsWith(path.basename(bundleFile))) return frame
    const entry = map.findEntry(frame.lineNumber, frame.columnNumber)
    if (!('originalSource' in entry)) return frame
    const source = path.resolve(path.dirname(bundleFile), entry.originalSource)
    return {
      functionName: frame.functionName,
      url: path.relative(root, source),
      lineNumber: entry.originalLine,
      columnNumber: entry.originalColumn,
    }
  }
  const nodes = profile.nodes.map((node) => ({ ...node, callFrame: located(node.callFrame) }))
  return { ...profile, nodes }
}
