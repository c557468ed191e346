/** One side as a bootstrap file in the Envoy v3 shape: what Envoy and weft both run from. Pure. */
import { httpProtocolOptions } from '../../api/xds/naming.ts'
import type { TlsFiles } from '../peer.ts'
import { serverName } from './certificates.ts'
import type { Side } from './sides.ts'

const types = 'type.googleapis.com/envoy.extensions'

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

const alpn = { http1: 'http/1.1', http2: 'h2' } as const

function tlsContext(
  kind: 'Upstream' | 'Downstream',
  tls: TlsFiles,
  { protocol }: Side,
  more: object,
): object {
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
        alpn_protocols: [alpn[protocol]],
      },
      ...more,
    },
  }
}

function route(prefix: string): object {
  const retries = { retry_on: 'connect-failure,refused-stream', num_retries: 2 }
  return { match: { prefix }, route: { cluster: 'app', timeout: '0s', retry_policy: retries } }
}

function listener(side: Side): object {
  const { role, port, serverTls, routes } = side
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
          : {
              transport_socket: tlsContext('Downstream', serverTls, side, {
                require_client_certificate: true,
              }),
            }),
      },
    ],
  }
}

function cluster(side: Side): object {
  const { upstreamPort, protocol, clientTls } = side
  const endpoint = { endpoint: { address: address(upstreamPort) } }
  return {
    name: 'app',
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [endpoint] }] },
    ...(protocol === 'http2' && {
      typed_extension_protocol_options: {
        [httpProtocolOptions]: {
          '@type': `type.googleapis.com/${httpProtocolOptions}`,
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    }),
    ...(clientTls === undefined
      ? {}
      : { transport_socket: tlsContext('Upstream', clientTls, side, { sni: serverName }) }),
  }
}

/** JSON of the file. Statistics are on, as they are without a word about them. */
export function bootstrapJson(side: Side, adminPort: number): string {
  return JSON.stringify({
    admin: { address: address(adminPort) },
    static_resources: { listeners: [listener(side)], clusters: [cluster(side)] },
  })
}
