/** Every scenario, by name. */
import { exampleField } from './backend.ts'
import { plainGet, type RequestShape } from './load/request.ts'
import type { Topology } from './peer.ts'
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
  readonly request?: Partial<RequestShape>
  readonly base?: string
  readonly warmUp?: Scenario['warmUp']
}

function scenario(
  name: string,
  title: string,
  load: Load,
  subjects: readonly (string | Subject)[],
  { topology = 'plain', request = {}, base = 'haproxy', warmUp = 'saturated' }: More = {},
): Scenario {
  return {
    name,
    title,
    topology,
    load,
    request: { ...plainGet, ...request },
    subjects: subjects.map((each) => (typeof each === 'string' ? subject(each) : each)),
    base,
    warmUp,
  }
}

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
  scenario('starts', 'from start to ready', { kind: 'starts' }, lean),
]
