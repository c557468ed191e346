import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const main = path.join(import.meta.dirname, 'main.ts')
type Run = { readonly status: number; readonly stdout: string; readonly stderr: string }

function init(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'init', ...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

test('a dry run prints the rules of both families, as iptables-restore takes them, and needs no iptables', async () => {
  const { status, stdout } = await init(['--dry-run', '--skip-inbound-ports=22', '--iptables=nft'], {
    PATH: '',
    WEFT_SKIP_SUBNETS: 'fd00::/8',
  })
  expect(status).toBe(0)
  const [v4 = '', v6 = ''] = stdout.split('# ip6tables-nft-restore --noflush\n')
  expect(v4).toMatch(/^# iptables-nft-restore --noflush\n\*nat\n/)
  expect(v4).toContain('-p tcp --dport 22 -j RETURN')
  expect(v6).toContain('-d fd00::/8 -j RETURN')
  expect(v6).toMatch(/COMMIT\n$/)
})

test('every setting that is wrong is told at once', async () => {
  const { status, stderr } = await init([
    '--skip-inbound-ports=0',
    '--skip-subnets=here',
    '--proxy-uid=0',
    '--skip-interfaces=eth0 -j ACCEPT',
  ])
  expect(status).toBe(2)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  for (const word of [
    'CONFIG_INVALID',
    '--skip-inbound-ports',
    '--skip-subnets',
    '--proxy-uid',
    '--skip-interfaces',
  ])
    expect(stderr).toContain(word)
})

test('without iptables it says so in one line, with its code', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-init-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { status, stderr } = await init([], { PATH: folder })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^weft: INTERCEPTION_FAILED: iptables-save cannot be run: .*ENOENT.*\n$/)
})
