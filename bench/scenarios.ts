/** Every scenario, by name. */
import { callPath, exampleField, transferBytes } from './backend.ts'
import { plainGet, type RequestShape } from './load/request.ts'
import type { Protocol, Topology } from './peer.ts'
import type { Load, Scenario, Subject } from './scenario.ts'

const connections = 16
const ratePerSecond = 1000
/** Handshakes are heavy: a few at a time keep a core busy. */
const handshakeLanes = 4
/** More often, the control plane would gather several into one. */
const changesPerSecond = 5

const saturated: Load = { kind: 'saturated', connections }
const paced: Load = { kind: 'paced', connections, ratePerSecond }

function subject(peer: string, more: Partial<Subject> = {}): Subject {
  return { name: peer, peer, variant: { routes: 1, spans: false }, changesPerSecond: 0, ...more }
}

function withRoutes(peer: string, routes: number): Subject {
  return subject(peer, {
    name: `${peer}, ${routes} ${routes === 1 ? 'route' : 'routes'}`,
    variant: { routes, spans: false },
  })
}

const everybody = ['haproxy', 'nginx', 'envoy', 'weft', 'weft-file', 'undici', 'node-http', 'http-proxy']
const pairs = ['haproxy', 'nginx', 'envoy', 'weft', 'weft-file']
const lean = ['haproxy', 'nginx', 'envoy', 'weft']

type More = {
  readonly topology?: Topology
  readonly protocol?: Protocol
  readonly request?: Partial<RequestShape>
  readonly base?: string
  readonly warmUp?: Scenario['warmUp']
}

function scenario(
  name: string,
  title: string,
  load: Load,
  subjects: readonly (string | Subject)[],
  { topology = 'plain', protocol = 'http1', request = {}, base = 'haproxy', warmUp = 'saturated' }: More = {},
): Scenario {
  return {
    name,
    title,
    topology,
    protocol,
    load,
    request: { ...plainGet, ...request },
    subjects: subjects.map((each) => (typeof each === 'string' ? subject(each) : each)),
    base,
    warmUp,
  }
}

const http2 = { protocol: 'http2' } as const
const multiplexed = ['haproxy', 'envoy', 'weft', 'node-http2']

function streams(connectionCount: number, streamCount: number, uniqueFields = false): Load {
  return { kind: 'streams', connections: connectionCount, streams: streamCount, uniqueFields }
}

const overHttp2 = [
  scenario('h2c-8x16', 'HTTP/2, one proxy, 8 connections x 16 streams', streams(8, 16), multiplexed, http2),
  scenario(
    'h2c-64x1',
    'HTTP/2, one proxy, 64 connections x 1 stream',
    streams(64, 1),
    ['haproxy', 'weft'],
    http2,
  ),
  scenario(
    'h2c-unique-headers',
    'HTTP/2, one proxy, 8 connections x 16 streams, a trace context and an id of its own on every request',
    streams(8, 16, true),
    ['haproxy', 'weft'],
    http2,
  ),
  scenario(
    'h2c-1000',
    'HTTP/2, one proxy, 1,000 requests/s, 8 connections',
    { kind: 'paced', connections: 8, ratePerSecond },
    ['direct', 'haproxy', 'weft'],
    http2,
  ),
  scenario(
    'h2-mtls-pair-8x16',
    'HTTP/2, a pair with mutual TLS between, 8 connections x 16 streams',
    streams(8, 16),
    ['haproxy', 'envoy', 'weft'],
    { ...http2, topology: 'pair' },
  ),
  scenario(
    'h2-mtls-pair-1000',
    'gRPC, a pair with mutual TLS between, 1,000 unary calls/s',
    { kind: 'paced', connections: 8, ratePerSecond },
    ['direct', 'haproxy', 'weft'],
    {
      ...http2,
      topology: 'pair',
      request: {
        method: 'POST',
        path: callPath,
        headers: [
          ['te', 'trailers'],
          ['content-type', 'application/grpc'],
        ],
        bodyBytes: 64,
        grpc: true,
      },
    },
  ),
  ...(['plain', 'pair'] as const).map((topology) =>
    scenario(
      topology === 'plain' ? 'h2c-reply-64k' : 'h2-mtls-pair-reply-64k',
      `HTTP/2, ${topology === 'plain' ? 'one proxy' : 'a pair with mutual TLS between'}, 8 connections x 16 streams, replies of 64 KB`,
      streams(8, 16),
      [subject('haproxy', { variant: { routes: 1, spans: false, largeBuffers: true } }), 'weft'],
      { ...http2, topology, request: { path: '/large' } },
    ),
  ),
]

