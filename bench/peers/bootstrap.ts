/** One side as a bootstrap file in the Envoy v3 shape: what Envoy and weft both run from. Pure. */
import type { TlsFiles } from '../peer.ts'
import { serverName } from './certificates.ts'
import type { Side } from './sides.ts'

const types = 'type.googleapis.com/envoy.extensions'

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function tlsContext(kind: 'Upstream' | 'Downstream', tls: TlsFiles, more: object): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${types}.transport_sockets.tls.v3.${kind}TlsContext`,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
        tls_certificates: [
          { certificate_chain: { filename: tls.certificate }, private_key: { filename: tls.key } },
        ],
        validation_context: { trusted_ca: { filename: tls.roots } },
        alpn_protocols: ['http/1.1'],
      },
      ...more,
    },
  }
}

function route(prefix: string): object {
  const retries = { retry_on: 'connect-failure,refused-stream', num_retries: 2 }
  return { match: { prefix }, route: { cluster: 'app', timeout: '0s', retry_policy: retries } }
}

function listener({ role, port, serverTls, routes }: Side): object {
  const manager = {
    '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: role,
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${types}.filters.http.router.v3.Router` },
      },
    ],
    route_config: {
      name: 'app',
      virtual_hosts: [
        {
          name: 'app',
          domains: ['app.bench:8080'],
          routes: [...Array.from({ length: routes - 1 }, (_, i) => route(`/other-${i}/`)), route('/')],
        },
      ],
    },
  }
  return {
    name: role,
    address: address(port),
    traffic_direction: role === 'outbound' ? 'OUTBOUND' : 'INBOUND',
    filter_chains: [
      {
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
        ...(serverTls === undefined
          ? {}
          : { transport_socket: tlsContext('Downstream', serverTls, { require_client_certificate: true }) }),
      },
    ],
  }
}

function cluster({ upstreamPort, clientTls }: Side): object {
  const endpoint = { endpoint: { address: address(upstreamPort) } }
  return {
    name: 'app',
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [endpoint] }] },
    ...(clientTls === undefined
      ? {}
      : { transport_socket: tlsContext('Upstream', clientTls, { sni: serverName }) }),
  }
}

/** JSON of the file. Statistics are on, as they are without a word about them. */
export function bootstrapJson(side: Side, adminPort: number): string {
  return JSON.stringify({
    admin: { address: address(adminPort) },
    static_resources: { listeners: [listener(side)], clusters: [cluster(side)] },
  })
}
