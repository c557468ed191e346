/** Where the API server is and who we are there: from the pod that we run in, or from a kubeconfig. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { reasonOf, systemCodeOf, WeftError } from '../errors.ts'
import type { CredentialPlugin } from './credential-plugin.ts'
import { readKubeconfig } from './kubeconfig.ts'

export type KubernetesConnection = {
  readonly server: URL
  /** PEM; undefined: the machine's own roots. */
  readonly ca: string | undefined
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
  readonly verify: boolean
  /** The name to expect in the server's certificate, when it is not the server's host. */
  readonly serverName: string | undefined
  /** Read anew for every request: the kubelet replaces it now and then. */
  readonly token: () => string | undefined
  /** Asked for every request, where a program says who we are. */
  readonly plugin?: CredentialPlugin
}

type Environment = Readonly<Record<string, string | undefined>>

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * `KUBECONFIG` when it is set (several files as kubectl takes them), else the ServiceAccount of the pod around this process.
 * Throws CONFIG_INVALID, or FILE_UNREADABLE.
 */
export function findConnection(
  env: Environment,
  folder: string = serviceAccountFolder,
): KubernetesConnection {
  const files = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '')
  if (files.length > 0) return readKubeconfig(files)
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT'] ?? '443']
  if (host === undefined || host === '') {
    throw new WeftError('CONFIG_INVALID', 'there is no API server to be found', {
      detail: ['neither a kubeconfig is given, nor does this process run in a pod'],
    })
  }
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    ca: read(path.join(folder, 'ca.crt')),
    certificate: undefined,
    verify: true,
    serverName: undefined,
    token: () => read(path.join(folder, 'token')).trim(),
  }
}

/** The namespace of the pod around this process; undefined outside of one. */
export function podNamespace(env: Environment, folder: string = serviceAccountFolder): string | undefined {
  const named = env['POD_NAMESPACE']
  if (named !== undefined && named !== '') return named
  try {
    return readFileSync(path.join(folder, 'namespace'), 'utf8').trim()
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
}
