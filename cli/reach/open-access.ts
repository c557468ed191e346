/** Which mesh a command is about. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { clusterAccess } from './cluster-access.ts'
import { type ConnectionOptions, usualAddress as here } from './connection-options.ts'
import { directAccess } from './direct-access.ts'
import type { MeshAccess } from './mesh-access.ts'

export type Where =
  | { readonly kind: 'address'; readonly address: string }
  | {
      readonly kind: 'cluster'
      readonly api: KubernetesClient
      /** By which kubectl finds the same one. */
      readonly kubeconfig: string
    }

const timeoutMs = 10_000

function kubeconfigFiles(env: NodeJS.ProcessEnv): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '')
  const usual = path.join(homedir(), '.kube', 'config')
  return named.length === 0 && existsSync(usual) ? [usual] : named
}

function cluster(files: readonly string[]): Where {
  const api = new KubernetesClient(readKubeconfig(files), systemClock, timeoutMs)
  return { kind: 'cluster', api, kubeconfig: files.join(path.delimiter) }
}

async function answersHere(): Promise<boolean> {
  try {
    await directAccess(here).controlPlane('/live')
    return true
  } catch {
    return false // There are other ways.
  }
}

/**
 * `--control-plane`, else `--kubeconfig`, else what answers on this machine, else KUBECONFIG or ~/.kube/config; `inCluster`:
 * a cluster before this machine. Rejects with CONFIG_INVALID, FILE_UNREADABLE or CONTROL_PLANE_UNREACHABLE.
 */
export async function findMesh(
  { controlPlane, kubeconfig }: ConnectionOptions,
  inCluster = false,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Where> {
  if (controlPlane !== undefined) return { kind: 'address', address: controlPlane }
  if (kubeconfig !== undefined) return cluster([kubeconfig])
  const files = kubeconfigFiles(env)
  if (inCluster && files.length > 0) return cluster(files)
  if (await answersHere()) return { kind: 'address', address: here }
  if (files.length > 0) return cluster(files)
  throw new WeftError('CONTROL_PLANE_UNREACHABLE', `nothing answers on ${here}, and there is no kubeconfig`)
}

/** Runs `use` with the mesh, and lets go of it. */
export async function withMesh<T>(
  options: ConnectionOptions,
  use: (access: MeshAccess) => Promise<T>,
): Promise<T> {
  const where = await findMesh(options)
  const access =
    where.kind === 'address' ? directAccess(where.address) : clusterAccess(where.api, where.kubeconfig)
  try {
    return await use(access)
  } finally {
    access.close()
    if (where.kind === 'cluster') where.api.close()
  }
}
