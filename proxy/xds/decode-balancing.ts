/** How a Cluster balances: its load_balancing_policy, or the older lb_policy with its own settings. */
import { unpackAs } from '../../api/xds/codec.ts'
import type { Messages } from '../../api/xds/messages.ts'
import type { Cluster } from '../../api/xds/types.ts'
import {
  type Balancing,
  type BalancingAlgorithm,
  defaultBalancing,
  type SlowStart,
} from '../cluster/cluster-config.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'
import { unwrap } from './wrapper.ts'

const extensions = 'envoy.extensions.load_balancing_policies'
type SlowStartConfig = Messages['envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig']
type LocalityConfig = Messages['envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig']
type Policy = NonNullable<NonNullable<Cluster['loadBalancingPolicy']>['policies']>[number]

/** Envoy's sizes. */
const ring = { least: 1024, most: 8_388_608 }
const maglevTable = { usual: 65_537, most: 5_000_011 }

function slowStartOf(config: SlowStartConfig | undefined): SlowStart | undefined {
  const windowMs = durationMs(config?.slowStartWindow)
  if (windowMs === undefined) return undefined
  return {
    windowMs,
    minWeightPercent: unwrap(config?.minWeightPercent, 10),
    aggression: config?.aggression?.defaultValue || 1,
  }
}

function balancing(
  algorithm: BalancingAlgorithm,
  slowStart: SlowStartConfig | undefined,
  locality: LocalityConfig | undefined,
): Balancing {
  return {
    algorithm,
    slowStart: slowStartOf(slowStart),
    zonePreference: locality?.zoneAwareLbConfig === undefined ? defaultBalancing.zonePreference : 'same-zone',
  }
}

function ringHash(
  minRingSize: number,
  maxRingSize: number,
  path: string,
  problems: Problems,
): BalancingAlgorithm {
  if (maxRingSize < minRingSize || minRingSize < 1 || maxRingSize > ring.most)
    problems.add(path, `a ring of ${minRingSize} to ${maxRingSize} is not possible`)
  return { kind: 'ring-hash', minRingSize, maxRingSize }
}

function maglev(tableSize: number, path: string, problems: Problems): BalancingAlgorithm {
  if (tableSize < 2 || tableSize > maglevTable.most || !isPrime(tableSize))
    problems.add(path, `table_size ${tableSize} is no prime up to ${maglevTable.most}`)
  return { kind: 'maglev', tableSize }
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}

/** Undefined: an extension that we do not have; another one in the list may be known. */
function policyOf({ typedExtensionConfig }: Policy, path: string, problems: Problems): Balancing | undefined {
  const any = typedExtensionConfig?.typedConfig
  const ewma = unpackAs('weft.load_balancing.v1.PeakEwma', any)
  if (ewma !== undefined) {
    const decayMs = durationMs(ewma.decay) ?? 10_000
    const defaultLatencyMs = durationMs(ewma.defaultLatency) ?? 30
    return balancing(
      { kind: 'peak-ewma', decayMs, defaultLatencyMs },
      ewma.slowStartConfig,
      ewma.localityLbConfig,
    )
  }
  const least = unpackAs(`${extensions}.least_request.v3.LeastRequest`, any)
  if (least !== undefined)
    return balancing(
      { kind: 'least-request', choices: unwrap(least.choiceCount, 2) },
      least.slowStartConfig,
      least.localityLbConfig,
    )
  const roundRobin = unpackAs(`${extensions}.round_robin.v3.RoundRobin`, any)
  if (roundRobin !== undefined)
    return balancing({ kind: 'round-robin' }, roundRobin.slowStartConfig, roundRobin.localityLbConfig)
  const random = unpackAs(`${extensions}.random.v3.Random`, any)
  if (random !== undefined) return balancing({ kind: 'random' }, undefined, random.localityLbConfig)
  return hashPolicyOf(any, path, problems)
}

function hashPolicyOf(
  any: NonNullable<Policy['typedExtensionConfig']>['typedConfig'],
  path: string,
  problems: Problems,
): Balancing | undefined {
  const hash = unpackAs(`${extensions}.ring_hash.v3.RingHash`, any)
  if (hash !== undefined) {
    const [least, most] = [unwrap(hash.minimumRingSize, ring.least), unwrap(hash.maximumRingSize, ring.most)]
    return balancing(ringHash(least, most, path, problems), undefined, undefined)
  }
  const table = unpackAs(`${extensions}.maglev.v3.Maglev`, any)
  if (table !== undefined)
    return balancing(maglev(unwrap(table.tableSize, maglevTable.usual), path, problems), undefined, undefined)
  return undefined
}

/** lb_policy, as Envoy has had it from the beginning. */
function legacyAlgorithm(cluster: Cluster, problems: Problems): BalancingAlgorithm {
  const { lbPolicy } = cluster
  switch (lbPolicy) {
    case undefined:
    case 'ROUND_ROBIN':
      return { kind: 'round-robin' }
    case 'LEAST_REQUEST':
      return { kind: 'least-request', choices: unwrap(cluster.leastRequestLbConfig?.choiceCount, 2) }
    case 'RANDOM':
      return { kind: 'random' }
    case 'RING_HASH': {
      const { minimumRingSize, maximumRingSize } = cluster.ringHashLbConfig ?? {}
      const [least, most] = [unwrap(minimumRingSize, ring.least), unwrap(maximumRingSize, ring.most)]
      return ringHash(least, most, 'ring_hash_lb_config', problems)
    }
    case 'MAGLEV':
      return maglev(
        unwrap(cluster.maglevLbConfig?.tableSize, maglevTable.usual),
        'maglev_lb_config',
        problems,
      )
    case 'CLUSTER_PROVIDED':
    case 'LOAD_BALANCING_POLICY_CONFIG':
      problems.add('lb_policy', `${lbPolicy} is not supported`)
      return defaultBalancing.algorithm
  }
}

export function decodeBalancing(cluster: Cluster, problems: Problems): Balancing {
  const policies = cluster.loadBalancingPolicy?.policies
  if (policies === undefined) {
    const slowStart = (cluster.roundRobinLbConfig ?? cluster.leastRequestLbConfig)?.slowStartConfig
    return balancing(legacyAlgorithm(cluster, problems), slowStart, cluster.commonLbConfig)
  }
  for (const [i, policy] of policies.entries()) {
    const known = policyOf(policy, `load_balancing_policy.policies[${i}]`, problems)
    if (known !== undefined) return known
  }
  problems.add('load_balancing_policy', 'has no policy that is supported')
  return defaultBalancing
}