const inBothProtocols = ['direct', 'haproxy', 'weft'].flatMap((peer) => {
  const variant = { routes: 1, spans: false, largeBuffers: peer === 'haproxy' }
  return [
    subject(peer, { name: `${peer}, HTTP/1.1`, protocol: 'http1', variant }),
    subject(peer, { name: `${peer}, HTTP/2`, protocol: 'http2', variant }),
  ]
})

const transfers = (['download', 'upload'] as const).map((direction) =>
  scenario(
    `h2-${direction}-1g`,
    `a pair with mutual TLS between, ${direction} of 1 GiB on one stream, HTTP/2 against HTTP/1.1`,
    { kind: 'transfer', direction, bytes: transferBytes },
    inBothProtocols,
    { topology: 'pair', base: 'weft, HTTP/1.1', warmUp: 'own' },
  ),
)

const atConnections = [1, 64, 256].flatMap((count) => {
  const named = `${count} ${count === 1 ? 'connection' : 'connections'}`
  return [
    scenario(
      `plain-saturated-c${count}`,
      `one proxy, saturated, ${named}`,
      { kind: 'saturated', connections: count },
      lean,
    ),
    scenario(
      `mtls-pair-1000-c${count}`,
      `a pair with mutual TLS between, 1,000 requests/s, ${named}`,
      { kind: 'paced', connections: count, ratePerSecond },
      ['direct', 'haproxy', 'weft'],
      { topology: 'pair' },
    ),
  ]
})

const fieldCounts = [10, 50].map((count) =>
  scenario(`headers-${count}`, `one proxy, saturated, ${count} more fields each way`, saturated, lean, {
    request: { path: `/fields-${count}`, headers: Array.from({ length: count }, (_, i) => exampleField(i)) },
  }),
)

const handshakes = [false, true].map((resumed) =>
  scenario(
    `handshakes-${resumed ? 'resumed' : 'full'}`,
    `the TLS server's side of a ${resumed ? 'resumed' : 'full'} mutual handshake and one request`,
    { kind: 'handshakes', connections: handshakeLanes, resumed },
    ['haproxy', 'nginx', 'envoy', 'weft-file'],
    { topology: 'tls-server', warmUp: 'own' },
  ),
)

export const scenarios: readonly Scenario[] = [
  scenario('plain-saturated', 'one proxy, saturated', saturated, ['direct', ...everybody]),
  scenario('plain-1000', 'one proxy, 1,000 requests/s', paced, ['direct', ...everybody]),
  scenario('mtls-pair-saturated', 'a pair with mutual TLS between, saturated', saturated, pairs, {
    topology: 'pair',
  }),
  scenario(
    'mtls-pair-1000',
    'a pair with mutual TLS between, 1,000 requests/s',
    paced,
    ['direct', ...pairs],
    { topology: 'pair' },
  ),
  ...atConnections,
  scenario('reply-64k', 'one proxy, saturated, replies of 64 KB', saturated, lean, {
    request: { path: '/large' },
  }),
  scenario('upload-64k', 'one proxy, saturated, requests of 64 KB', saturated, lean, {
    request: { method: 'POST', path: '/upload', bodyBytes: 65_536 },
  }),
  ...fieldCounts,
  scenario(
    'connections',
    'one proxy, a new connection for each request',
    { kind: 'connections', connections },
    lean,
    { request: { headers: [['Connection', 'close']] } },
  ),
  ...handshakes,
  scenario(
    'routes',
    'one proxy, saturated, the request meets the last of many routes',
    saturated,
    [
      withRoutes('weft', 1),
      withRoutes('weft', 100),
      withRoutes('weft', 1000),
      withRoutes('envoy', 1),
      withRoutes('envoy', 1000),
      withRoutes('haproxy', 1),
      withRoutes('haproxy', 1000),
    ],
    { base: 'weft, 1 route' },
  ),
  scenario(
    'config-churn',
    `one proxy, 1,000 requests/s, its routes and endpoints change ${changesPerSecond} times a second`,
    paced,
    ['direct', 'weft', subject('weft', { name: 'weft, changing', changesPerSecond })],
    { base: 'weft' },
  ),
  scenario(
    'memory',
    'a pair with mutual TLS between, 1,000 requests/s, spans sent to a collector',
    paced,
    ['haproxy', 'envoy', subject('weft', { name: 'weft, spans', variant: { routes: 1, spans: true } })],
    // A heap that has once been under pressure stays large.
    { topology: 'pair', warmUp: 'own' },
  ),
  ...overHttp2,
  ...transfers,
  scenario('starts', 'from start to ready', { kind: 'starts' }, lean),
]
