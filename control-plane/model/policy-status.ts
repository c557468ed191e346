/** What is done with TrafficPolicies and the Services' own settings: the conditions that their status has to show. Pure. */
import { portOf } from './external-name.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Service, ServicePort, TrafficPolicy } from './objects.ts'
import { noTrafficSettings, type TrafficSettings } from './traffic-settings.ts'

/** The Gateway API's words for policies. */
export type PolicyCondition = {
  readonly type: 'Accepted'
  readonly status: 'True' | 'False'
  readonly reason: 'Accepted' | 'TargetNotFound' | 'Conflicted'
  /** Empty where there is nothing to say. */
  readonly message: string
}

export type PolicyStatus = {
  readonly namespace: string
  readonly name: string
  readonly sections: readonly string[]
  readonly targets: readonly {
    readonly service: string
    readonly port: number | string | undefined
    /** The ports of the Service that it counts for. */
    readonly inForce: readonly number[]
    readonly conditions: readonly PolicyCondition[]
  }[]
}

/** For each port with settings: the sections in force, and the object that each comes from. */
export type ServiceTraffic = {
  readonly namespace: string
  readonly name: string
  readonly ports: readonly {
    readonly port: number
    readonly sections: Readonly<Record<string, string>>
  }[]
}

type Section = keyof TrafficSettings
const sectionNames = Object.keys(noTrafficSettings) as readonly Section[]

function sectionsOf(settings: TrafficSettings): readonly Section[] {
  return sectionNames.filter((section) => settings[section] !== undefined)
}

type Target = TrafficPolicy['targets'][number]

function portsOf(service: Service, { port }: Target): readonly ServicePort[] {
  if (port === undefined) return service.ports
  if ('name' in port) return service.ports.filter(({ name }) => name === port.name)
  return portOf(service, port.number) === undefined ? [] : [portOf(service, port.number) as ServicePort]
}

function condition(reason: PolicyCondition['reason'], message = ''): PolicyCondition {
  return { type: 'Accepted', status: reason === 'Accepted' ? 'True' : 'False', reason, message }
}

function targetStatus(
  model: MeshModel,
  policy: TrafficPolicy,
  target: Target,
): PolicyStatus['targets'][number] {
  const key = keyOf(policy.namespace, target.service)
  const service = model.service(key)
  const port = target.port && ('name' in target.port ? target.port.name : target.port.number)
  const shown = { service: target.service, port }
  const missing = (message: string) => ({
    ...shown,
    inForce: [],
    conditions: [condition('TargetNotFound', message)],
  })
  if (service === undefined) return missing(`'${key}' is no Service`)
  const named = portsOf(service, target)
  if (named.length === 0 && target.port !== undefined) return missing(`'${key}' has no port ${port}`)
  const strongest = named.map((one) => ({ port: one.port, policy: model.traffic.inForce(key, one)[0] }))
  const inForce = strongest.filter((one) => one.policy === policy).map((one) => one.port)
  const winner = strongest.find((one) => one.policy !== policy)?.policy
  if (inForce.length > 0 || winner === undefined)
    return { ...shown, inForce, conditions: [condition('Accepted')] }
  const message = `'${keyOf(winner.namespace, winner.name)}' is older, or for one port alone`
  return { ...shown, inForce, conditions: [condition('Conflicted', message)] }
}

export function policyStatus(model: MeshModel, policy: TrafficPolicy): PolicyStatus {
  const { namespace, name, settings, targets } = policy
  return {
    namespace,
    name,
    sections: sectionsOf(settings),
    targets: targets.map((target) => targetStatus(model, policy, target)),
  }
}

/** Of all of its targets: accepted if every one is; else which are not, and why. */
export function policyCondition({ targets }: PolicyStatus): PolicyCondition {
  const troubles = targets.flatMap(({ conditions }) => conditions.filter(({ status }) => status === 'False'))
  const [first] = troubles
  if (first === undefined) return condition('Accepted')
  const elsewhere = troubles.length < targets.length ? '; it counts for its other targets' : ''
  return condition(first.reason, troubles.map(({ message }) => message).join('; ') + elsewhere)
}

/** Undefined: nothing is asked for on any of its ports. */
export function serviceTraffic(model: MeshModel, service: Service): ServiceTraffic | undefined {
  const { namespace, name } = service
  const key = keyOf(namespace, name)
  const ports = service.ports.map((port) => {
    const [policy] = model.traffic.inForce(key, port)
    const sections: Record<string, string> = {}
    for (const section of sectionsOf(service.traffic)) sections[section] = `annotations of Service ${key}`
    // Section by section, it beats them.
    if (policy !== undefined)
      for (const section of sectionsOf(policy.settings))
        sections[section] = `TrafficPolicy ${keyOf(policy.namespace, policy.name)}`
    return { port: port.port, sections }
  })
  const asked = ports.filter(({ sections }) => Object.keys(sections).length > 0)
  return asked.length === 0 ? undefined : { namespace, name, ports: asked }
}
