import { isIP } from 'node:net'
import type { Change, SliceEndpoint } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

/** Kubernetes' own rules: an absent `ready` means ready, an absent `serving` the same as it. */
function readConditions(field: FieldReader): { readonly ready: boolean; readonly serving: boolean } {
  const ready = field.at('ready').boolean() ?? true
  const serving = field.at('serving').boolean() ?? ready
  return { ready: ready && field.at('terminating').boolean() !== true, serving }
}

function readAddress(field: FieldReader): string[] {
  const address = field.string()
  if (address === undefined) return []
  if (isIP(address) === 0)
    field.problem('must be an IP address; for a name use a Service of type ExternalName')
  return [address]
}

function readEndpoint(field: FieldReader, namespace: string): SliceEndpoint[] {
  const target = field.at('targetRef')
  const isPod = target.at('kind').string() === 'Pod'
  const workload = isPod
    ? `${target.at('namespace').string() ?? namespace}/${target.at('name').requiredString()}`
    : undefined
  const forZones = field
    .at('hints')
    .at('forZones')
    .list()
    .map((zone) => zone.at('name').requiredString())
  const [address, ...otherAddresses] = field
    .at('addresses')
    .list()
    .flatMap((entry) => readAddress(entry))
  if (address === undefined) {
    field.at('addresses').problem('must hold an address')
    return []
  }
  const conditions = readConditions(field.at('conditions'))
  const zone = field.at('zone').string() ?? ''
  return [{ address, otherAddresses, ...conditions, workload, zone, forZones }]
}

export function convertEndpointSlice(object: FieldReader, { key, namespace }: ObjectHead): Change {
  const labels = object.at('metadata').at('labels')
  const service = labels.strings()['kubernetes.io/service-name']
  if (service === undefined) labels.problem('must name its Service in kubernetes.io/service-name')
  const ports = object
    .at('ports')
    .list()
    .flatMap((field) => {
      const port = field.at('port').port()
      return port === undefined ? [] : [{ name: field.at('name').string() ?? '', port }]
    })
  const endpoints = object
    .at('endpoints')
    .list()
    .flatMap((field) => readEndpoint(field, namespace))
  return { kind: 'slice', key, value: { service: `${namespace}/${service ?? ''}`, ports, endpoints } }
}
