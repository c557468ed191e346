/** What the control plane counts of its CA, of the mesh's trust, and of who knocks at its gRPC port. */
import { Counter, Gauge } from 'prom-client'
import type { RotationState } from '../../api/rotation.ts'
import type { Registry } from '../../core/metrics.ts'
import type { MeshTrust } from './mesh-trust.ts'

/** Certificates by outcome: `issued`, or the code of why not; codes are few. */
export class CaStats {
  readonly #outcomes = new Map<string, number>([['issued', 0]])

  count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
  }

  get outcomes(): ReadonlyMap<string, number> {
    return this.#outcomes
  }
}

export type CaMetricSources = {
  readonly trust: MeshTrust
  readonly stats: CaStats
  /** Connected sidecars that have yet to follow the phase in force. */
  readonly behind: (state: RotationState) => number
}

export function registerCaMetrics(registry: Registry, { trust, stats, behind }: CaMetricSources): void {
  const registers = [registry]
  new Counter({
    name: 'weft_ca_certificates_total',
    help: 'Certificates asked for by workloads, by outcome: issued, or the code of why not',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of stats.outcomes) this.inc({ outcome }, count)
    },
  })
  new Gauge({
    name: 'weft_trust_bundle_info',
    help: 'The version of the roots in force and the phase of their rotation; always 1',
    labelNames: ['version', 'phase'],
    registers,
    collect() {
      this.reset()
      this.set({ version: trust.current.bundle, phase: trust.current.phase }, 1)
    },
  })
  new Gauge({
    name: 'weft_issuer_expiration_timestamp_seconds',
    help: 'When the issuer in force, or a certificate above it, ends',
    registers,
    collect() {
      this.set(Math.floor(trust.current.issuer.notAfterMs / 1000))
    },
  })
  new Gauge({
    name: 'weft_trust_sidecars_behind',
    help: 'Connected sidecars that have yet to follow the phase of the rotation in force',
    registers,
    collect() {
      this.set(behind(trust.current))
    },
  })
}

export type PortFacts = { readonly strangers: number; readonly refused: number }

export function registerPortMetrics(registry: Registry, port: PortFacts): void {
  new Gauge({
    name: 'weft_grpc_strangers',
    help: 'Connections to the gRPC port without an admitted call',
    registers: [registry],
    collect() {
      this.set(port.strangers)
    },
  })
  new Counter({
    name: 'weft_grpc_refused_connections_total',
    help: 'Connections to the gRPC port that were closed for being too many, or strangers for too long',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(port.refused)
    },
  })
}
