/** What is in force for the traffic to a service's port: its policy, and what its annotations say besides. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Service, ServicePort } from './objects.ts'
import type { Finding } from './finding.ts'
import { overlay, type TrafficSettings } from './traffic-settings.ts'

/** A TrafficPolicy beats annotations, section by section. */
export function trafficOf(model: MeshModel, service: Service, port: ServicePort): TrafficSettings {
  const [policy] = model.traffic.inForce(keyOf(service.namespace, service.name), port)
  return policy === undefined ? service.traffic : overlay(policy.settings, service.traffic)
}

/** Policies that name `serviceKey` but do not count there, and why. */
export function policyFindings(model: MeshModel, serviceKey: string): readonly Finding[] {
  const service = model.service(serviceKey)
  const inForce = new Set(service?.ports.map((port) => model.traffic.inForce(serviceKey, port)[0]))
  const { traffic } = model
  return traffic
    .naming(serviceKey)
    .filter((policy) => !inForce.has(policy))
    .map((policy): Finding => {
      const object = `TrafficPolicy ${keyOf(policy.namespace, policy.name)}`
      if (service === undefined)
        return { code: 'POLICY_TARGET_UNKNOWN', object, message: `its target '${serviceKey}' is no Service` }
      const better = service.ports
        .map((port) => model.traffic.inForce(serviceKey, port))
        .find((policies) => policies.includes(policy))?.[0]
      return better === undefined
        ? { code: 'POLICY_TARGET_UNKNOWN', object, message: `the Service '${serviceKey}' has no such port` }
        : {
            code: 'POLICY_OVERRULED',
            object,
            message: `'${better.name}' is older, or for one port alone, and has the same target '${serviceKey}'`,
          }
    })
}
