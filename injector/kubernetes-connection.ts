/** Where the API server is and who we are there: from a kubeconfig, or from the pod that we run in. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { reasonOf, WeftError } from '../core/errors.ts'

export type KubernetesConnection = {
  readonly server: string
  /** PEM; undefined: the machine's own roots. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  /** Read anew for every request: the kubelet replaces it now and then. */
  readonly token: () => string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>
type Named = { readonly name?: string }
type Entry = Readonly<Record<string, string | undefined>>
type Kubeconfig = {
  readonly 'current-context'?: string
  readonly contexts?: readonly (Named & { readonly context?: { cluster?: string; user?: string } })[]
  readonly clusters?: readonly (Named & { readonly cluster?: Entry })[]
  readonly users?: readonly (Named & { readonly user?: Entry })[]
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

function parseKubeconfig(file: string): Kubeconfig {
  const text = read(file)
  try {
    return (parse(text) ?? {}) as Kubeconfig
  } catch (error) {
    throw new WeftError('YAML_INVALID', `${file}: ${reasonOf(error)}`, { cause: error })
  }
}

/** The current context. Throws CONFIG_INVALID, FILE_UNREADABLE or YAML_INVALID. */
export function readKubeconfig(file: string): KubernetesConnection {
  const config = parseKubeconfig(file)
  const byName = <T extends Named>(list: readonly T[] | undefined, name: string | undefined) =>
    list?.find((entry) => entry.name === name)
  const context = byName(config.contexts, config['current-context'])?.context
  const cluster = byName(config.clusters, context?.cluster)?.cluster
  const user = byName(config.users, context?.user)?.user ?? {}
  const server = cluster?.['server']
  if (cluster === undefined || server === undefined) {
    throw new WeftError('CONFIG_INVALID', `${file} has no cluster for its current context`)
  }
  const pem = (entry: Entry, field: string): string | undefined => {
    const data = entry[`${field}-data`]
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    const named = entry[field]
    return named === undefined ? undefined : read(path.resolve(path.dirname(file), named))
  }
  const tokenFile = user['tokenFile']
  return {
    server: server.replace(/\/$/, ''),
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    token: () => (tokenFile === undefined ? user['token'] : read(tokenFile).trim()),
  }
}

/** The ServiceAccount of the pod around this process. Throws CONFIG_INVALID outside of one, or FILE_UNREADABLE. */
export function inClusterConnection(env: Environment, folder = serviceAccountFolder): KubernetesConnection {
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT'] ?? '443']
  if (host === undefined || host === '') {
    throw new WeftError('CONFIG_INVALID', 'there is no API server to be found', {
      detail: ['--kubeconfig: it is not set, and this process does not run in a pod'],
    })
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: read(path.join(folder, 'ca.crt')),
    cert: undefined,
    key: undefined,
    token: () => read(path.join(folder, 'token')).trim(),
  }
}
