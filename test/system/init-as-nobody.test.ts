/** The init container's rights for real: a user without any, and iptables that has them by the capabilities of its file. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inject } from '../../injector/inject.ts'
import type { Container } from '../../injector/pod.ts'
import { enabled, testPlan } from '../../injector/test-plan.ts'
import { workloadOfPod } from '../../injector/workload.ts'
import { Network, ownPrefix, run } from './network.ts'
import { describeWith } from './requirements.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const variants = ['nft', 'legacy'] as const

type InitContainer = Container & {
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly securityContext: {
    readonly runAsUser: number
    readonly allowPrivilegeEscalation: boolean
    readonly capabilities: { readonly add: readonly string[] }
  }
}

function initContainer(iptables: string): InitContainer {
  const metadata = { annotations: { 'config.weft.dev/iptables': iptables } }
  const pod = { metadata, spec: { containers: [{ name: 'app' }] } }
  const injection = inject(pod, enabled, testPlan, workloadOfPod(metadata))
  if (injection.kind !== 'injected') throw new Error(injection.reason)
  return injection.pod.spec.initContainers?.[0] as InitContainer
}

describeWith(
  ['ip', 'setpriv', 'setcap', 'iptables-nft-restore', 'iptables-legacy-restore'],
  'weft init with the rights of its container',
  () => {
    let network: Network
    const folder = mkdtempSync(path.join(tmpdir(), ownPrefix))

    beforeAll(() => {
      network = new Network()
      chmodSync(folder, 0o755)
      for (const variant of variants) {
        // As the Dockerfile does.
        const binary = path.join(folder, variant, `xtables-${variant}-multi`)
        mkdirSync(path.dirname(binary))
        copyFileSync(realpathSync(run('sh', ['-c', `command -v iptables-${variant}-restore`]).trim()), binary)
        run('setcap', ['cap_net_admin,cap_net_raw+ep', binary])
        for (const family of ['iptables', 'ip6tables'])
          for (const action of ['save', 'restore'])
            symlinkSync(binary, path.join(folder, variant, `${family}-${variant}-${action}`))
      }
    })
    afterAll(async () => {
      await network?.remove()
      rmSync(folder, { recursive: true, force: true })
    })

    /** As the container runtime starts it. */
    function start(name: string, variant: string, privilegeEscalation: boolean | undefined): () => string {
      const { args, env, securityContext } = initContainer(variant)
      const { runAsUser, capabilities, allowPrivilegeEscalation } = securityContext
      const pod = network.addPod(name)
      const bounding = capabilities.add.map((capability) => `+${capability.toLowerCase()}`).join()
      const setpriv = [
        `--reuid=${runAsUser}`,
        `--regid=${runAsUser}`,
        '--clear-groups',
        '--inh-caps=-all',
        `--bounding-set=-all,${bounding}`,
        ...((privilegeEscalation ?? allowPrivilegeEscalation) ? [] : ['--no-new-privs']),
      ]
      const variables = [
        `PATH=${path.join(folder, variant)}`,
        ...env.map((entry) => `${entry.name}=${entry.value}`),
      ]
      network.run(pod, 'setpriv', ...setpriv, 'env', ...variables, process.execPath, main, 'init', ...args)
      return () => network.run(pod, `iptables-${variant}-save`, '-t', 'nat')
    }

    test.each(variants)('redirects by iptables-%s', (variant) => {
      const rules = start(`init-${variant}`, variant, undefined)()
      expect(rules).toContain('-A WEFT_OUTBOUND -p tcp -j REDIRECT --to-ports 4140')
    })

    test('without NAT for IPv6 it goes on only where nobody is reached by IPv6', () => {
      const pod = network.addPod('init-v6')
      const broken = path.join(folder, 'broken')
      mkdirSync(broken)
      writeFileSync(path.join(broken, 'ip6tables-nft-save'), '#!/bin/sh\necho no such table >&2; exit 3\n', {
        mode: 0o755,
      })
      const variables = ['env', `PATH=${broken}:${process.env['PATH']}`]
      const init = (): string =>
        network.run(pod, ...(variables as [string, string]), process.execPath, main, 'init', '--iptables=nft')
      expect(init).toThrow(/INTERCEPTION_FAILED: ip6tables-nft-save: no such table/)
      network.run(pod, 'ip', '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
      expect(init()).toMatch(/^IPv4: inbound/)
    })

    test('could not without allowPrivilegeEscalation, which is why the container has it', () => {
      expect(() => start('init-none', 'nft', false)).toThrow(/INTERCEPTION_FAILED/)
    })
  },
)
