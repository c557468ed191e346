/** `weft check`: asks everything that has to be asked, and judges it. */
import { systemClock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { version } from '../../core/version.ts'
import { clusterAccess } from '../reach/cluster-access.ts'
import type { ConnectionOptions } from '../reach/connection-options.ts'
import { directAccess } from '../reach/direct-access.ts'
import { findMesh } from '../reach/open-access.ts'
import { apiChecks, preChecks } from './api-checks.ts'
import type { Check } from './check.ts'
import { clusterChecks, podsChecks, unmeshedChecks } from './cluster-checks.ts'
import { gatherCluster } from './cluster-facts.ts'
import { meshChecks } from './mesh-checks.ts'
import { gatherMesh } from './mesh-facts.ts'

export type CheckOptions = {
  /** What has to be so before weft is installed. */
  readonly pre: boolean
  /** Sidecars and pods one by one, too. */
  readonly proxy: boolean
}

/** A mesh without a cluster: its sidecars are asked too. Throws CONFIG_INVALID. */
export async function checkMesh(controlPlane: string, clientVersion = version): Promise<readonly Check[]> {
  const access = directAccess(controlPlane)
  return meshChecks(await gatherMesh(access, true), clientVersion, systemClock.wallMs())
}

/** A mesh in a cluster, or the cluster alone; `kubeconfig` leads kubectl there. Never rejects because nobody answers. */
export async function checkCluster(
  api: KubernetesApi,
  { pre, proxy }: CheckOptions,
  kubeconfig: string,
): Promise<readonly Check[]> {
  const ofApi = await apiChecks(api)
  if (ofApi.some(({ outcome }) => outcome === 'fails')) return ofApi
  if (pre) return [...ofApi, ...(await preChecks(api))]
  const nowMs = systemClock.wallMs()
  const facts = await gatherCluster(api)
  const access = clusterAccess(api, kubeconfig)
  try {
    const ofMesh = meshChecks(await gatherMesh(access, proxy), version, nowMs)
    return [
      ...ofApi,
      ...clusterChecks(facts, nowMs),
      ...ofMesh,
      ...(proxy ? podsChecks(facts) : unmeshedChecks(facts)),
    ]
  } finally {
    access.close()
  }
}

/** Of the mesh that the options name, or else the one that is found. Rejects with what `findMesh` does. */
export async function runChecks(options: CheckOptions & ConnectionOptions): Promise<readonly Check[]> {
  // Before an installation there is nothing but the cluster.
  if (options.pre && options.controlPlane !== undefined)
    throw new WeftError('CONFIG_INVALID', '--pre looks at a cluster before there is a --control-plane')
  const where = await findMesh(options, options.pre)
  if (where.kind === 'address') {
    if (options.pre)
      throw new WeftError(
        'CONFIG_INVALID',
        '--pre looks at a cluster: say --kubeconfig FILE, or set KUBECONFIG',
      )
    return checkMesh(where.address)
  }
  try {
    return await checkCluster(where.api, options, where.kubeconfig)
  } finally {
    where.api.close()
  }
}
