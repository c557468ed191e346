import { spawnSync } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { bundleOf, bundleProcesses } from './bundle.ts'

beforeAll(async () => {
  await bundleProcesses()
}, 60_000)

test('the bundle of a sidecar loads no builtin that it does not ask for', () => {
  const script = `
    process.argv.splice(1, 0, ${JSON.stringify(bundleOf('proxy'))})
    process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')))
    require(process.argv[1])`
  const { stdout, stderr } = run(['-e', script, '--', '--help'])
  expect(stdout).toContain('Usage: weft proxy')
  expect(stderr).toContain('NativeModule http')
  expect(stderr).not.toContain('undici')
})

test.each(['control-plane', 'injector', 'init', 'await'] as const)('the bundle of %s starts', (name) => {
  expect(run([bundleOf(name), '--help']).stdout).toContain(`Usage: weft ${name}`)
})

function run(args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, args, { encoding: 'utf8' })
}
