/** A named set of endpoints, its picker and its pools; keeps the state of the endpoints that stay. */
import type { BalancerKind, ClusterConfig, EndpointConfig } from './cluster-config.ts'
import { type Endpoint, endpointKey } from './endpoint.ts'
import { P2cEwmaPicker } from './p2c-ewma.ts'
import type { Picker } from './picker.ts'
import { RandomPicker } from './random.ts'
import { RoundRobinPicker } from './round-robin.ts'

function makePicker(kind: BalancerKind, endpoints: readonly Endpoint[]): Picker {
  switch (kind) {
    case 'p2c-ewma':
      return new P2cEwmaPicker(endpoints)
    case 'round-robin':
      return new RoundRobinPicker(endpoints)
    case 'random':
      return new RandomPicker(endpoints)
  }
}

/** Makes the state of an endpoint that joined: its pool and its counters. */
export type MakeEndpoint = (config: EndpointConfig, cluster: ClusterConfig) => Endpoint

export class Cluster {
  readonly name: string
  #config: ClusterConfig
  #endpoints = new Map<string, Endpoint>()
  #picker: Picker
  readonly #makeEndpoint: MakeEndpoint

  constructor(config: ClusterConfig, makeEndpoint: MakeEndpoint) {
    this.name = config.name
    this.#config = config
    this.#picker = makePicker(config.balancer, [])
    this.#makeEndpoint = makeEndpoint
  }

  get config(): ClusterConfig {
    return this.#config
  }

  get picker(): Picker {
    return this.#picker
  }

  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()]
  }

  /** Some endpoint is there to be picked. */
  get available(): boolean {
    return this.#endpoints.size > 0
  }

  reconfigure(config: ClusterConfig): void {
    const changed = config.balancer !== this.#config.balancer
    this.#config = config
    if (changed) this.#picker = makePicker(config.balancer, this.endpoints)
  }

  /** Replaces the set; an endpoint that was there before keeps its load state and its connections. */
  setEndpoints(configs: readonly EndpointConfig[]): void {
    const previous = this.#endpoints
    this.#endpoints = new Map()
    for (const config of configs) {
      const key = endpointKey(config)
      const kept = previous.get(key)
      const same = kept !== undefined && kept.config.weight === config.weight
      this.#endpoints.set(key, same ? kept : this.#makeEndpoint(config, this.#config))
    }
    this.#picker = makePicker(this.#config.balancer, this.endpoints)
    for (const [key, endpoint] of previous) if (this.#endpoints.get(key) !== endpoint) endpoint.pool.drain()
  }

  /** The cluster is gone: exchanges in flight finish, connections close. */
  drain(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.pool.drain()
  }
}
