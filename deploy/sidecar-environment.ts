/** What the environment of a sidecar's Node holds, for whoever starts one: the bench, `./weft proxy`, an image. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'

/** The variables of `deploy/sidecar.env`, which shells and container runtimes read themselves; docs/memory.md says why. */
export function sidecarEnvironment(): Readonly<Record<string, string>> {
  const variables = parseEnv(readFileSync(path.join(import.meta.dirname, 'sidecar.env'), 'utf8'))
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value ?? '']))
}
