import type { BalancingAlgorithm } from './cluster-config.ts'
import type { Endpoint } from './endpoint.ts'
import { LeastRequestPicker } from './least-request.ts'
import { MaglevPicker } from './maglev.ts'
import { P2cEwmaPicker } from './p2c-ewma.ts'
import type { Picker } from './picker.ts'
import { RandomPicker } from './random.ts'
import { type Admits, RingHashPicker } from './ring-hash.ts'
import { RoundRobinPicker } from './round-robin.ts'

export type HashingAlgorithm = Extract<BalancingAlgorithm, { readonly kind: 'ring-hash' | 'maglev' }>
export type PlainAlgorithm = Exclude<BalancingAlgorithm, HashingAlgorithm>

export function isHashing(algorithm: BalancingAlgorithm): algorithm is HashingAlgorithm {
  return algorithm.kind === 'ring-hash' || algorithm.kind === 'maglev'
}

/** A picker of just these endpoints. `alike`: of one weight, and none in slow start. */
export function makePicker(
  algorithm: PlainAlgorithm,
  endpoints: readonly Endpoint[],
  random: () => number,
  alike: boolean,
): Picker {
  switch (algorithm.kind) {
    case 'peak-ewma':
      return new P2cEwmaPicker(endpoints, random, alike)
    case 'least-request':
      return new LeastRequestPicker(endpoints, random, algorithm.choices)
    case 'round-robin':
      return new RoundRobinPicker(endpoints)
    case 'random':
      return new RandomPicker(endpoints, random)
  }
}

/** A picker that keeps its places for all endpoints, and passes over those that `admits` refuses. */
export function makeHashPicker(
  algorithm: HashingAlgorithm,
  endpoints: readonly Endpoint[],
  random: () => number,
  admits: Admits,
): Picker {
  return algorithm.kind === 'ring-hash'
    ? new RingHashPicker(endpoints, admits, random, algorithm)
    : new MaglevPicker(endpoints, admits, random, algorithm)
}
