/** Which mesh a command is about: `--control-plane ADDRESS`, or the cluster of a kubeconfig. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { findConnection } from '../../core/kubernetes/connection.ts'
import { clusterAccess } from './cluster-access.ts'
import { directAccess } from './direct-access.ts'
import type { MeshAccess } from './mesh-access.ts'

export type Where = { readonly controlPlane?: string; readonly kubeconfig?: string }

const timeoutMs = 10_000

/** As kubectl finds it. Throws CONFIG_INVALID, or FILE_UNREADABLE. */
export function openKubernetes(
  { kubeconfig }: Where,
  env: NodeJS.ProcessEnv = process.env,
): KubernetesClient {
  const usual = path.join(homedir(), '.kube', 'config')
  const file = kubeconfig ?? env['KUBECONFIG'] ?? (existsSync(usual) ? usual : undefined)
  return new KubernetesClient(findConnection({ ...env, KUBECONFIG: file }), systemClock, timeoutMs)
}

/** Runs `use` with the mesh, and lets go of it. */
export async function withMesh<T>(where: Where, use: (access: MeshAccess) => Promise<T>): Promise<T> {
  const client = where.controlPlane === undefined ? openKubernetes(where) : undefined
  const access = client === undefined ? directAccess(where.controlPlane as string) : clusterAccess(client)
  try {
    return await use(access)
  } finally {
    access.close()
    client?.close()
  }
}
