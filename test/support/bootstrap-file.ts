/** Bootstrap files for tests, in Envoy's shape, and sidecars that run by them. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createLog } from '../../core/log.ts'
import type { LeafOptions, TestRoot } from '../../proxy/identity/test-pki.ts'
import { type RunningProxy, startProxy } from '../../proxy/proxy.ts'
import { readProxySettings } from '../../proxy/settings.ts'

export const typePrefix = 'type.googleapis.com/envoy.extensions'

/** A cluster of one endpoint on this machine; `tls`: an UpstreamTlsContext. */
export function cluster(name: string, port: number, tls?: object): object {
  return {
    name,
    type: 'STATIC',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
          ],
        },
      ],
    },
    ...(tls === undefined
      ? {}
      : {
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: { '@type': `${typePrefix}.transport_sockets.tls.v3.UpstreamTlsContext`, ...tls },
          },
        }),
  }
}

/** `tls`: a DownstreamTlsContext. */
export function listener(port: number, filter: object, tls?: object): object {
  return {
    name: `in-${port}`,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [{ name: 'filter', typed_config: filter }],
        ...(tls === undefined
          ? {}
          : {
              transport_socket: {
                name: 'envoy.transport_sockets.tls',
                typed_config: {
                  '@type': `${typePrefix}.transport_sockets.tls.v3.DownstreamTlsContext`,
                  ...tls,
                },
              },
            }),
      },
    ],
  }
}

/** An HttpConnectionManager with these routes. */
export function http(...routes: object[]): object {
  return {
    '@type': `${typePrefix}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'http',
    http_filters: [
      { name: 'router', typed_config: { '@type': `${typePrefix}.filters.http.router.v3.Router` } },
    ],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
  }
}

export function tcp(name: string): object {
  return { '@type': `${typePrefix}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: name }
}

export const everything = (name: string) => ({
  match: { prefix: '/' },
  route: { cluster: name, retry_policy: { retry_on: 'connect-failure,refused-stream' } },
})

export function startWithFile(file: string): Promise<RunningProxy> {
  const settings = readProxySettings({ args: ['--bootstrap', file, '--drain-delay', '0s'], env: {} })
  return startProxy(settings, createLog({ process: 'proxy', level: 'silent' }))
}

/** Writes the file into `folder`, and starts a sidecar with it. Rejects as that does. */
export function startFromFile(
  folder: string,
  listeners: readonly object[],
  clusters: readonly object[],
): Promise<RunningProxy> {
  const file = path.join(mkdtempSync(path.join(folder, 'file-')), 'bootstrap.yaml')
  const admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } }
  writeFileSync(file, JSON.stringify({ admin, static_resources: { listeners, clusters } }))
  return startWithFile(file)
}

/** A certificate of `root` in files, as TLS contexts name it, and the context that names them. */
export async function writeTlsFiles(folder: string, root: TestRoot, leaf: LeafOptions) {
  const { certificatePem, keyPem } = await root.leaf(leaf)
  const files = { certificate: certificatePem, key: keyPem, roots: root.pem }
  const own = mkdtempSync(path.join(folder, 'tls-'))
  const at = (name: string): string => path.join(own, `${name}.pem`)
  for (const [name, pem] of Object.entries(files)) writeFileSync(at(name), pem)
  const certificate = {
    certificate_chain: { filename: at('certificate') },
    private_key: { filename: at('key') },
  }
  const roots = { trusted_ca: { filename: at('roots') } }
  const context = { tls_certificates: [certificate], validation_context: roots }
  return { certificate, context, certificatePem, keyPem }
}
