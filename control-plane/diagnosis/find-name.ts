/** What a name means to the mesh; where it means nothing, what may have been meant. Pure. */
import type { DiagnosisStep } from '../../api/diagnosis.ts'
import { parseServiceName } from '../../api/xds/naming.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import type { Service } from '../model/objects.ts'
import { type Destination, destinationOf } from '../snapshot/destination.ts'
import { type PodDestination, podDestinationOf } from '../snapshot/pod-destination.ts'

export type NamedDestination =
  | { readonly kind: 'service'; readonly destination: Destination }
  | { readonly kind: 'pod'; readonly pod: PodDestination }
  | { readonly kind: 'none' }

/** How many letters have to be changed; more than two are another name. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++)
      row.push(
        Math.min(
          (row[j - 1] as number) + 1,
          (before[j] as number) + 1,
          (before[j - 1] as number) + Number(a[i - 1] !== b[j - 1]),
        ),
      )
    before = row
  }
  return before[b.length] as number
}

function similar(model: MeshModel, namespace: string, name: string): string | undefined {
  const all = [...model.services()].map(([, service]) => service)
  const elsewhere = all.find((service) => service.name === name && service.namespace !== namespace)
  const misspelt = all.find((service) => service.namespace === namespace && distance(service.name, name) <= 2)
  const found = misspelt ?? elsewhere
  return found && `${found.name}.${found.namespace}`
}

function portList({ ports }: Service): string {
  return ports.map(({ name, port }) => (name === '' ? String(port) : `${port} (${name})`)).join(', ')
}

function outside(name: string): DiagnosisStep {
  return {
    place: 'name',
    id: 'OUTSIDE_THE_MESH',
    outcome: 'warning',
    message: `${name} is no Service and no pod: it passes through as it is, or is refused where the policy is deny`,
    hint: 'to route it, or to see it by name, make a Service of type ExternalName',
  }
}

/** Has the form of a Service's name, and is one only where there is a namespace `com`. */
const publicDomain = /^[^.]+\.(?:com|net|org|edu|gov|info|io|dev|app|cloud|[a-z]{2}):/

function hasNamespace(model: MeshModel, namespace: string): boolean {
  const has = (one: { readonly namespace: string }): boolean => one.namespace === namespace
  return [...model.services()].some(([, service]) => has(service)) || [...model.allWorkloads()].some(has)
}

function unknownName(model: MeshModel, name: string): DiagnosisStep {
  const named = parseServiceName(name)
  if (named === undefined) return outside(name)
  const key = keyOf(named.namespace, named.service)
  const service = model.service(key)
  if (service !== undefined)
    return {
      place: 'name',
      id: 'PORT_NOT_IN_SERVICE',
      outcome: 'fails',
      message: `Service ${key} has no port ${named.port}; it has ${portList(service) || 'none'}`,
      hint: 'call one of its ports, or add this one to its spec.ports',
    }
  const other = similar(model, named.namespace, named.service)
  if (other === undefined && publicDomain.test(name) && !hasNamespace(model, named.namespace))
    return outside(name)
  return {
    place: 'name',
    id: 'SERVICE_UNKNOWN',
    outcome: 'fails',
    message: `there is no Service ${key}`,
    hint: other === undefined ? 'create it, or correct the name' : `did you mean ${other}?`,
  }
}

/** The destination, and the step that says what it is. */
export function findName(
  model: MeshModel,
  name: string,
): { readonly named: NamedDestination; readonly step: DiagnosisStep } {
  const destination = destinationOf(model, name)
  const known = (message: string): DiagnosisStep => ({
    place: 'name',
    id: 'NAME_KNOWN',
    outcome: 'ok',
    message,
    hint: '',
  })
  if (destination !== undefined) {
    const { key, port } = destination
    return {
      named: { kind: 'service', destination },
      step: known(`${name} is Service ${key}, port ${port.port}`),
    }
  }
  const pod = podDestinationOf(model, name)
  if (pod !== undefined) {
    const { namespace, name: podName } = pod.workload
    return {
      named: { kind: 'pod', pod },
      step: known(`${name} is pod ${keyOf(namespace, podName)}: no routes, splits or policies`),
    }
  }
  return { named: { kind: 'none' }, step: unknownName(model, name) }
}
