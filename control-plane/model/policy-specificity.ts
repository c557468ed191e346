/** Which of two policies for a service's port is meant for it more. Pure. */
import { keyOf } from './naming.ts'
import type { ServicePort, TrafficPolicy } from './objects.ts'

/** How closely a policy names a service's port: 2 by its port, 1 as a whole, 0 not at all. */
export function specificity(policy: TrafficPolicy, serviceKey: string, port: ServicePort): number {
  const ranks = policy.targets
    .filter((target) => keyOf(policy.namespace, target.service) === serviceKey)
    .map((target) => {
      if (target.port === undefined) return 1
      const same = 'name' in target.port ? target.port.name === port.name : target.port.number === port.port
      return same ? 2 : 0
    })
  return Math.max(0, ...ranks)
}
