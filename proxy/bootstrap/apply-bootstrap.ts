/** Puts a bootstrap file in force: its settings before the start, its clusters and listeners in the data path. */
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { DataPath } from '../data-path.ts'
import type { DnsHosts } from '../dns/dns-endpoints.ts'
import type { MeshDial } from '../pool/dial.ts'
import type { ProxySettings } from '../settings.ts'
import type { BootstrapConfig } from './decode-bootstrap.ts'
import { staticTlsClient, staticTlsServer } from './static-tls.ts'

/** `settings` with what the file says about the same things in their place. */
export function withBootstrap(settings: ProxySettings, config: BootstrapConfig): ProxySettings {
  const { adminAddress, controlPlane, nodeMetadata } = config
  const named = (key: string, otherwise: string): string => {
    const value = nodeMetadata[key]
    return typeof value === 'string' && value !== '' ? value : otherwise
  }
  return {
    ...settings,
    adminAddress: adminAddress ?? settings.adminAddress,
    controlPlane: controlPlane?.address ?? settings.controlPlane,
    controlPlaneCa: controlPlane?.caFile ?? settings.controlPlaneCa,
    namespace: named('NAMESPACE', settings.namespace),
    pod: named('POD', settings.pod),
    serviceAccount: named('SERVICE_ACCOUNT', settings.serviceAccount),
    trustDomain: named('TRUST_DOMAIN', settings.trustDomain),
  }
}

/** How the file's TLS clusters are dialled, by cluster. Throws WeftError BOOTSTRAP_INVALID for files that cannot be used. */
export function staticDials(config: BootstrapConfig, clock: Clock): ReadonlyMap<string, MeshDial> {
  const dials = new Map<string, MeshDial>()
  for (const { config: cluster, tls } of config.clusters) {
    if (tls === undefined) continue
    const client = staticTlsClient(tls, clock)
    const { serverName } = tls
    dials.set(cluster.name, async (target) => {
      const alpn = alpnFor(target.alpn, tls.alpn)
      return client.connect({ ...target, alpn, serverName, expectedIdentity: undefined })
    })
  }
  return dials
}

/** The file's name for what is to be spoken; throws when it has none. */
function alpnFor(wanted: string, offered: readonly string[]): string {
  if (offered.length === 0) return ''
  const isHttp2 = (name: string): boolean => name === 'h2' || name === 'weft-h2'
  const found = offered.find((name) => isHttp2(name) === isHttp2(wanted))
  if (found !== undefined) return found
  if (!isHttp2(wanted)) return offered[0] as string
  throw new WeftError('TLS_REFUSED', 'the file does not speak HTTP/2 there')
}

/** Sets the clusters and opens the listeners. Rejects with PORT_IN_USE and the like. */
export async function openBootstrap(config: BootstrapConfig, dataPath: DataPath, log: Log): Promise<void> {
  for (const { config: cluster, endpoints } of config.clusters) {
    dataPath.setCluster(cluster)
    if ('dns' in endpoints) await asked(dataPath, cluster.name, endpoints.dns)
    else dataPath.setEndpoints(cluster.name, endpoints.inline)
  }
  for (const listener of config.listeners) {
    const server = listener.tls === undefined ? undefined : staticTlsServer(listener.tls)
    const port = await dataPath.openStatic(
      listener,
      server === undefined ? undefined : (...accepted) => server.accept(...accepted),
    )
    log.info({ name: listener.name, address: `${listener.address.host}:${port}` }, 'listening')
  }
}

/** Resolves once the cluster's names were asked for, whatever the answer. */
function asked(dataPath: DataPath, cluster: string, dns: DnsHosts): Promise<void> {
  return new Promise((resolve) => dataPath.resolveEndpoints(cluster, dns, resolve))
}
