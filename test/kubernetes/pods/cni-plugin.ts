/** What a CNI plugin of a mesh does on a node: it sees a pod's annotations, and sets its rules before anything runs in it. */
import path from 'node:path'
import { injectedLabel } from '../../../api/annotations.ts'
import { initContainerName } from '../../../api/deployment.ts'
import { initAnnotations, podAnnotations } from '../../../api/sidecar-annotations.ts'
import type { Network, PodNetwork } from '../../system/network.ts'
import type { Pod } from './pod-manifest.ts'

const main = path.join(import.meta.dirname, '../../../cli/main.ts')
const { inboundPort, outboundPort, adminPort, proxyUid } = podAnnotations
const told = [...Object.values(initAnnotations), inboundPort, outboundPort, adminPort, proxyUid]

/** Redirects the connections of a pod that has a sidecar and nothing of its own that does it. Throws with what went wrong. */
export function addToNetwork(network: Network, own: PodNetwork, { metadata, spec }: Pod): void {
  const { annotations = {}, labels = {} } = metadata
  if (labels[injectedLabel] !== 'true') return
  if (spec.initContainers?.some(({ name }) => name === initContainerName) === true) return
  const flags = told.flatMap(({ flag, env }) =>
    annotations[env] === undefined ? [] : [`${flag}=${annotations[env]}`],
  )
  network.run(own, process.execPath, main, 'init', ...flags)
}
