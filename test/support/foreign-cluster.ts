/**
 * A control plane that KUBECONFIG names: what tests make there is told here, so that nothing of it may have been there
 * before, and all of it is taken away again.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'

export type Kubectl = (args: readonly string[]) => Promise<string>

/** Empty: tests start an API server of their own. */
export const foreignKubeconfig = process.env['KUBECONFIG'] ?? ''

const namespaces = [
  'weft',
  'shop',
  'plain',
  'privileged',
  'restricted',
  'crds',
  'gone',
  'late',
  'quota',
] as const
const nodes = ['node-1', 'node-2'] as const
const crds = [
  ...readdirSync(path.join(import.meta.dirname, '../../deploy/crds')).map((file) =>
    file.replace(/^(.*)_(.*)\.yaml$/, '$2.$1'),
  ),
  ...['httproutes', 'grpcroutes', 'referencegrants'].map((plural) => `${plural}.gateway.networking.k8s.io`),
]
const clusterWide = [
  'mutatingwebhookconfiguration/weft-injector',
  ...['weft-control-plane', 'weft-injector', 'weft-tap'].flatMap((name) => [
    `clusterrolebinding/${name}`,
    `clusterrole/${name}`,
  ]),
] as const

const named = (kind: string, names: readonly string[]): readonly string[] =>
  names.map((name) => `${kind}/${name}`)
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

const releasedWithinMs = 150_000
const lookEveryMs = 1_000

/** What is there of all that tests make, as `kind/name`. */
async function found(kubectl: Kubectl): Promise<readonly string[]> {
  const all = [
    ...named('namespace', namespaces),
    ...named('crd', crds),
    ...named('node', nodes),
    ...clusterWide,
  ]
  return lines(await kubectl(['get', '--ignore-not-found', '-o', 'name', ...all]))
}

/** Rejects when the cluster is in use: it has nodes, whose kubelets would contradict the tests, or something of that name. */
export async function claimCluster(kubectl: Kubectl): Promise<void> {
  const inUse = [...lines(await kubectl(['get', 'nodes', '-o', 'name'])), ...(await found(kubectl))]
  if (inUse.length > 0)
    throw new Error(
      `the cluster of KUBECONFIG has ${inUse.join(', ')}: the tests are for a control plane without nodes and without weft`,
    )
}

/**
 * Takes away what tests have made, also what is on its way while it looks. Nobody but they can have made anything of these
 * names since `claimCluster`.
 */
export async function releaseCluster(kubectl: Kubectl): Promise<void> {
  const deadlineMs = performance.now() + releasedWithinMs
  for (;;) {
    const left = await found(kubectl)
    if (left.length === 0) return
    if (performance.now() > deadlineMs)
      throw new Error(`left in the cluster of KUBECONFIG: ${left.join(', ')}`)
    const remove = ['delete', '--ignore-not-found', '--wait=false']
    // No kubelet will say that they have ended.
    for (const name of left.filter((object) => object.startsWith('namespace/')))
      await kubectl([...remove, 'pods', '--all', '-n', name.slice('namespace/'.length), '--force'])
    await kubectl([...remove, ...left])
    await new Promise((resolve) => void setTimeout(resolve, lookEveryMs))
  }
}
