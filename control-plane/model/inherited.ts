/** What a workload or Service has from its namespace where it says nothing itself. Pure. */
import { defaultOpaquePorts } from '../../api/opaque-ports.ts'
import { ports } from '../../api/ports.ts'
import type { PortRange } from '../../core/port-ranges.ts'
import type { Namespace, Service, Workload } from './objects.ts'

/** Whose bytes are nobody's business. */
export function opaquePortsOf(
  own: Service | Workload,
  namespace: Namespace | undefined,
): readonly PortRange[] {
  return own.opaquePorts ?? namespace?.opaquePorts ?? defaultOpaquePorts
}

/** Reached past the sidecar, whose own pages are among them. */
export function bypassedPortsOf(own: Workload, namespace: Namespace | undefined): readonly PortRange[] {
  const { sidecarAdmin } = ports
  return [
    ...(own.bypassedPorts.skipped ?? namespace?.bypassedPorts.skipped ?? []),
    ...(own.bypassedPorts.admin ??
      namespace?.bypassedPorts.admin ?? [{ from: sidecarAdmin, to: sidecarAdmin }]),
  ]
}
