/** Who may reach which port. A port keeps its rules' holder for good: what is left of its connections follows what is in force. */
import type { AccessRules } from './authz/access-rules.ts'
import type { InboundConfig } from './cluster/cluster-config.ts'
import { PortAccess } from './port-access.ts'
import type { AccessCounts } from './telemetry/access-stats.ts'

export class AccessByPort {
  readonly #counts: AccessCounts
  readonly #byPort = new Map<number, PortAccess>()
  #ofOthers: AccessRules | undefined

  constructor(counts: AccessCounts) {
    this.#counts = counts
  }

  /** Also of a port that configuration does not name. */
  of(port: number): PortAccess {
    const known = this.#byPort.get(port)
    if (known !== undefined) return known
    const made = new PortAccess(port, this.#counts)
    made.set(this.#ofOthers)
    this.#byPort.set(port, made)
    return made
  }

  set({ access, ports }: InboundConfig): void {
    this.#ofOthers = access
    const named = new Map(ports.map((port) => [port.applicationPort, port.access]))
    for (const [port, rules] of named) this.of(port).set(rules)
    for (const [port, held] of this.#byPort) if (!named.has(port)) held.set(access)
  }
}
