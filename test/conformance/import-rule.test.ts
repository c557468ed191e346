/** The import rule of ARCHITECTURE.md, broken once in each way, in a tree of its own that has our .oxlintrc.json. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')
const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint')

/** What is imported, by the file that does it. */
const refused: readonly (readonly [string, string])[] = [
  ['api/a.ts', '../proxy/main.ts'],
  ['core/a.ts', '../api/ports.ts'],
  ['proxy/a.ts', '../control-plane/main.ts'],
  ['proxy/a.ts', '../api/kubernetes/objects.ts'],
  ['control-plane/a.ts', '../injector/decide.ts'],
  ['injector/a.ts', '../proxy/main.ts'],
  ['cli/a.ts', '../test/support/raw-tcp.ts'],
  ['cli/a.ts', '../proxy/pool/dial.ts'],
  ['cli/a.ts', '../injector/webhook-server.ts'],
  ['deploy/a.ts', '../test/support/raw-tcp.ts'],
  ['proxy/a.ts', '../test/support/raw-tcp.ts'],
  ['proxy/http1/a.ts', '../../injector/decide.ts'],
  ['proxy/http1/a.ts', '../../test/support/raw-tcp.ts'],
  ['proxy/http1/a.ts', '../route/match.ts'],
  ['proxy/tcp/a.ts', '../cluster/cluster.ts'],
  ['proxy/listen/a.ts', '../../api/xds/types.ts'],
  ['proxy/layers/a.ts', './retry.ts'],
  ['proxy/layers/a.ts', '../layers/retry.ts'],
  ['proxy/layers/a.ts', '../../injector/decide.ts'],
  ['proxy/layers/a.ts', '../../test/support/raw-tcp.ts'],
  ['proxy/layers/a.test.ts', '../xds/decode-routes.ts'],
  ['proxy/cluster/a.ts', '../../api/xds/types.ts'],
  ['proxy/cluster/a.ts', '../xds/decode-cluster.ts'],
  ['proxy/route/a.ts', '../layers/retry.ts'],
  ['control-plane/a.ts', './dashboard/page/model/layout.ts'],
  ['control-plane/dashboard/page/a.ts', 'node:fs'],
  ['control-plane/dashboard/page/a.ts', '../../../core/errors.ts'],
  ['control-plane/model/a.ts', '../../api/xds/types.ts'],
  ['control-plane/model/a.ts', '../kubernetes-objects/service.ts'],
  ['control-plane/model/a.ts', '../../injector/decide.ts'],
  ['control-plane/model/a.ts', '../../test/support/raw-tcp.ts'],
]
const allowed: readonly (readonly [string, string])[] = [
  ['proxy/layers/a.ts', '../route/match.ts'],
  ['proxy/layers/a.test.ts', './retry.ts'],
  ['proxy/xds/a.ts', '../../api/xds/types.ts'],
  ['control-plane/dashboard/page/a.ts', '../../../api/live.ts'],
  ['cli/a.ts', '../proxy/main.ts'],
  ['cli/a.ts', '../injector/inject.ts'],
  ['test/integration/a.ts', '../../proxy/main.ts'],
]

function lint(folder: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [oxlint, '--format=json', '.'], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    )
  })
}

type Diagnostic = {
  readonly code: string
  readonly filename: string
  readonly labels: readonly { span: { line: number } }[]
}

test('every wrong import is refused, and what the rule allows is not', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-imports-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  copyFileSync(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'))
  const files = new Map<string, string[]>()
  for (const [file, imported] of [...refused, ...allowed])
    files.set(file, [...(files.get(file) ?? []), imported])
  for (const [file, imports] of files) {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true })
    writeFileSync(
      path.join(folder, file),
      imports.map((imported) => `export * from '${imported}'\n`).join(''),
    )
  }
  const { diagnostics } = JSON.parse(await lint(folder)) as { diagnostics: readonly Diagnostic[] }
  const found = diagnostics
    .filter(({ code }) => code.includes('no-restricted-imports'))
    .map(({ filename, labels }) => {
      const line = labels[0]?.span.line ?? 0
      return `${filename}: ${files.get(filename)?.[line - 1]}`
    })
  expect(found.toSorted()).toEqual(refused.map(([file, imported]) => `${file}: ${imported}`).toSorted())
})
