/** What the sidecar knows of its identity and of the control plane, read at scrape. */
import type { Registry } from '../../core/metrics.ts'
import type { IdentitySource } from '../identity/identity-source.ts'
import type { XdsStats } from '../xds/delta-client.ts'
import { registerFamily } from './golden-metrics.ts'
import type { TlsStats } from './tls-stats.ts'

export function registerIdentityMetrics(registry: Registry, identity: IdentitySource): void {
  registerFamily(registry, {
    name: 'identity_cert_expiration_timestamp_seconds',
    help: 'When the certificate in use ends',
    type: 'gauge',
    samples: () =>
      identity.current === undefined
        ? []
        : [{ labels: {}, value: Math.floor(identity.current.notAfterMs / 1000) }],
  })
  registerFamily(registry, {
    name: 'identity_trust_bundle_info',
    help: 'The version of the roots in use, the same wherever the roots are; always 1',
    type: 'gauge',
    samples: () => {
      const { current } = identity
      return current === undefined
        ? []
        : [{ labels: { version: current.bundle.version, roots: current.bundle.roots.length }, value: 1 }]
    },
  })
  let refreshes = 0
  identity.onChange(() => refreshes++)
  registerFamily(registry, {
    name: 'identity_cert_refresh_count',
    help: 'Certificates and trust bundles taken into use',
    type: 'counter',
    samples: () => [{ labels: {}, value: refreshes }],
  })
}

export function registerXdsMetrics(registry: Registry, stats: XdsStats, wallMs: () => number): void {
  const gauge = (name: string, help: string, value: () => number): void =>
    registerFamily(registry, { name, help, type: 'gauge', samples: () => [{ labels: {}, value: value() }] })
  const counter = (name: string, help: string, value: () => number): void =>
    registerFamily(registry, { name, help, type: 'counter', samples: () => [{ labels: {}, value: value() }] })
  gauge('control_connected', 'Whether the control plane is connected', () => Number(stats.connected))
  gauge('control_last_message_age_seconds', 'Since the control plane last sent something', () =>
    stats.lastMessageAtMs === 0 ? 0 : Math.max(0, (wallMs() - stats.lastMessageAtMs) / 1000),
  )
  counter('control_connects_total', 'Connections made to the control plane', () => stats.connects)
  counter('control_acks_total', 'Updates accepted', () => stats.acks)
  counter('control_nacks_total', 'Updates refused', () => stats.nacks)
}

/** Handshakes of mesh TLS; what failed by the code of why. */
export function registerTlsMetrics(registry: Registry, stats: TlsStats): void {
  registerFamily(registry, {
    name: 'tls_handshakes_total',
    help: 'Handshakes of mesh TLS by outcome: ok, or the code of why not',
    type: 'counter',
    samples: () =>
      (['inbound', 'outbound'] as const).flatMap((direction) =>
        [...stats.outcomes(direction)].map(([outcome, value]) => ({ labels: { direction, outcome }, value })),
      ),
  })
}
