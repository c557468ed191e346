import { expect, test } from 'vitest'
import { parseAddress } from '../core/address.ts'
import { inject } from './inject.ts'
import type { Container } from './pod.ts'
import type { SidecarPlan } from './sidecar-plan.ts'
import { enabled, testPlan } from './test-plan.ts'
import { workloadOfPod } from './workload.ts'

const identityFolder = '/var/run/weft/identity'

/** The sidecar's flags and its tokens by file, or why there is none. */
function injected(annotations: Record<string, string>, plan: SidecarPlan = testPlan) {
  const pod = { metadata: { annotations }, spec: { containers: [{ name: 'web' }] } }
  const injection = inject(pod, enabled, plan, workloadOfPod(pod.metadata))
  if (injection.kind !== 'injected') return { refused: injection.reason, warnings: [] }
  const { initContainers = [], volumes } = injection.pod.spec as {
    readonly initContainers?: readonly Container[]
    readonly volumes: readonly {
      readonly projected?: {
        readonly sources: readonly { readonly serviceAccountToken?: { audience: string; path: string } }[]
      }
    }[]
  }
  const flags = initContainers.find(({ name }) => name === 'weft-proxy')?.['args'] as readonly string[]
  const tokens = volumes
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken: token }) => (token === undefined ? [] : [[token.path, token.audience]]))
  return {
    flags: flags.filter((flag) => flag.startsWith('--certificate-authority')),
    tokens: Object.fromEntries(tokens) as Record<string, string>,
    warnings: injection.warnings,
  }
}

const address = 'config.weft.dev/certificate-authority'
const audience = 'config.weft.dev/certificate-authority-audience'
const flagsFor = (host: string) => [
  `--certificate-authority=${host}`,
  `--certificate-authority-token-file=${identityFolder}/certificate-authority-token`,
]

test('a pod is certified by the control plane unless it, its namespace or the mesh names another CA', () => {
  expect(injected({})).toEqual({ flags: [], tokens: { token: 'weft' }, warnings: [] })
})

test('a CA of the pod is asked with a token of its own, which is of no use to the control plane', () => {
  expect(injected({ [address]: 'ca.example:443' })).toEqual({
    flags: flagsFor('ca.example:443'),
    tokens: { token: 'weft', 'certificate-authority-token': 'istio-ca' },
    warnings: [],
  })
  expect(injected({ [address]: '[fd00::1]:443', [audience]: 'ours' })).toMatchObject({
    flags: flagsFor('[fd00::1]:443'),
    tokens: { 'certificate-authority-token': 'ours' },
  })
})

test('that of the mesh is asked by all but those that name one', () => {
  const plan: SidecarPlan = {
    ...testPlan,
    certificateAuthority: parseAddress('csr.cert-manager.svc:443'),
    certificateAuthorityAudience: 'mesh',
  }
  expect(injected({}, plan)).toMatchObject({
    flags: flagsFor('csr.cert-manager.svc:443'),
    tokens: { 'certificate-authority-token': 'mesh' },
  })
  expect(injected({ [address]: 'ca.example:443' }, plan)).toMatchObject({ flags: flagsFor('ca.example:443') })
})

test.each([['ca.example'], ['ca.example:99999'], ['https://ca.example:443/']])(
  'an address that does not read (%j) refuses the pod',
  (value) => {
    expect(injected({ [address]: value })).toMatchObject({ refused: expect.stringContaining(address) })
  },
)
