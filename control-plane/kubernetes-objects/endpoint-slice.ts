import type { Change, SliceEndpoint } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

function readEndpoint(field: FieldReader, namespace: string): SliceEndpoint[] {
  const conditions = field.at('conditions')
  // Kubernetes' own rule: an absent `ready` means ready; one that terminates gets nothing new.
  const ready = (conditions.at('ready').boolean() ?? true) && conditions.at('terminating').boolean() !== true
  const target = field.at('targetRef')
  const isPod = target.at('kind').string() === 'Pod'
  const workload = isPod
    ? `${target.at('namespace').string() ?? namespace}/${target.at('name').requiredString()}`
    : undefined
  const zone = field.at('zone').string() ?? ''
  const addresses = field
    .at('addresses')
    .list()
    .flatMap((entry) => entry.string() ?? [])
  if (addresses.length === 0) field.at('addresses').problem('must hold an address')
  return addresses.map((address) => ({ address, ready, workload, zone }))
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
