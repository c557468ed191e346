/** Sends to the endpoints of one's own zone first, and to the others what those cannot take. */
import type { Balancing } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import type { Picker } from './picker.ts'

/** Endpoints are trusted with so many times their share when others fail (Envoy's overprovisioning factor). */
const overprovisioning = 1.4

export type Zones = {
  readonly near: readonly Endpoint[]
  readonly far: readonly Endpoint[]
}

/** Undefined: no zone is preferred. `hints` counts only if every endpoint has some, as Kubernetes has it. */
export function zonesOf(
  endpoints: readonly Endpoint[],
  preference: Balancing['zonePreference'],
  ownZone: string,
): Zones | undefined {
  if (preference === 'disabled' || ownZone === '') return undefined
  const byHints = preference === 'hints'
  if (byHints && !endpoints.every((endpoint) => endpoint.config.forZones.length > 0)) return undefined
  const isNear = ({ config }: Endpoint): boolean =>
    byHints ? config.forZones.includes(ownZone) : config.zone === ownZone
  const near = endpoints.filter(isNear)
  if (near.length === 0 || near.length === endpoints.length) return undefined
  return { near, far: endpoints.filter((endpoint) => !isNear(endpoint)) }
}

/** The part of the requests that stays near, up to 1: all of it until more than two of seven are out of use. */
export function nearShare(inUse: number, all: number): number {
  return all === 0 ? 0 : Math.min(1, (inUse / all) * overprovisioning)
}

/** What was sent where; read at scrape. */
export type ZoneStats = { near: number; far: number }

export class ZonePicker implements Picker {
  readonly #near: Picker
  readonly #far: Picker
  readonly #nearEndpoints: readonly Endpoint[]
  readonly #nearShare: number
  readonly #random: () => number
  readonly #stats: ZoneStats

  constructor(parts: {
    readonly near: Picker
    readonly far: Picker
    readonly nearEndpoints: readonly Endpoint[]
    readonly nearShare: number
    readonly random: () => number
    readonly stats: ZoneStats
  }) {
    this.#near = parts.near
    this.#far = parts.far
    this.#nearEndpoints = parts.nearEndpoints
    this.#nearShare = parts.nearShare
    this.#random = parts.random
    this.#stats = parts.stats
  }

  pick(nowMs: number, avoid: readonly Endpoint[], hash: number | undefined): Endpoint | undefined {
    const near = this.#staysNear(avoid) ? this.#near.pick(nowMs, avoid, hash) : undefined
    const far = near === undefined ? this.#far.pick(nowMs, avoid, hash) : undefined
    if (far !== undefined) this.#stats.far++
    else this.#stats.near++
    return near ?? far ?? this.#near.pick(nowMs, avoid, hash)
  }

  /** A retry goes to another zone once everything near was tried. */
  #staysNear(avoid: readonly Endpoint[]): boolean {
    if (this.#nearShare < 1 && this.#random() >= this.#nearShare) return false
    return avoid.length === 0 || this.#nearEndpoints.some((endpoint) => !avoid.includes(endpoint))
  }
}
