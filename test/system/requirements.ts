/** What a system test needs of the machine: a missing part is a named skip on a laptop, and a failure in CI. */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'vitest'
import { envoyBinary } from '../support/envoy-process.ts'

function isInstalled(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, tool), constants.X_OK)
      return true
    } catch {
      return false // Not in this folder.
    }
  })
}

function missing(tools: readonly string[]): readonly string[] {
  const root = process.getuid?.() === 0 ? [] : ['root']
  return [...root, ...tools.filter((tool) => !isInstalled(tool))]
}

/** `describe`, where root and all of the tools are there. */
export function describeWith(tools: readonly string[], name: string, body: () => void): void {
  describeUnless(missing(tools), name, body)
}

/** `describe`, where Envoy is installed as the bench does it (`npm run bench -- --install`). */
export function describeWithEnvoy(name: string, body: () => void): void {
  describeUnless(envoyBinary() === undefined ? ['Envoy (npm run bench -- --install)'] : [], name, body)
}

/** `describe`, where there is a browser; it needs no root. */
export function describeWithChromium(name: string, body: () => void): void {
  describeUnless(isInstalled('chromium') ? [] : ['chromium'], name, body)
}

function describeUnless(lacking: readonly string[], name: string, body: () => void): void {
  if (lacking.length === 0) {
    describe(name, body)
    return
  }
  const reason = `${name}: needs ${lacking.join(', ')}`
  if (process.env['CI'] === 'true') {
    test(reason, () => {
      throw new Error(`${reason}, and CI has to have it`)
    })
    return
  }
  process.stderr.write(`skipped: ${reason}\n`)
  describe.skip(reason, body)
}
