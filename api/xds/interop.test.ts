/** Ours against the originals: every message crosses over in both directions, with random content in every field. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../proto/build.ts'
import bundle from './bundle.json' with { type: 'json' }
import { messageType } from './codec.ts'

const originals = new protobuf.Root()
const files = [
  'service/discovery/v3/discovery',
  'config/bootstrap/v3/bootstrap',
  'config/listener/v3/listener',
  'config/route/v3/route',
  'config/cluster/v3/cluster',
  'config/endpoint/v3/endpoint',
  'extensions/filters/network/http_connection_manager/v3/http_connection_manager',
  'extensions/filters/network/tcp_proxy/v3/tcp_proxy',
  'extensions/filters/http/rbac/v3/rbac',
  'extensions/filters/http/fault/v3/fault',
  'extensions/filters/http/local_ratelimit/v3/local_rate_limit',
  'extensions/rate_limit_descriptors/expr/v3/expr',
  'extensions/transport_sockets/tls/v3/tls',
  'extensions/upstreams/http/v3/http_protocol_options',
  'config/trace/v3/zipkin',
  'extensions/load_balancing_policies/least_request/v3/least_request',
  'extensions/load_balancing_policies/ring_hash/v3/ring_hash',
  'extensions/load_balancing_policies/maglev/v3/maglev',
  'extensions/load_balancing_policies/round_robin/v3/round_robin',
  'extensions/load_balancing_policies/random/v3/random',
  'extensions/filters/http/stateful_session/v3/stateful_session',
  'extensions/http/stateful_session/cookie/v3/cookie',
  'extensions/http/stateful_session/header/v3/header',
]
const kinds = [
  'envoy.config.listener.v3.Listener',
  'envoy.config.route.v3.RouteConfiguration',
  'envoy.config.cluster.v3.Cluster',
  'envoy.config.endpoint.v3.ClusterLoadAssignment',
  'envoy.extensions.transport_sockets.tls.v3.Secret',
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'envoy.extensions.filters.http.rbac.v3.RBAC',
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
  'envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor',
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  'envoy.config.trace.v3.ZipkinConfig',
  'envoy.config.route.v3.FilterConfig',
  'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest',
  'envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash',
  'envoy.extensions.load_balancing_policies.maglev.v3.Maglev',
  'envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin',
  'envoy.extensions.load_balancing_policies.random.v3.Random',
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
  'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState',
  'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState',
  'envoy.config.bootstrap.v3.Bootstrap',
  'envoy.service.discovery.v3.DiscoveryRequest',
  'envoy.service.discovery.v3.DiscoveryResponse',
  'envoy.service.discovery.v3.DeltaDiscoveryRequest',
  'envoy.service.discovery.v3.DeltaDiscoveryResponse',
]
const plain: protobuf.IConversionOptions = { enums: String, longs: Number, bytes: String }
const deepest = 6

beforeAll(() => {
  const require = createRequire(import.meta.url)
  const deps = path.join(path.dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps')
  const folders = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) =>
    path.join(deps, name),
  )
  folders.push(path.dirname(require.resolve('protobufjs/package.json')))
  originals.resolvePath = (_origin, target) =>
    folders.map((folder) => path.join(folder, target)).find((file) => existsSync(file)) ?? target
  originals.loadSync(files.map((file) => `envoy/${file}.proto`))
  // protobufjs brings its own Any, the one message whose field is not in camelCase there.
  const any = originals.lookupType('google.protobuf.Any')
  any.remove(any.fields['type_url'] as protobuf.Field)
  any.add(new protobuf.Field('typeUrl', 1, 'string'))
  originals.resolveAll()
})

function fieldValue(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const { resolvedType, type } = field.resolve()
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.keys(resolvedType.values))
  if (resolvedType instanceof protobuf.Type) return messageValue(resolvedType, depth + 1)
  if (type === 'bool') return fc.boolean()
  if (type === 'string') return fc.string({ minLength: 1, maxLength: 8 })
  if (type === 'bytes') return fc.base64String({ minLength: 4, maxLength: 8 })
  if (type === 'double' || type === 'float') return fc.integer({ min: 1, max: 1000 })
  return fc.integer({ min: 1, max: 1_000_000 })
}

/** A message with some of its fields, at most one of each oneof. */
function messageValue(type: protobuf.Type, depth: number): fc.Arbitrary<object> {
  // Any and Struct have forms of their own on conversion; their content is plain strings here.
  const fields =
    depth >= deepest
      ? type.fieldsArray.filter((field) => !(field.resolve().resolvedType instanceof protobuf.Type))
      : type.fieldsArray
  return fc
    .record(
      Object.fromEntries(
        fields.map((field) => {
          const one = fieldValue(field, depth)
          if (field instanceof protobuf.MapField)
            return [
              field.name,
              fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), one, { minKeys: 1, maxKeys: 2 }),
            ]
          return [field.name, field.repeated ? fc.array(one, { minLength: 1, maxLength: 2 }) : one]
        }),
      ),
      { requiredKeys: [] },
    )
    .map((value) => {
      const taken = new Set<string>()
      return Object.fromEntries(
        Object.entries(value).filter(([name]) => {
          const oneof = type.fields[name]?.partOf?.name
          if (oneof === undefined) return true
          if (taken.has(oneof)) return false
          taken.add(oneof)
          return true
        }),
      )
    })
}

function convert(from: protobuf.Type, to: protobuf.Type, value: object): object {
  return to.toObject(to.decode(from.encode(from.fromObject(value)).finish()), plain)
}

describe.each(kinds)('%s', (name) => {
  test('reads the same with the original after it was written with ours, and the other way round', () => {
    const ours = messageType(name)
    const theirs = originals.lookupType(name)
    fc.assert(
      fc.property(messageValue(ours, 0), (value) => {
        const own = convert(ours, ours, value)
        expect(convert(ours, theirs, value)).toEqual(own)
        expect(convert(theirs, ours, value)).toEqual(own)
      }),
      { numRuns: 40, seed: 7 },
    )
  })
})

test('the bundle is what the .proto files give', () => {
  expect(JSON.parse(generate()['bundle.json'])).toEqual(bundle)
})
