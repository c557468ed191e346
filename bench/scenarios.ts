/** Every scenario, by name. */
import { plainGet } from './load/request.ts'
import type { Load, Scenario, Subject } from './scenario.ts'
import type { Topology } from './peer.ts'

const usualConnections = 16
const saturated: Load = { kind: 'saturated', connections: usualConnections }
const paced: Load = { kind: 'paced', connections: usualConnections, ratePerSecond: 1000 }

function subjects(...peers: readonly string[]): Subject[] {
  return peers.map((peer) => ({ peer, routes: 1 }))
}

function scenario(
  name: string,
  title: string,
  topology: Topology,
  load: Load,
  more: Partial<Scenario> & Pick<Scenario, 'subjects'>,
): Scenario {
  return { name, title, topology, load, request: plainGet, base: 'haproxy', ...more }
}

export const scenarios: readonly Scenario[] = [
  scenario('plain-saturated', 'one proxy, saturated', 'plain', saturated, {
    subjects: subjects('haproxy', 'weft', 'http-proxy'),
  }),
  scenario('plain-1000', 'one proxy, 1,000 requests/s', 'plain', paced, {
    subjects: subjects('direct', 'haproxy', 'weft', 'http-proxy'),
  }),
  scenario('mtls-pair-saturated', 'a pair with mutual TLS between, saturated', 'pair', saturated, {
    subjects: subjects('haproxy', 'weft'),
  }),
  scenario('mtls-pair-1000', 'a pair with mutual TLS between, 1,000 requests/s', 'pair', paced, {
    subjects: subjects('direct', 'haproxy', 'weft'),
  }),
]
