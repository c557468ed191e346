import { describe, expect, test } from 'vitest'
import { Problems } from '../xds/problems.ts'
import { decodeBootstrap } from './decode-bootstrap.ts'
import { bootstrapFromJson } from './read-bootstrap.ts'

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
}
const managerType =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'

const endpoint = (port: number) => ({
  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
})
const app = {
  name: 'app',
  connect_timeout: '0.25s',
  load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [endpoint(8080)] }] },
}
const manager = {
  '@type': managerType,
  stat_prefix: 'in',
  http_filters: [router],
  route_config: {
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
    ],
  },
}
const listener = (typedConfig: object, more: object = {}) => ({
  name: 'in',
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [{ filters: [{ name: 'f', typed_config: typedConfig }], ...more }],
})

function decodeJson(json: unknown) {
  const problems = new Problems()
  const message = bootstrapFromJson(json, problems)
  const config = problems.any ? undefined : decodeBootstrap(message, problems)
  return { config, problems: problems.list }
}

function withStatic(listeners: readonly object[], clusters: readonly object[], more: object = {}) {
  return { static_resources: { listeners, clusters }, ...more }
}

test('a listener with routes to a static cluster is read, in either spelling', () => {
  const camel = JSON.parse(
    JSON.stringify(withStatic([listener(manager)], [app])).replaceAll(
      /"([a-z_0-9]+)":/g,
      (_all, key: string) =>
        `"${key.replaceAll(/_([a-z])/g, (_u, letter: string) => letter.toUpperCase())}":`,
    ),
  ) as unknown
  for (const json of [withStatic([listener(manager)], [app]), camel]) {
    const { config, problems } = decodeJson(json)
    expect(problems).toEqual([])
    expect(config?.clusters).toMatchObject([
      {
        config: { name: 'app', connectTimeoutMs: 250, tls: 'never' },
        endpoints: { inline: [{ port: 8080 }] },
      },
    ])
    expect(config?.listeners).toMatchObject([
      { name: 'in', address: { host: '127.0.0.1', port: 0 }, tls: undefined, serve: { kind: 'http' } },
    ])
  }
})

test('the control plane is the cluster that ads_config names, and is no cluster of the data path', () => {
  const controlPlane = {
    ...app,
    name: 'xds',
    type: 'STRICT_DNS',
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        common_tls_context: { validation_context: { trusted_ca: { filename: '/roots.pem' } } },
      },
    },
  }
  const { config, problems } = decodeJson({
    node: { id: 'web-0.shop', metadata: { NAMESPACE: 'shop', POD: 'web-0' } },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 4191 } } },
    static_resources: { clusters: [controlPlane] },
    dynamic_resources: {
      lds_config: { ads: {} },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      ads_config: { api_type: 'DELTA_GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] },
    },
  })
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    adminAddress: { port: 4191 },
    nodeMetadata: { NAMESPACE: 'shop', POD: 'web-0' },
    clusters: [],
    controlPlane: { address: { host: '127.0.0.1', port: 8080 }, caFile: '/roots.pem' },
  })
})

describe('what is refused, by its path', () => {
  const tls = (context: object) => ({
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
        ...context,
      },
    },
  })
  const typed = 'static_resources.listeners[0].filter_chains[0].filters[0].typed_config'
  test.each([
    ['text that is no object', 'hello', 'the file: must be an object'],
    ['an unknown field', { static_resource: {} }, 'static_resource: is not a field that weft knows'],
    ['nothing to listen on', {}, 'static_resources.listeners: is empty'],
    [
      'a wrong type deep inside',
      withStatic([listener(manager)], [{ ...app, connect_timeout: 5 }]),
      'static_resources.clusters[0].connect_timeout: must be a duration such as 1.5s',
    ],
    [
      'an enum that is none',
      withStatic([listener(manager)], [{ ...app, lb_policy: 'FASTEST' }]),
      'static_resources.clusters[0].lb_policy: must be one of ROUND_ROBIN',
    ],
    [
      'a filter of an unknown type',
      withStatic([listener({ '@type': 'x/envoy.what' })], [app]),
      `${typed}.@type: envoy.what is not a type that weft knows`,
    ],
    [
      'an unknown field inside an Any',
      withStatic([listener({ ...manager, stat_prefixx: 'a' })], [app]),
      `${typed}.stat_prefixx: is not a field that weft knows`,
    ],
    [
      'two of a oneof',
      withStatic([listener({ ...manager, rds: { route_config_name: 'a' } })], [app]),
      `${typed}.rds: excludes route_config, which is set too`,
    ],
    [
      'a route to a cluster that is not there',
      withStatic([listener(manager)], [{ ...app, name: 'other' }]),
      `${typed}.route_config: names the cluster 'app', which is not there`,
    ],
    [
      'an HTTP filter that would be left out in silence',
      withStatic(
        [
          listener({
            ...manager,
            http_filters: [
              {
                name: 'rbac',
                typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC' },
              },
            ],
          }),
        ],
        [app],
      ),
      `${typed}.http_filters[0]: rbac is not supported`,
    ],
    [
      'a cluster without endpoints',
      withStatic([listener(manager)], [{ name: 'app' }]),
      'static_resources.clusters[0].load_assignment: names no endpoint',
    ],
    [
      'a TLS listener without a certificate',
      withStatic([listener(manager, tls({}))], [app]),
      'transport_socket.typed_config.common_tls_context.tls_certificates: is missing',
    ],
    [
      'a client certificate that nothing could verify',
      withStatic(
        [
          listener(
            manager,
            tls({
              require_client_certificate: true,
              common_tls_context: {
                tls_certificates: [{ certificate_chain: { filename: 'c' }, private_key: { filename: 'k' } }],
              },
            }),
          ),
        ],
        [app],
      ),
      'validation_context.trusted_ca: is missing: no client could be verified',
    ],
    [
      'retries that would not be made',
      withStatic(
        [
          listener({
            ...manager,
            route_config: {
              virtual_hosts: [
                {
                  domains: ['*'],
                  routes: [
                    {
                      match: { prefix: '/' },
                      route: { cluster: 'app', retry_policy: { retry_on: 'retriable-headers' } },
                    },
                  ],
                },
              ],
            },
          }),
        ],
        [app],
      ),
      `retry_policy.retry_on: 'retriable-headers' is not supported`,
    ],
    [
      'an ADS stream of the other kind',
      {
        dynamic_resources: {
          ads_config: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] },
        },
      },
      'dynamic_resources.ads_config.api_type: must be DELTA_GRPC',
    ],
  ])('%s', (_name, json, problem) => {
    expect(decodeJson(json).problems.join('\n')).toContain(problem)
  })
  test('everything at once', () => {
    const { problems } = decodeJson(withStatic([listener(manager), {}], [{ name: '' }]))
    expect(problems.length).toBeGreaterThan(4)
  })
})
